"""The present state of the tasks, read back from the topics: committed records only, no group, no producer.

Workers are not disturbed: nobody is fenced, and no position moves. A task's state is as of the end of its changelog
when it was read; the reference data is read after it, so that nothing stands that reference data cannot tell of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...agents import wake
from ...tables.reference import Reference
from ...tables.state import TaskState
from ..audit.reading import opened
from ..memory import Memory, take_in
from ..topology import TOPOLOGY
from .reckoning import Tally
from .trial import settle_in_steps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from ..settings import Settings

REFERENCES: Final = tuple(stream.name for stream in TOPOLOGY.references)


async def tasks(settings: Settings, partitions: Iterable[int]) -> AsyncIterator[Memory]:
    """Each of these tasks as it is now, one at a time, so that one state is in memory."""
    known: dict[str, list[ConsumerRecord]] = {stream: [] for stream in REFERENCES}
    async with opened(settings, REFERENCES) as topics:
        for partition in partitions:
            state = await _restored(settings, partition)
            async for batch in topics.to_end():
                known[batch.stream] += batch.records
            yield caught_up(partition, state, known)


def caught_up(partition: int, state: TaskState, known: Mapping[str, Sequence[ConsumerRecord]]) -> Memory:
    """A task that has reacted to all reference data: what a worker would still do is not the change's doing."""
    reference = Reference()
    words: set[str] = set()
    for stream, records in known.items():
        done = state.cursor(stream)
        for news in (False, True):
            part = [record for record in records if (record.offset >= done) == news]
            if part:
                woken = take_in(reference, stream, part).wakes
                words |= woken if news else set()
    task = Memory(partition, reference, state)
    settle_in_steps(task, wake.waiting(state, words), Tally())
    return task


async def _restored(settings: Settings, partition: int) -> TaskState:
    """A task's state as its last committed transaction left it."""
    state = TaskState()
    async with opened(settings, (TOPOLOGY.changelog.name,), partition) as topics:
        async for batch in topics.to_end():
            state.restore(batch.records)
    state.restored()
    return state
