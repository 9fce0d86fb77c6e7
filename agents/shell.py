"""The one loop of every agent: take a slab, apply each record, count what became of it, commit.

Three things can become of a record that is new: it is applied (or found to be a duplicate or stale), it is
applied and its entry held with a reason, or it is put on the dead-letter topic. Anything else is a bug: it
leaves the slab as an exception, the transaction is aborted and the task stops with the record's position.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Final

from ..codecs.errors import UndecodableError
from .rooms import outcome_of, share_rooms
from .work import Apply, Outcome, Slab, Work

DRAIN_RECORDS: Final = 128
"""Records between two hand-outs of what was decided; from 50 to 500 it makes no difference."""


async def run(slabs: AsyncIterable[Slab], apply: Apply) -> None:
    """Apply the records of each slab in order, a transaction a slab."""
    async for slab in slabs:
        async with slab as work:
            apply_all(work, apply)


def apply_all(work: Work, apply: Apply) -> None:
    """Apply the work's records and move the input's position past them."""
    outcomes, records = work.outcomes, work.records
    mark, effects = work.trail.mark, work.effects
    outcome: Outcome
    for at in range(0, len(records), DRAIN_RECORDS):
        for record in records[at : at + DRAIN_RECORDS]:
            try:
                outcome = apply(work, record)
                if work.unshared:
                    share_rooms(work)
                    outcome = outcome_of(work, outcome)
            except UndecodableError as error:
                work.dead_letter(record, error)
                outcome = "dead_lettered"
            outcomes[outcome] += 1
            if outcome in {"applied", "held"}:
                mark(record.offset, record.timestamp, outcome, effects)
        work.drain()
    if records:
        _advance(work)


def cut(work: Work, at: int) -> None:
    """End a work at its record `at`, which is bad and one too many: what was applied before it counts."""
    work.records = work.records[:at]
    if work.records:
        _advance(work)


def _advance(work: Work) -> None:
    """Write the position with the state: what lies below it was applied and is a duplicate from now on."""
    positions = work.state.positions
    position = work.state.position(work.stream)
    position.offset = work.records[-1].offset + 1
    for outcome, count in work.outcomes.items():
        setattr(position, outcome, getattr(position, outcome) + count)
    positions.put(positions.key(work.stream), position)
