"""The partition tasks of one worker: made and given up as the group assigns partitions, asked by the consumer."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from . import failpoints
from .failures import PositionOutsideLogError
from .placement import inherited
from .slab import TaskSlab
from .task import PartitionTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from faust.types import TP

    from .fetched import Fetched
    from .placement import Place
    from .shared import Shared

log = logging.getLogger(__name__)


class Tasks:
    """By partition number. All methods run in the worker's loop."""

    def __init__(self, shared: Shared) -> None:
        """Start without tasks."""
        self.shared: Final = shared
        self.by_partition: Final[dict[int, PartitionTask]] = {}
        self.assigned_once = False
        self.draining = False
        self._streams: Final = {shared.settings.topic(stream.name): stream.name for stream in shared.topology.inputs}

    def open_partitions(self) -> list[TP]:
        """Partitions that may be fetched now."""
        most = self.shared.settings.slabs_waiting_max
        if sum(task.waiting.total() for task in self.by_partition.values()) >= self.shared.settings.slabs_held_max:
            return []
        return [
            where
            for task in self.by_partition.values()
            if task.phase == "active"
            for stream, where in task.inputs.items()
            if task.waiting[stream] < most and stream not in task.stopped
        ]

    def paused_partitions(self) -> dict[TP, bool]:
        """Every input partition of ours, and whether it is paused because its slabs wait."""
        most = self.shared.settings.slabs_waiting_max
        return {
            where: task.waiting[stream] >= most
            for task in self.by_partition.values()
            for stream, where in task.inputs.items()
        }

    def admit(self, where: TP, fetched: Fetched) -> TaskSlab | None:
        """Make a slab of what was fetched; None when it is of an older epoch and will be fetched again."""
        task = self.by_partition.get(where.partition)
        if task is None or task.epoch != fetched.epoch or not fetched.records:
            return None
        stream = self._streams[where.topic]
        if stream in task.stopped:
            return None  # It was asked for before the input was stopped.
        failpoints.reach("fetched")
        task.waiting[stream] += 1
        return TaskSlab(task, stream, where, fetched)

    def fetch_again(self) -> None:
        """Faust has cleared its queues: what was in them must be fetched again."""
        for task in self.by_partition.values():
            if task.phase == "active":
                task.shut()
                task.resume()

    def out_of_range(self, positions: Mapping[TP, int]) -> None:
        """The log has lost records that tasks were about to read."""
        for where, offset in positions.items():
            task = self.by_partition.get(where.partition)
            if task is not None and task.phase == "active":
                error = PositionOutsideLogError(f"{where.topic} partition {where.partition}: no offset {offset}")
                task.failed(error, "fetch", self._streams[where.topic], where, ())

    async def revoked(self) -> None:
        """Before the group moves: shut every gate, and let each slab in hand end. State and producers stay."""
        self.shared.settled.clear()
        for task in self.by_partition.values():
            task.shut()
            failpoints.reach("revoking")
        await self._drained()

    async def assigned(self, partitions: Iterable[int]) -> None:
        """After the group moved: give up what is gone, begin what is new; what stays resumes once all is settled."""
        mine = set(partitions)
        gone = [self.by_partition.pop(number) for number in set(self.by_partition) - mine]
        await asyncio.gather(*(task.close() for task in gone))
        for number in sorted(mine):
            task = self.by_partition.get(number)
            if task is not None:
                task.resume()
            elif not self.draining:
                task = self.by_partition[number] = PartitionTask(self.shared, number)
                task.start()
        self.assigned_once = True
        log.info("tasks: %s", sorted(mine))

    def stand_by(self, place: Place | None, assigned: set[int]) -> None:
        """Keep the state of others' tasks warm, as this worker's place in the group asks for; before assigned()."""
        settings = self.shared.settings
        wanted: set[int] = set()
        if place is not None and settings.standbys and not self.draining:
            wanted = inherited(place, settings.partitions, settings.standbys) - assigned
        if place is None and settings.standbys:
            log.warning("no warm copies: the group's leader is an older worker; they are kept after the next rebalance")
        self.shared.standbys.keep(wanted, assigned)

    def changed(self, words: set[str]) -> None:
        """Reference data changed: every task reacts by itself."""
        for task in self.by_partition.values():
            task.wakes.changed(words)

    async def stop(self) -> None:
        """End the slabs in hand, then give up every task."""
        self.draining = True
        self.shared.settled.clear()
        for task in self.by_partition.values():
            task.shut()
            failpoints.reach("draining")
        await self._drained()
        tasks = list(self.by_partition.values())
        self.by_partition.clear()
        await asyncio.gather(*(task.close() for task in tasks))

    async def _drained(self) -> None:
        """Wait for the slabs in hand, within limits: a broker that does not answer must not hold up the group."""
        limit = self.shared.settings.drain_milliseconds_max / 1000
        waits = [asyncio.ensure_future(task.drained()) for task in self.by_partition.values()]
        if not waits:
            return
        _, late = await asyncio.wait(waits, timeout=limit)
        for wait in late:
            wait.cancel()
        if late:
            log.warning(
                "%d slabs did not end within %.0f s; their tasks are fenced by the next owner", len(late), limit
            )
