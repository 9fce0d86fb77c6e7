"""Review in a reckoning: which of the approved versions of an entry counts, where large corrections are reviewed.

Going up from the lowest, each takes the place of the one that counted before if finance released it, or if it changes
the bill by no more than the contract lets pass, and no work of a closed month where the contract asks for that. One
that finance rejected never does. What passed before a month closed is not known here: corrections in closed months are
certain only where no month closes on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...codecs.time_entry import TimeEntry
from .reckoning_lookups import WaitsError, is_closed
from .reckoning_numbers import minor, number
from .reckoning_spent import lines_of
from .reckoning_value import date_of, weight_of

if TYPE_CHECKING:
    from ...codecs.approval import Approval
    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from .reckoning_facts import Entry, Facts


def is_reviewed(terms: Engagement) -> bool:
    """Whether corrections under these terms may wait for finance."""
    return terms.policies.review_above is not None or terms.policies.closed_period == "review_corrections"


def reviewed(
    facts: Facts, terms: Engagement, approved: list[Entry], reviews: dict[int, list[Approval]]
) -> tuple[Entry, HoldReason | None]:
    """The version that counts of approved ones, highest revision first; and what a later one waits for."""
    if not is_reviewed(terms):
        return approved[0], None
    counts, waits = approved[-1], None
    for correction in reversed(approved[:-1]):
        word = _last_word(reviews.get(correction.revision, []))
        if word == "rejected":
            continue
        reason = None if word == "approved" else _waits_for(facts, terms, counts, correction)
        if reason is None:
            counts, waits = correction, None
        else:
            waits = reason
    return counts, waits


def _last_word(decisions: list[Approval]) -> str:
    """What finance decided last, of equal sequences what withdraws; empty when nothing, or when it was taken back."""
    if not decisions:
        return ""
    last = max(decisions, key=lambda decision: (decision.sequence, decision.verdict != "approved"))
    return "" if last.verdict == "recalled" else last.verdict


def _waits_for(facts: Facts, terms: Engagement, before: Entry, after: Entry) -> HoldReason | None:
    """Why a correction has to wait: for its month, or it changes the bill too much, or by nobody knows how much."""
    policies = terms.policies
    in_closed_month = policies.closed_period == "review_corrections" and is_closed(facts, terms, date_of(before))
    if in_closed_month and _money_of(before) != _money_of(after):
        return "awaiting_review"
    if policies.review_above is None:
        return None
    try:
        old, new = (weight_of(facts, terms, version)[1] or 0 for version in (before, after))
    except WaitsError as wait:
        return wait.reason
    return "awaiting_review" if abs(new - old) > minor(policies.review_above, terms.currency) else None


def _money_of(version: Entry) -> tuple[object, ...]:
    """All of a version that money depends on, or a bill shows."""
    who = (version.resource_id, version.billable, version.task_id, version.progress_excluded)
    if not isinstance(version, TimeEntry):
        return *who, version.spent_on, version.category, version.currency, lines_of(version)
    texts = (version.quantity, version.billable_quantity, version.rate)
    quantities = [None if text is None else number(text) for text in texts]
    kind = (version.unit, version.role, version.grade, version.item, version.assignment_id, version.work_type)
    return *who, *kind, version.work_date, quantities
