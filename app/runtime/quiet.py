"""Positions of quiet inputs: moved past what follows an input's last record in its log.

A transaction of a producer ends with a marker, at an offset of its own. When retention removes the last record of an
input it removes the marker too, and the position between the two would look like that of records nobody has read.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiokafka.errors import KafkaError
from faust.types.tuples import TP

from ...agents.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .fetched import Reached
    from .task import PartitionTask
    from .tasks import Tasks

log = logging.getLogger(__name__)

STREAM: Final = "quiet"
"""What units of work without records are called here."""


class QuietInputs:
    """Looks now and then for inputs of a worker's tasks that have brought nothing since it looked last."""

    def __init__(self, tasks: Tasks) -> None:
        """Look at these tasks."""
        self._tasks: Final = tasks
        self._seen: dict[TP, Reached] = {}

    async def follow(self) -> None:
        """Look for ever, while the group is settled."""
        shared = self._tasks.shared
        while True:
            await asyncio.sleep(shared.settings.quiet_input_milliseconds / 1000)
            await shared.settled.wait()
            try:
                await self._look()
            except (KafkaError, OSError, TimeoutError) as error:
                log.debug("quiet inputs not looked for: %r", error)
            except Exception as error:
                log.warning("quiet inputs not looked for: %r", error, exc_info=error)

    async def _look(self) -> None:
        before, self._seen = self._seen, await self._tasks.shared.thread.reached()
        quiet = {where: reached for where, reached in self._seen.items() if before.get(where) == reached}
        for task in tuple(self._tasks.by_partition.values()):
            found = {stream: quiet[where] for stream, where in task.inputs.items() if where in quiet}
            if found:
                await move(task, found)


async def move(task: PartitionTask, quiet: Mapping[str, Reached]) -> None:
    """Commit the positions that are behind, in one transaction; none when none is."""
    async with task.lock:
        state, producer, shared = task.state, task.producer, task.shared
        if state is None or producer is None:
            return
        behind = {
            stream: reached.position
            for stream, reached in quiet.items()
            if task.has_all(stream, reached.handed, reached.epoch) and state.position(stream).offset < reached.position
        }
        if not behind:
            return
        for stream, offset in behind.items():
            position = state.position(stream)
            position.offset = offset
            state.positions.put(state.positions.key(stream), position)
        where, outgoing = TP(STREAM, task.partition), producer.outgoing()
        work = Work(STREAM, (), state, shared.reference, task.contexts, outgoing, where)
        # Not awaited itself: a task that is closed meanwhile cancels its commit, which is not the end of looking.
        await asyncio.wait({task.in_background(task.commit(work, outgoing, 0.0, where))})
