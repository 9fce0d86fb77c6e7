"""Approval decisions in; the entries they are about are settled again."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import approval, cloudevents
from ..codecs.entry_state import Approvals, Decision
from ..codecs.errors import UndecodableError
from .entries import settle_entry
from .keys import check_key, record_key
from .rules.approval import decide
from .shell import run
from .trail import About
from .work import Outcome, Record, Slab, Work


async def approvals(slabs: AsyncIterable[Slab]) -> None:
    """Apply every decision about the entries of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one decision; one that comes before its entry is kept and counts when the entry arrives."""
    cloudevents.check_type(record.headers, approval.TYPE)
    decision = approval.decode(record.value)
    check_key(record, decision.engagement_id)
    _check_delegate(decision)
    _check_reviewer(decision)
    table = work.state.approvals
    key = record_key("a", decision.entry_type, decision.source, decision.engagement_id, decision.entry_id)
    known = table.get(key) or Approvals()
    outcome = decide(known, _read(decision))
    if outcome != "applied":
        return outcome
    table.put(key, known)
    work.trail.about = About(
        decision.entry_type, decision.source, decision.entry_id, decision.entry_revision, decision.engagement_id
    )
    entry_key = b"e" + key[1:]
    entry = work.state.entries.get(entry_key)
    return "held" if entry is not None and settle_entry(work, entry_key, entry) else "applied"


def _read(sent: approval.Approval) -> Decision:
    return Decision(
        sent.entry_revision,
        sent.level,
        sent.sequence,
        sent.verdict,
        sent.approver_id,
        sent.on_behalf_of,
        sent.decided_on,
        sent.target,
    )


def _check_delegate(sent: approval.Approval) -> None:
    if sent.on_behalf_of and sent.approver_id in {"", sent.on_behalf_of}:
        raise UndecodableError(
            "invalid_field",
            "$.approver_id",
            f"it does not say who decided on behalf of {sent.on_behalf_of}",
            "send the delegate as approver_id, or leave on_behalf_of out",
        )


def _check_reviewer(sent: approval.Approval) -> None:
    if sent.target == "correction" and sent.level != "finance":
        raise UndecodableError(
            "invalid_field",
            "$.level",
            f"a correction is reviewed by finance, not by level {sent.level}",
            "send level finance, or target entry",
        )
