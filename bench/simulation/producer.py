"""What stands between a task and the log in memory: its producer, its outbox and its restore, all of which may fail.

They take the places of `TaskProducer` and `restore` in app/runtime/task.py; everything else of a task is the real one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from billtide.agents.outbox import Kept
from billtide.app.runtime import task as tasks
from billtide.app.runtime.changelog import Restored
from billtide.app.runtime.outgoing import partition_of
from billtide.app.runtime.transaction import OutcomeUnknownError
from billtide.app.topology import TOPOLOGY
from billtide.tables.state import TaskState

from .log import Written
from .loop import OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGELOG = TOPOLOGY.changelog.name
OWN_PARTITION = {stream.name: stream.keyed_by_engagement for stream in TOPOLOGY.outputs}
OPEN_PERIODS = "simulated_open_periods"
"""Header added to each output record: which periods were open for the worker when the event was decided."""


class Outbox(Kept):
    """The outbox of one transaction of one task. Used once."""

    def __init__(self, worker: Any, partition: int) -> None:
        """Belong to a task of a worker."""
        super().__init__()
        self.worker = worker
        self.partition = partition
        self.counts: Counter[str] = Counter()
        self.written: list[Written] = []

    def add(self, stream: str, event_type: str, events: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Place events, with the periods that are open now."""
        headers = ((OPEN_PERIODS, self.worker.open_periods()), ("ce_type", event_type.encode()))
        self.counts[stream] += len(events)
        for _, key, value in events:
            self.written.append(Written(stream, self._partition_of(stream, key), key, value, headers))

    def add_record(self, stream: str, record: tuple[bytes | None, bytes | None, Any]) -> None:
        """Place a record with headers of its own."""
        key, value, headers = record
        self.counts[stream] += 1
        self.written.append(Written(stream, self._partition_of(stream, key or b""), key, value, tuple(headers)))

    def close(self, changes: list[list[tuple[bytes, bytes | None]]]) -> list[Written]:
        """Append the state changes; give everything."""
        state = [Written(CHANGELOG, self.partition, key, value, ()) for table in changes for key, value in table]
        return [*self.written, *state]

    def _partition_of(self, stream: str, key: bytes) -> int:
        return self.partition if OWN_PARTITION[stream] else partition_of(key, self.worker.world.partitions)


class Producer:
    """The producer of one life of a task, as `TaskProducer` is; between its steps anything may happen."""

    def __init__(self, _settings: Any, _topology: Any, partition: int) -> None:
        """Belong to the worker that runs now."""
        self.worker = OWNER.get()
        self.world = self.worker.world
        self.partition = partition
        self.life = 0
        self.ending = False

    async def start(self) -> None:
        """Fence the former owner."""
        await self.world.pause()
        self._fail("start")
        self.life = self.world.log.fence(self.partition)
        await self.world.pause()

    def outgoing(self) -> Outbox:
        """An outbox for one transaction."""
        return Outbox(self.worker, self.partition)

    async def write(self, records: list[Written]) -> None:
        """Send everything in one transaction and commit it, unless something goes wrong at one of the steps."""
        log, world = self.world.log, self.world
        await world.pause()
        self.worker.check_alive()
        log.begin(self.partition, self.life, records)
        await self._crash("crash before the commit")
        self._fail("transaction refused")
        await world.pause()
        log.check(self.partition, self.life)
        self.ending = True
        if world.happens("commit lost"):
            raise OutcomeUnknownError("the commit never reached the broker")
        if world.happens("commit late"):
            world.later(self._commit_late)
            raise OutcomeUnknownError("the commit is still on its way")
        log.commit(self.partition, self.life)
        if world.happens("answer lost"):
            raise OutcomeUnknownError("the answer to the commit was lost")
        await self._crash("crash after the commit")
        await world.pause()
        self.ending = False

    async def discard(self, *, abort: bool) -> None:
        """Close; an open transaction whose end was not yet asked for is aborted."""
        await asyncio.sleep(0)
        if abort and not self.ending and self.worker.alive:
            self.world.log.abort(self.partition, self.life)

    def _commit_late(self) -> None:
        if self.world.log.is_open(self.partition, self.life):
            self.world.log.commit(self.partition, self.life)

    def _fail(self, what: str) -> None:
        self.worker.check_alive()
        if self.world.happens(what):
            raise KafkaError(what)

    async def _crash(self, what: str) -> None:
        if self.world.happens(what):
            self.world.crash(self.worker)
            await asyncio.Event().wait()


async def restore(_settings: Any, topic: str, partition: int, remaining: Any, _copy: Any) -> Restored:
    """Read a changelog partition to its end, step by step."""
    worker = OWNER.get()
    world, state, at, count = worker.world, TaskState(), 0, 0
    end = world.log.end(topic, partition)
    while at < end:
        remaining(end - at)
        await world.pause()
        worker.check_alive()
        if world.happens("crash during restore"):
            world.crash(worker)
            await asyncio.Event().wait()
        if world.happens("restore refused"):
            raise KafkaError("restore refused")
        records, at = world.log.read((topic, partition), at, world.chance.choice((20, 200, 5_000)))
        state.restore(records)
        count += len(records)
    state.restored()
    remaining(0)
    return Restored(state, count, 0.0)


def install() -> None:
    """Let tasks use the log in memory."""
    tasks.TaskProducer = Producer
    tasks.restore = restore
