"""A slab: records of one fetch of one partition, entered as a unit of work and left as a transaction."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from operator import attrgetter
from time import perf_counter
from typing import TYPE_CHECKING, Final

from ...agents.outbox import Kept
from ...agents.poison import Poison, PoisonedInputError
from ...agents.shell import cut
from ...agents.work import Work
from ...tables.state import TaskState
from . import failpoints

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from faust.types import TP

    from ...agents.work import Record
    from .fetched import Fetched
    from .outgoing import Outgoing
    from .task import PartitionTask

_offset: Final = attrgetter("offset")


class TaskSlab:
    """What a stream yields. Entering waits for the task's lock; leaving commits, or throws the task's memory away.

    epoch: that of the seek its records were fetched after. A slab of another epoch is stale: entering it gives no
    records, and leaving it does nothing, since its records are fetched again.
    """

    __slots__ = (
        "_begin",
        "_end",
        "_entered",
        "_outgoing",
        "_poison",
        "_work",
        "epoch",
        "records",
        "stream",
        "task",
        "where",
    )

    def __init__(self, task: PartitionTask, stream: str, where: TP, fetched: Fetched) -> None:
        """Bind what was fetched of one partition to a task."""
        self.task: Final = task
        self.stream: Final = stream
        self.where: Final = where
        self.records: Final[Sequence[Record]] = fetched.records
        self._begin: Final = fetched.begin
        self._end: Final = fetched.end
        self.epoch: Final = fetched.epoch
        self._work: Work | None = None
        self._outgoing: Outgoing | None = None
        self._poison: Poison | None = None
        self._entered = 0.0

    async def __aenter__(self) -> Work:
        """Wait for the task's turn; give the records that are new to its state."""
        task = self.task
        await task.lock.acquire()
        state, producer = task.state, task.producer
        if (
            state is None
            or producer is None
            or self.epoch != task.epoch
            or not task.continues(self.stream, self._begin, self._end)
        ):
            task.lock.release()
            return Work(self.stream, (), TaskState(), task.shared.reference, task.contexts, Kept())
        known = state.position(self.stream)
        position = known.offset
        new = self.records if self.records[0].offset >= position else _from(self.records, position)
        task.shared.metrics.received(self.stream, len(new), len(self.records) - len(new))
        failpoints.reach("entered")
        self._outgoing = producer.outgoing()
        new = failpoints.midway(new)
        self._work = Work(self.stream, new, state, task.shared.reference, task.contexts, self._outgoing, self.where)
        self._work.poison = self._poison = Poison(task.shared.poison_limits, known.recent, new)
        self._entered = perf_counter()
        return self._work

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Commit. An exception of the body is the task's to log and to retry; it never leaves the stream."""
        work, outgoing, self._work, self._outgoing = self._work, self._outgoing, None, None
        task = self.task
        if work is None or outgoing is None:
            return isinstance(error, Exception)
        stopped = ""
        if isinstance(error, PoisonedInputError):
            cut(work, error.at)
            stopped, error = str(error), None
        if error is not None:
            try:
                task.failed(error, "rules", self.stream, self.where, work.records)
            finally:
                task.lock.release()
            return isinstance(error, Exception)
        failpoints.reach("decided")
        # A cancelled agent must not leave half a commit behind: the commit is a task of its own and ends first.
        await asyncio.shield(task.in_background(self._commit(work, outgoing, perf_counter() - self._entered, stopped)))
        return bool(stopped) or None

    async def _commit(self, work: Work, outgoing: Outgoing, decided_seconds: float, stopped: str) -> None:
        task = self.task
        try:
            if work.records:
                self._keep_recent(work)
                await task.commit(work, outgoing, decided_seconds, self.where)
            if stopped and task.state is work.state:
                task.stop_input(self.stream, stopped)
            else:
                task.slab_done(self.stream, self.epoch)
        finally:
            task.lock.release()

    def _keep_recent(self, work: Work) -> None:
        """Write which of the last records were bad; nothing is done while none was."""
        positions = work.state.positions
        position = work.state.position(self.stream)
        if self._poison is not None and (position.recent or work.outcomes["dead_lettered"]):
            position.recent = self._poison.recent(len(work.records))
            positions.put(positions.key(self.stream), position)


def _from(records: Sequence[Record], position: int) -> Sequence[Record]:
    """Records at or after a position."""
    return records[bisect_left(records, position, key=_offset) :]
