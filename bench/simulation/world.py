"""One simulated history: workers that come, go, crash and are taken for dead, while a firm's records arrive.

Every choice is the seed's. While `faulty`, each step that can go wrong does so now and then; at the end nothing goes
wrong any more, and everything must settle.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from billtide.app.runtime.failures import OUTCOMES
from billtide.app.runtime.outgoing import partition_of
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY

from . import producer
from .log import Log, Written
from .loop import SimulatedLoop
from .worker import Counts, Worker, WorkerGoneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billtide.app.demo.happenings import Sent

    from .firm import Firm

REFERENCES = frozenset(stream.name for stream in TOPOLOGY.references)
CHANGELOG = TOPOLOGY.changelog.name
SETTLE_SECONDS_MAX = 300.0
CHANCES = {
    "crash before the commit": 0.01,
    "crash after the commit": 0.01,
    "crash during restore": 0.03,
    "restore refused": 0.02,
    "start": 0.03,
    "transaction refused": 0.02,
    "commit lost": 0.01,
    "commit late": 0.01,
    "answer lost": 0.01,
    "batch before the position": 0.2,
}
"""How often each step goes wrong while things go wrong."""
EVENTS = (("kill", 2), ("rebalance", 4), ("zombie", 3), ("lose queues", 3), ("compact", 2))
"""What else happens between two deliveries, and how often in a hundred."""


class UnsettledError(RuntimeError):
    """Not everything was applied in the end."""


class _Trouble(logging.Handler):
    """Takes what a task logs about an error in a rule, which it would retry for ever."""

    world: World | None = None

    def emit(self, record: logging.LogRecord) -> None:
        bug = OUTCOMES["rules"], OUTCOMES["unexpected"]
        if self.world is None or not record.exc_info or not record.args or record.args[1] not in bug:
            return
        if not isinstance(record.exc_info[1], WorkerGoneError):
            self.world.broken(record.exc_info[1])


_trouble = _Trouble()


def prepare() -> None:
    """Put the log in memory into the runtime, and listen to its tasks instead of printing what they say."""
    producer.install()
    runtime = logging.getLogger("billtide.app.runtime")
    runtime.handlers, runtime.propagate = [_trouble], False


class World:
    """The log, the workers, and who owns which partition. counts: what was delivered, and what went wrong."""

    def __init__(self, seed: int, firm: Firm) -> None:
        """Set the scene; play() plays it."""
        self.chance = Random(f"{seed}:world")
        self.firm = firm
        self.partitions = firm.partitions
        self.log = Log()
        self.loop = SimulatedLoop()
        self.counts = Counts()
        self.faulty = True
        self.error: BaseException | None = None
        self.workers: list[Worker] = []
        self.periods: list[tuple[Any, ...]] = []
        self._period_names: dict[tuple[Any, ...], bytes] = {}
        self._settings = Settings.model_construct(
            **{
                **{name: field.default for name, field in Settings.model_fields.items()},
                "topic_prefix": "",
                "partitions": self.partitions,
                "heartbeat_milliseconds": 100,
                "retry_milliseconds_max": 50,
                "wake_entries_max": self.chance.choice((1, 3, 20, 1_000)),
                "slabs_waiting_max": self.chance.choice((1, 2, 4)),
            }
        )

    def play(self) -> None:
        """Play it to its end; raises what broke."""
        _trouble.world = self
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._play())
        finally:
            _trouble.world = None
            for worker in self.workers:
                worker.kill()
            self.loop.run_until_complete(asyncio.sleep(0))
            asyncio.set_event_loop(None)
            self.loop.close()

    async def pause(self) -> None:
        """Let others go first, for some turns or for some time."""
        turns = self.chance.randrange(4)
        if turns == 3:
            await asyncio.sleep(self.chance.random() * 0.01)
        for _ in range(turns % 3):
            await asyncio.sleep(0)

    def happens(self, what: str) -> bool:
        """Whether this goes wrong now."""
        now = self.faulty and self.chance.random() < CHANCES[what]
        if now:
            self.counts.seen[what] += 1
        return now

    def later(self, act: Callable[[], None]) -> None:
        """Do something on nobody's behalf after a while."""
        self.loop.call_later(self.chance.random() * 0.02, act)

    def broken(self, error: BaseException | None) -> None:
        """Keep the first error that nobody should have made."""
        self.error = self.error or error

    def name_periods(self, found: tuple[Any, ...]) -> bytes:
        """Give a set of open periods a number."""
        name = self._period_names.get(found)
        if name is None:
            name = self._period_names[found] = str(len(self.periods)).encode()
            self.periods.append(found)
        return name

    def crash(self, worker: Worker) -> None:
        """End a worker at once; another takes its place after a while."""
        if worker.alive:
            self.loop.call_soon(worker.kill)
            worker.alive = False
            self.later(lambda: self._replace(worker))

    def _replace(self, worker: Worker) -> None:
        new = Worker(self, self._settings)
        self.workers[self.workers.index(worker)] = new
        new.start()
        self._assign(new, worker.assigned)

    def _assign(self, worker: Worker, partitions: set[int]) -> None:
        """Tell a worker what the group has given it, without telling anybody else."""
        worker.assigned = set(partitions)

        async def tell() -> None:
            async with worker.group:
                await worker.tasks.revoked()
                await worker.tasks.assigned(partitions)
                worker.shared.settled.set()

        worker.run(tell())

    async def _play(self) -> None:
        for stream, sent in self.firm.masters:
            self._append(stream, sent)
        left = list(self.firm.load)
        backlog = self.chance.choice((0, 0, len(left) // 2))  # what has come while no worker ran
        for stream, sent in left[:backlog]:
            self._append(stream, sent)
        left = left[backlog:]
        self.workers = [Worker(self, self._settings) for _ in range(self.chance.randint(1, 2))]
        for worker in self.workers:
            worker.start()
        self._deal()
        while left:
            size = self.chance.choice((1, 5, 20, 60, 200))
            now, left = left[:size], left[size:]
            for stream, sent in now:
                self._append(stream, sent)
            await asyncio.sleep(self.chance.choice((0, 0.001, 0.01, 0.05)))
            for what, percent in EVENTS:
                if self.chance.randrange(100) < percent:
                    self.counts.seen[what] += 1
                    self._happen(what)
            self._stop_if_broken()
        await asyncio.sleep(self.chance.random() * 0.2)
        self.faulty = False
        await asyncio.sleep(0.1)
        self._deal()
        await self._settle()

    def _append(self, stream: str, sent: Sent) -> None:
        single = stream in REFERENCES
        where = 0 if single else partition_of(sent.key or b"", self.partitions)
        self.log.append(Written(stream, where, sent.key, sent.value, tuple(sent.headers)), sent.timestamp)

    def _deal(self) -> None:
        """Give each partition to one worker, and tell all of them."""
        owned: list[set[int]] = [set() for _ in self.workers]
        for partition in range(self.partitions):
            self.chance.choice(owned).add(partition)
        for worker, partitions in zip(self.workers, owned, strict=True):
            if worker.alive:
                self._assign(worker, partitions)
            else:
                worker.assigned = partitions

    def _happen(self, what: str) -> None:
        worker = self.chance.choice(self.workers)
        if what == "kill":
            self.crash(worker)
        elif what == "rebalance":
            self._deal()
        elif what == "zombie" and worker.alive:
            # The group takes every other worker for dead; they go on until the next rebalance tells them.
            self._assign(worker, set(range(self.partitions)))
        elif what == "lose queues" and worker.alive:
            worker.lose_queues()
        elif what == "compact":
            self.log.compact(CHANGELOG, self.chance.randrange(self.partitions))

    def _stop_if_broken(self) -> None:
        if self.error is not None:
            raise self.error

    async def _settle(self) -> None:
        """Wait until each partition has one owner that has applied and released everything."""
        until = self.loop.time() + SETTLE_SECONDS_MAX
        while unsettled := self._unsettled():
            self._stop_if_broken()
            if self.loop.time() > until:
                raise UnsettledError(f"after {SETTLE_SECONDS_MAX} s: {unsettled}")
            await asyncio.sleep(0.05)
        self._stop_if_broken()

    def _unsettled(self) -> str:
        """What is still to be done; empty when all is."""
        owners: Counter[int] = Counter()
        for worker in self.workers:
            offsets = worker.shared.references.offsets
            if not worker.alive or any(offset < self.log.follows(name, 0) for name, offset in offsets.items()):
                return "a worker reads reference data"
            for partition, task in worker.tasks.by_partition.items():
                owners[partition] += 1
                wakes, state = task.wakes, task.state
                if task.phase != "active" or state is None or task.lock.locked():
                    return f"task {partition} is {task.phase}: {task.problem}"
                if wakes.busy() or wakes._reacted != offsets:  # noqa: SLF001
                    return f"task {partition} has woken entries"
                for stream in task.inputs:
                    if state.position(stream).offset < self.log.follows(stream, partition):
                        return f"task {partition} reads {stream}"
        wanted = dict.fromkeys(range(self.partitions), 1)
        return "" if dict(owners) == wanted else f"partitions have owners: {dict(owners)}"
