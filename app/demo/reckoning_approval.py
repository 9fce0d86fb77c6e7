"""Approval in a reckoning: which version of an entry counts, as what, and whose word is missing.

A contract may ask for levels by amount, for none under an amount, and may name who decides. Then a version is judged
by what it would be worth now alone; as long as that is unknown, as if it were the largest. Where corrections are
reviewed, one that changes the bill by too much counts only once it is released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ...codecs.exception import HoldReason
from .reckoning_facts import Entry
from .reckoning_lookups import WaitsError
from .reckoning_numbers import minor
from .reckoning_review import is_reviewed, reviewed
from .reckoning_value import date_of, weight_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from ...codecs.approval import Approval, ApprovalLevel
    from ...codecs.approvers import Approver, Delegate
    from ...codecs.engagement import Engagement
    from .reckoning_facts import EntryId, Facts

SETTLED: Final = {"approved", "rejected", "recalled", "deleted"}
"""Statuses of a version after which older versions never matter."""
WITHDRAWN: Final = SETTLED - {"approved"}
"""The same where corrections are reviewed: an approved version is weighed against the one before."""

Standing = Literal["draft", "pending", "approved", "void"]


@dataclass(slots=True)
class Counted:
    """What counts of an entry. waits_for: what its judgement waits for, though something of it may be posted."""

    version: Entry | None = None
    approved: bool = False
    unknown: HoldReason | None = None
    ignored: HoldReason | None = None
    review: HoldReason | None = None
    undated: HoldReason | None = None

    @property
    def waits_for(self) -> HoldReason | None:
        """A review comes before an unknown amount, that before a decision that does not count, and last its day."""
        return self.review or self.unknown or self.ignored or self.undated


def counted(facts: Facts, terms: Engagement, entry_id: EntryId) -> Counted:
    """Find the version that counts, from the highest revision down."""
    found, approved = Counted(), list[Entry]()
    keeps = is_reviewed(terms)
    for version in reversed(facts.versions[entry_id]):
        about = facts.decisions.get(entry_id, {}).get(version.revision, {}).values()
        standing = _judged(facts, terms, version, list(about), Counted() if approved else found)
        if standing == "approved":
            approved.append(version)
        elif standing == "pending" and found.version is None and not approved:
            found.version = version
        if standing == "void" or version.status in (WITHDRAWN if keeps else SETTLED):
            break
        if approved and not keeps:
            break
    if approved:
        found.approved = True
        found.version, found.review = reviewed(facts, terms, approved, _reviews(facts, terms, entry_id))
    return found


def _reviews(facts: Facts, terms: Engagement, entry_id: EntryId) -> dict[int, list[Approval]]:
    """Decisions about the corrections by each revision, of those who may decide."""
    return {
        revision: [decision for decision in about.values() if _may_decide(terms.policies.approvers, decision)]
        for revision, about in facts.reviews.get(entry_id, {}).items()
    }


def approved_on(facts: Facts, terms: Engagement, entry_id: EntryId, version: Entry) -> dt.date | None:
    """Day on which an approved version was approved: the latest of the decisions that count; None where one lacks it.

    What nobody has to approve is approved as it is worked; of what the source approved no day is known.
    """
    decisions = facts.decisions.get(entry_id, {}).get(version.revision, {}).values()
    spoken = _latest([decision for decision in decisions if _may_decide(terms.policies.approvers, decision)])
    if not spoken:
        return None if version.status == "approved" else date_of(version)
    days = [decision.decided_on for decision in spoken.values()]
    return None if None in days else max(day for day in days if day is not None)


def may_count(facts: Facts, entry_id: EntryId) -> bool:
    """Whether terms could make something of the entry count, whoever they say has to approve."""
    for version in reversed(facts.versions[entry_id]):
        decisions = facts.decisions.get(entry_id, {}).get(version.revision, {}).values()
        approved = any(decision.verdict == "approved" for decision in decisions)
        if (approved and version.status not in {"draft", "deleted"}) or version.status in {"submitted", "approved"}:
            return True
        if version.status in SETTLED:
            break
    return False


def _judged(facts: Facts, terms: Engagement, version: Entry, decisions: list[Approval], found: Counted) -> Standing:
    """Standing of one version; what its judgement waits for is noted."""
    policies = terms.policies
    allowed = [decision for decision in decisions if _may_decide(policies.approvers, decision)]
    of_amount = [threshold.level for threshold in policies.approval_thresholds]
    may_waive = policies.auto_approve_under is not None
    standing = _standing(version, allowed, [*policies.approval_levels, *of_amount], waived=False)
    lightest = _standing(version, allowed, () if may_waive else policies.approval_levels, waived=may_waive)
    if standing != lightest:
        try:
            levels, waived = _asked_for(facts, terms, version)
        except WaitsError as wait:
            found.unknown = found.unknown or wait.reason
        else:
            standing = _standing(version, allowed, levels, waived=waived)
    if found.ignored is None and _left_out(version, standing, decisions, allowed):
        found.ignored = "approver_not_allowed"
    return standing


def _standing(version: Entry, decisions: list[Approval], levels: Iterable[str], *, waived: bool) -> Standing:
    """What one version counts for, given the decisions about it that count. waived: where no level is asked for."""
    if version.status == "draft":
        return "draft"
    if version.status == "deleted":
        return "void"
    levels, spoken = list(levels), _latest(decisions)
    if not spoken:
        handed_in = version.status == "submitted"
        if version.status == "approved" or (handed_in and waived and not levels):
            return "approved"
        return "pending" if handed_in else "void"
    if any(decision.verdict != "approved" for decision in spoken.values()):
        return "void"
    return "approved" if version.status == "approved" or all(level in spoken for level in levels) else "pending"


def _latest(decisions: list[Approval]) -> dict[str, Approval]:
    """Of each level the decision with the highest sequence, of equal ones one that withdraws."""
    ordered = sorted(decisions, key=lambda decision: (decision.sequence, decision.verdict != "approved"))
    return {decision.level: decision for decision in ordered}


def _asked_for(facts: Facts, terms: Engagement, version: Entry) -> tuple[list[ApprovalLevel], bool]:
    """Levels a version of this worth needs, and whether it is small enough to need no other decision."""
    cost, price = weight_of(facts, terms, version)
    policies, size = terms.policies, {"cost": abs(cost), "price": abs(cost if price is None else price)}
    reached = [
        threshold.level
        for threshold in policies.approval_thresholds
        if size[threshold.of] >= minor(threshold.amount, terms.currency)
    ]
    under = policies.auto_approve_under
    if under is not None and size["price"] < minor(under, terms.currency):
        return reached, True
    return [*policies.approval_levels, *reached], False


def _may_decide(approvers: tuple[Approver, ...], decision: Approval) -> bool:
    """Whether somebody the terms name decided, on a day they may, or a delegate of theirs."""
    for approver in approvers:
        if approver.level != decision.level or not _valid(approver, decision.decided_on):
            continue
        if not decision.on_behalf_of and approver.approver_id == decision.approver_id:
            return True
        if approver.approver_id == decision.on_behalf_of and any(
            delegate.approver_id == decision.approver_id and _valid(delegate, decision.decided_on)
            for delegate in approver.delegates
        ):
            return True
    return not approvers


def _valid(named: Approver | Delegate, on: dt.date | None) -> bool:
    """Whether a day lies between two, each of which may be left open; an unknown day only where both are."""
    if on is None:
        return named.valid_from is None and named.valid_to is None
    begun = named.valid_from is None or on >= named.valid_from
    return begun and (named.valid_to is None or on <= named.valid_to)


def _left_out(version: Entry, standing: Standing, decisions: list[Approval], allowed: list[Approval]) -> bool:
    """Whether a decision that does not count would move the version, and its level has not spoken since."""
    spoken = _latest(allowed)
    for decision in decisions:
        if decision in allowed:
            continue
        later = spoken.get(decision.level)
        fixed: dict[str, Standing] = {"draft": "draft", "deleted": "void"}
        moved = fixed.get(version.status, "approved" if decision.verdict == "approved" else "void")
        if moved != standing and (later is None or later.sequence < decision.sequence):
            return True
    return False
