"""Approval decisions in; the entries they are about are settled again."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import approval, cloudevents
from ..codecs.entry_state import Approvals, Decision
from .entries import check_key, record_key, settle_entry
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
    table = work.state.approvals
    key = record_key("a", decision.entry_type, decision.source, decision.engagement_id, decision.entry_id)
    known = table.get(key) or Approvals()
    outcome = decide(known, Decision(decision.entry_revision, decision.level, decision.sequence, decision.verdict))
    if outcome != "applied":
        return outcome
    table.put(key, known)
    work.trail.about = About(
        decision.entry_type, decision.source, decision.entry_id, decision.entry_revision, decision.engagement_id
    )
    entry_key = b"e" + key[1:]
    entry = work.state.entries.get(entry_key)
    return "held" if entry is not None and settle_entry(work, entry_key, entry) else "applied"
