"""Approval: which version of an entry counts, and as what.

Theory. An entry is a row of versions, one for each revision. Each version stands as one of

    draft      not handed in: nothing is accrued or billed
    pending    handed in, waiting for approval: may be accrued, never billed (M6)
    approved   may be billed
    void       rejected, recalled or deleted: nothing of it stands

`STANDINGS` is the whole state machine: a version's own status meets how far it is decided. A recall is the
status `recalled` when the person takes the entry back, the verdict `recalled` when an approver takes back what
was approved. `deleted` is the tombstone of the source and stays void whatever is decided.

Who and how many. Of each level the decision with the highest sequence counts, of equal ones one that withdraws. One
rejection or recall voids; approval needs every level the contract asks for, or any level where it asks for none.
Contracts may ask for more levels above an amount, for none under one, and may name who decides: see approval_terms
and assessment. What the source itself approved needs no level, only nobody who withdraws it.

What counts of the entry is found from the highest revision down: an approved version is it; a void one ends
the search, for what was withdrawn withdraws all before it; a pending or draft one lets the search go on, so an
approved version stands until its correction is approved too. Without an approved version the highest pending
one counts as pending. The order in which entries and decisions arrive does not matter (M9).

Approval is one of four states of an entry that are never folded into one:

    approval      here; never kept, always found again from the versions and their decisions
    eligibility   whether the customer pays: `billable`, contract type and expense terms, read by valuation
    cap           how much may be billed now: `held_value` and `non_chargeable` of the entry, by settlement
    posting       what stands in the ledgers: `cost`, `work_in_progress` and `charges` of the entry, by settlement
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from ...codecs.approval import ApprovalLevel, Verdict
from ...codecs.entry_state import Approvals, Decision, EntryState, EntryVersion
from ...codecs.time_entry import EntryStatus

Standing = Literal["draft", "pending", "approved", "void"]
Decided = Literal["undecided", "waived", "partly", "fully", "withdrawn"]
"""How far a version is decided: by nobody; by nobody, and nobody has to; some levels are missing; none is; voided."""
Judge = Callable[[EntryVersion, tuple[Decision, ...]], Standing]
"""Finds the standing of one version, given every decision about its entry."""

_DECIDED: Final[tuple[Decided, ...]] = ("undecided", "waived", "partly", "fully", "withdrawn")
_TABLE: Final[dict[EntryStatus, tuple[Standing, ...]]] = {
    #             undecided  waived      partly      fully       withdrawn
    "draft":     ("draft",    "draft",    "draft",    "draft",    "draft"),
    "submitted": ("pending",  "approved", "pending",  "approved", "void"),
    "approved":  ("approved", "approved", "approved", "approved", "void"),
    "rejected":  ("void",     "void",     "pending",  "approved", "void"),
    "recalled":  ("void",     "void",     "pending",  "approved", "void"),
    "deleted":   ("void",     "void",     "void",     "void",     "void"),
}  # fmt: skip
STANDINGS: Final[dict[EntryStatus, dict[Decided, Standing]]] = {
    status: dict(zip(_DECIDED, row, strict=True)) for status, row in _TABLE.items()
}
"""Standing of a version by its own status and by how far it is decided."""
UNDECIDED: Final = {status: row["undecided"] for status, row in STANDINGS.items()}
"""Standing of a version nobody has decided about."""

VOIDS: Final[dict[Verdict, bool]] = {"approved": False, "rejected": True, "recalled": True}
"""Whether a verdict withdraws the version."""


def standing(
    version: EntryVersion, decisions: Iterable[Decision], levels: tuple[ApprovalLevel, ...], *, waived: bool = False
) -> Standing:
    """Standing of one version, given the decisions about its entry and the levels it needs.

    waived: where no level is needed, nobody has to decide at all.
    """
    row = STANDINGS[version.status]
    spoken = verdicts(version, decisions)
    if any(VOIDS[decision.verdict] for decision in spoken.values()):
        return row["withdrawn"]
    if not spoken:
        return row["waived" if waived and not levels else "undecided"]
    return row["partly" if any(level not in spoken for level in levels) else "fully"]


def verdicts(version: EntryVersion, decisions: Iterable[Decision]) -> dict[ApprovalLevel, Decision]:
    """The decision of each level that counts for a version."""
    found: dict[ApprovalLevel, Decision] = {}
    for decision in decisions:
        if decision.entry_revision == version.revision and decision.target == "entry":
            known = found.get(decision.level)
            if known is None or _rank(decision) > _rank(known):
                found[decision.level] = decision
    return found


def _rank(decision: Decision) -> tuple[int, bool]:
    return decision.sequence, VOIDS[decision.verdict]


def counting(
    entry: EntryState, approvals: Approvals | None, levels: tuple[ApprovalLevel, ...], judge: Judge | None = None
) -> tuple[EntryVersion | None, Standing]:
    """The version that counts and its standing; (None, "void") when nothing of the entry stands.

    judge: of a contract that asks for more than levels.
    """
    if approvals is None and not entry.earlier and judge is None:
        own = UNDECIDED[entry.latest.status]
        return (entry.latest, own) if own in {"approved", "pending"} else (None, "void")
    decisions = approvals.decisions if approvals is not None else ()
    pending: EntryVersion | None = None
    for version in (entry.latest, *reversed(entry.earlier)):
        stands = standing(version, decisions, levels) if judge is None else judge(version, decisions)
        if stands == "approved":
            return version, "approved"
        if stands == "void":
            break
        if stands == "pending" and pending is None:
            pending = version
    return (pending, "pending") if pending is not None else (None, "void")


def may_count(entry: EntryState, approvals: Approvals | None) -> bool:
    """Whether something of the entry may count once the terms say which decisions do: so long it waits for them."""
    decisions = approvals.decisions if approvals is not None else ()
    approved = {d.entry_revision for d in decisions if d.target == "entry" and not VOIDS[d.verdict]}
    return any(
        STANDINGS[version.status]["fully" if version.revision in approved else "undecided"] in {"approved", "pending"}
        for version in (entry.latest, *entry.earlier)
    )


def decide(approvals: Approvals, decision: Decision) -> Literal["applied", "duplicate", "stale"]:
    """Add a decision, in place; the same sequence again is a duplicate, a lower one stale.

    Decisions of different people or days are kept side by side: which of them may decide is the contract's word,
    which may come later and change. Those alike in all of that are ordered here for good.
    """
    for known in approvals.decisions:
        if _alike(known, decision):
            if known.sequence >= decision.sequence:
                return "duplicate" if known.sequence == decision.sequence else "stale"
            others = tuple(d for d in approvals.decisions if d is not known)
            approvals.decisions = (*others, decision)
            return "applied"
    approvals.decisions = (*approvals.decisions, decision)
    return "applied"


def _alike(one: Decision, other: Decision) -> bool:
    """Whether any contract allows both or neither: same revision and level, same people, same day."""
    return (
        one.entry_revision == other.entry_revision
        and one.level == other.level
        and one.approver_id == other.approver_id
        and one.on_behalf_of == other.on_behalf_of
        and one.decided_on == other.decided_on
        and one.target == other.target
    )
