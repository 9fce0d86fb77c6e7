"""Warm standby: copies of the state of other workers' tasks, so that who is given one has little left to read.

A copy is followed read-committed in the background: an open or aborted transaction is never in it. The task takes it
once it has fenced the former owner, and reads the rest: fence, restore, resume stay in this order. Which partitions are
followed says `placement`; nothing is agreed on between workers, and nothing depends on a copy being there or being new.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ...tables.table import UnreadableStateError
from .changelog import POLL_MILLISECONDS, Copy, LogChangedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .shared import Shared

log = logging.getLogger(__name__)

ENDS_SECONDS: Final = 1.0
"""Time between two questions where the changelogs end."""


class Standbys:
    """The copies of one worker, by partition. All methods run in the worker's loop."""

    def __init__(self, shared: Shared) -> None:
        """Start without any; follow() keeps them."""
        self._shared: Final = shared
        self.copies: Final[dict[int, Copy]] = {}
        self._wanted: Final[set[int]] = set()
        self._moved: Final = asyncio.Event()
        self._followed: dict[TopicPartition, Copy] = {}
        self._failures = 0
        self._ask_at = 0.0

    def keep(self, wanted: Collection[int], assigned: Collection[int]) -> None:
        """Follow the partitions wanted, and forget all others but those whose tasks are assigned and yet to start."""
        self._wanted.clear()
        self._wanted.update(wanted)
        for partition in set(self.copies).difference(wanted, assigned):
            del self.copies[partition]
        if self._wanted or self.copies:
            log.info("standby for tasks: %s", sorted(self._wanted))
        self._moved.set()

    def take(self, partition: int) -> Copy | None:
        """Give a copy up to its task. One that a task takes while it is being given up is begun anew if wanted."""
        copy = self.copies.pop(partition, None)
        if copy is not None:
            self._moved.set()
        return copy

    @contextmanager
    def taken(self, partition: int) -> Iterator[Copy | None]:
        """Take a copy to restore from. When Kafka fails meanwhile it is given back: the next try goes on with it."""
        copy = self.take(partition)
        try:
            yield copy
        except KafkaError:
            if copy is not None:
                self.copies[partition] = copy
                self._moved.set()
            raise

    def is_warm(self, partition: int) -> bool:
        """Whether there is a copy that has little left to read."""
        copy = self.copies.get(partition)
        return copy is not None and copy.lag <= self._shared.settings.restore_records_step

    async def follow(self) -> None:
        """Follow for ever. After an error copies go on from where they are, if that place is still there."""
        while True:
            await self._moved.wait()
            if not (self._wanted or self.copies):
                self._moved.clear()
                continue
            try:
                await self._read()
            except Exception as error:
                self._failures += 1
                log.warning("warm copies cannot be read: %r; tried again", error, exc_info=error)
                self._moved.set()
                await asyncio.sleep(self._shared.pause_seconds(self._failures))

    async def _read(self) -> None:
        """Read until there is nothing to follow."""
        settings = self._shared.settings
        consumer = AIOKafkaConsumer(
            **settings.connection(),
            client_id=f"{settings.app_id}-standby",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=settings.fetch_bytes_max,
            fetch_max_bytes=settings.restore_fetch_bytes_max,
        )
        try:
            await consumer.start()
            while True:
                if self._moved.is_set():
                    self._moved.clear()
                    await self._seek(consumer)
                    if not self._followed:
                        return
                await self._ask_ends(consumer)
                self._failures = 0
                await self._step(consumer)
        finally:
            self._followed = {}
            await consumer.stop()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Read what is to be followed now, each from where its copy has got to."""
        topic = self._shared.settings.topic(self._shared.topology.changelog.name)
        places = [TopicPartition(topic, partition) for partition in sorted(self._wanted.union(self.copies))]
        firsts = await consumer.beginning_offsets(places) if places else {}
        ends = await consumer.end_offsets(places) if places else {}
        limit = self._shared.settings.standby_lagged_milliseconds_max / 1000
        positions: dict[TopicPartition, int] = {}
        for where in places:
            partition, copy = where.partition, self.copies.get(where.partition)
            try:
                if copy is not None:
                    positions[where] = copy.resume(firsts[where], ends[where], limit)
            except LogChangedError as error:
                self._restart(partition, str(error))
            if partition not in self.copies and partition in self._wanted:
                self.copies[partition] = Copy(firsts[where])
                positions[where] = firsts[where]
        self._followed = {where: self.copies[where.partition] for where in positions}
        for where, copy in self._followed.items():
            copy.lag = max(0, ends[where] - positions[where])  # until the first question where it ends
        self._ask_at = 0.0
        if positions:
            consumer.assign(list(positions))
            for where, position in positions.items():
                consumer.seek(where, position)

    async def _ask_ends(self, consumer: AIOKafkaConsumer) -> None:
        """Now and then: how far each copy is behind, and that its last record came again."""
        asked = time.monotonic()
        if asked < self._ask_at:
            return
        self._ask_at = asked + ENDS_SECONDS
        limit = self._shared.settings.standby_lagged_milliseconds_max / 1000
        ends = await consumer.end_offsets(list(self._followed))
        for where, copy in list(self._followed.items()):
            position = await consumer.position(where)
            if self.copies.get(where.partition) is not copy:
                continue  # Its task has it by now.
            copy.reached(position, ends[where], asked)
            try:
                copy.confirm(position)
            except LogChangedError as error:
                self._restart(where.partition, str(error))
                continue
            if asked - copy.whole_at > limit:
                problem = f"it lacked records for {asked - copy.whole_at:.0f} s"
                self._restart(where.partition, f"{problem}; BILLTIDE_STANDBY_RECORDS_PER_SECOND_MAX may be too low")

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        """Apply what is there, up to a step, and leave the loop to the tasks for the time that the step is worth."""
        settings = self._shared.settings
        batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=settings.standby_records_step)
        for where, records in batches.items():
            copy = self._followed.get(where)
            if copy is not None and self.copies.get(where.partition) is copy:
                self._apply(where.partition, copy, records)
        await asyncio.sleep(sum(map(len, batches.values())) / settings.standby_records_per_second_max)

    def _apply(self, partition: int, copy: Copy, records: list[Any]) -> None:
        try:
            copy.apply(records)
        except LogChangedError as error:
            self._restart(partition, str(error))
        except UnreadableStateError as error:
            log.error("no warm copy of task %d: %s", partition, error)  # noqa: TRY400 - the sentence says it all
            self._wanted.discard(partition)
            self.take(partition)

    def _restart(self, partition: int, problem: str) -> None:
        """Forget a copy; it is begun anew while it is wanted."""
        log.warning("the warm copy of task %d is begun anew: %s", partition, problem)
        self.copies.pop(partition, None)
        self._moved.set()
