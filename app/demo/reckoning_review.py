"""Review in a reckoning: which of the approved versions of an entry counts, where large corrections are reviewed.

Going up from the lowest, each takes the place of the one that counted before if finance released it, or if it changes
the bill by no more than the contract lets pass. One that finance rejected never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reckoning_lookups import WaitsError
from .reckoning_numbers import minor
from .reckoning_value import weight_of

if TYPE_CHECKING:
    from ...codecs.approval import Approval
    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from .reckoning_facts import Entry, Facts


def reviewed(
    facts: Facts, terms: Engagement, approved: list[Entry], reviews: dict[int, list[Approval]]
) -> tuple[Entry, HoldReason | None]:
    """The version that counts of approved ones, highest revision first; and what a later one waits for."""
    limit = terms.policies.review_above
    if limit is None:
        return approved[0], None
    most, counts, waits = minor(limit, terms.currency), approved[-1], None
    for correction in reversed(approved[:-1]):
        word = _last_word(reviews.get(correction.revision, []))
        if word == "rejected":
            continue
        reason = None if word == "approved" else _too_large(facts, terms, counts, correction, most)
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


def _too_large(facts: Facts, terms: Engagement, before: Entry, after: Entry, limit: int) -> HoldReason | None:
    """Why a correction has to wait: it changes the bill by more than the limit, or by nobody knows how much."""
    try:
        old, new = (weight_of(facts, terms, version)[1] or 0 for version in (before, after))
    except WaitsError as wait:
        return wait.reason
    return "awaiting_review" if abs(new - old) > limit else None
