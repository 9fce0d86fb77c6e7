"""Approval: which version of an entry counts, and as what.

Theory. An entry is a row of versions, one for each revision. Each version stands as one of

    draft      not handed in: nothing is accrued or billed
    pending    handed in, waiting for approval: may be accrued, never billed (M6)
    approved   may be billed
    void       rejected, recalled or deleted: nothing of it stands

A version's own status gives its first standing; decisions about that revision override it, the latest of each
level counting. One rejection or recall voids; approval needs every level the contract asks for, or any level
where it asks for none. `deleted` is the tombstone of the source and stays void whatever is decided.

What counts of the entry is found from the highest revision down: an approved version is it; a void one ends
the search, for what was withdrawn withdraws all before it; a pending or draft one lets the search go on, so an
approved version stands until its correction is approved too. Without an approved version the highest pending
one counts as pending. The order in which entries and decisions arrive does not matter (M9).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from ...codecs.approval import ApprovalLevel, Verdict
from ...codecs.entry_state import Approvals, Decision, EntryState, EntryVersion
from ...codecs.time_entry import EntryStatus

Standing = Literal["draft", "pending", "approved", "void"]

OWN_STANDING: Final[dict[EntryStatus, Standing]] = {
    "draft": "draft",
    "submitted": "pending",
    "approved": "approved",
    "rejected": "void",
    "recalled": "void",
    "deleted": "void",
}
"""Standing of a version nobody has decided about."""

DECIDED: Final[dict[EntryStatus, bool]] = {
    "draft": False,
    "submitted": True,
    "approved": True,
    "rejected": True,
    "recalled": True,
    "deleted": False,
}
"""Whether decisions can change the standing of a version with this status."""

VERDICT_STANDING: Final[dict[Verdict, Standing]] = {"approved": "approved", "rejected": "void", "recalled": "void"}


def standing(version: EntryVersion, decisions: Iterable[Decision], levels: tuple[ApprovalLevel, ...]) -> Standing:
    """Standing of one version, given every decision about its entry and the levels the contract asks for."""
    own = OWN_STANDING[version.status]
    if not DECIDED[version.status]:
        return own
    verdicts = {d.level: VERDICT_STANDING[d.verdict] for d in decisions if d.entry_revision == version.revision}
    if not verdicts:
        return own
    if "void" in verdicts.values():
        return "void"
    missing = [level for level in levels if level not in verdicts]
    return "pending" if missing and own != "approved" else "approved"


def counting(
    entry: EntryState, approvals: Approvals | None, levels: tuple[ApprovalLevel, ...]
) -> tuple[EntryVersion | None, Standing]:
    """The version that counts and its standing; (None, "void") when nothing of the entry stands."""
    if approvals is None and not entry.earlier:
        own = OWN_STANDING[entry.latest.status]
        return (entry.latest, own) if own in {"approved", "pending"} else (None, "void")
    decisions = approvals.decisions if approvals is not None else ()
    pending: EntryVersion | None = None
    for version in (entry.latest, *reversed(entry.earlier)):
        stands = standing(version, decisions, levels)
        if stands == "approved":
            return version, "approved"
        if stands == "void":
            break
        if stands == "pending" and pending is None:
            pending = version
    return (pending, "pending") if pending is not None else (None, "void")


def decide(approvals: Approvals, decision: Decision) -> Literal["applied", "duplicate", "stale"]:
    """Add a decision, in place; the same sequence again is a duplicate, a lower one stale."""
    for known in approvals.decisions:
        if (known.entry_revision, known.level) == (decision.entry_revision, decision.level):
            if known.sequence >= decision.sequence:
                return "duplicate" if known.sequence == decision.sequence else "stale"
            others = tuple(d for d in approvals.decisions if d is not known)
            approvals.decisions = (*others, decision)
            return "applied"
    approvals.decisions = (*approvals.decisions, decision)
    return "applied"
