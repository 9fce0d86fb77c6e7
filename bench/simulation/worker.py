"""A worker on the log in memory: the real tasks, slabs, wakes, reference data and agents; no Kafka, no Faust."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from typing import TYPE_CHECKING, Any

from billtide.agents import steps, wake
from billtide.app.runtime.actors import actors_of
from billtide.app.runtime.fetched import Fetched
from billtide.app.runtime.shared import Shared
from billtide.app.runtime.tasks import Tasks
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY

from .loop import OWNER

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from billtide.agents.work import Work
    from billtide.app.runtime.slab import TaskSlab

IDLE_SECONDS = 0.05
SLAB_SIZES = (1, 2, 5, 15, 40, 100)
REFERENCE_SIZES = (1, 3, 10)
REWOUND_MAX = 5
_ACTORS = actors_of(TOPOLOGY)
steps.LOOKED_AT_MAX, steps.GIVEN_MAX = 7, 3  # a small firm's changes take many steps too


def _wake(work: Work, holds: list[bytes]) -> None:
    """Hand the events of a wake out at once, so that they carry the periods that were open when they were decided."""
    wake.wake(work, holds)
    work.drain()


ACTORS = type(_ACTORS)(_ACTORS.agents, _ACTORS.apply_reference, _ACTORS.waiting, _wake)


class WorkerGoneError(RuntimeError):
    """A crashed worker tried to reach the log."""


class Counts:
    """Stands for every metric: counts what tasks report by name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.transactions_aborted = self.slabs_lost = self

    def labels(self, *_: str) -> Counts:
        """Every label is the same."""
        return self

    def inc(self, *_: float) -> None:
        """What is counted here is counted by its reason as well."""

    def failed(self, reason: str) -> None:
        """A task threw its memory away."""
        self.seen[f"failed: {reason}"] += 1

    def received(self, _stream: str, new: int, refetched: int) -> None:
        """A slab was entered."""
        self.seen["delivered"] += new + refetched
        self.seen["refetched"] += refetched

    def committed(self, *_: Any) -> None:
        """A unit of work is committed."""
        self.seen["committed"] += 1

    def restored(self, *_: Any) -> None:
        """A task read its changelog."""
        self.seen["restored"] += 1

    def referenced(self, _stream: str, records: int, _undecodable: int) -> None:
        """Reference records were read."""
        self.seen["delivered"] += records


class SimulatedShared(Shared):
    """What the tasks share, with pauses that the seed decides."""

    world: Any

    def pause_seconds(self, failures: int) -> float:
        """How long to wait before the next try."""
        return min(0.001 * 2 ** min(failures, 6), 0.05) * self.world.chance.uniform(0.8, 1.0)


class Slabs:
    """What an agent reads."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[TaskSlab] = asyncio.Queue()

    def __aiter__(self) -> Slabs:
        return self

    async def __anext__(self) -> TaskSlab:
        return await self.queue.get()


class Consumer:
    """Stands for the consumer thread: seeks, and says where each partition has got to."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.handed: dict[Any, tuple[int, int]] = {}
        self.rewound: dict[Any, int] = {}

    def gate_opened(self) -> None:
        """Fetching looks by itself."""

    async def bounds(self, places: list[Any]) -> dict[Any, tuple[int, int]]:
        """First offset and end of each partition."""
        await self.worker.world.pause()
        return {where: (0, self.worker.world.log.end(*where)) for where in places}

    async def seek_all(self, positions: dict[Any, int], epoch: int) -> bool:
        """Set positions; now and then records before them come once more, as a batch that holds both brings them."""
        world = self.worker.world
        await world.pause()
        if any(where.partition not in self.worker.assigned for where in positions):
            return False
        for where, offset in positions.items():
            self.handed[where] = offset, epoch
            if world.happens("batch before the position"):
                self.rewound[where] = max(0, offset - world.chance.randint(1, REWOUND_MAX))
        return True


class Worker:
    """alive: false once it has crashed; running: its tasks in the loop; assigned: partitions the group gave it."""

    def __init__(self, world: Any, settings: Settings) -> None:
        self.world = world
        self.alive = True
        self.running: set[asyncio.Task[Any]] = set()
        self.assigned: set[int] = set()
        self.group = asyncio.Lock()
        self.shared = SimulatedShared(settings, TOPOLOGY, ACTORS, world.counts)
        self.shared.world = world
        self.shared.references._ends = self._reference_ends  # type: ignore[method-assign]  # noqa: SLF001 - Kafka's answer
        self.consumer = self.shared.thread = Consumer(self)
        self.tasks = Tasks(self.shared)
        self._context = contextvars.copy_context()
        self._context.run(OWNER.set, self)
        self._open_periods = (-1, b"")
        self._queues = {(s.name, p): Slabs() for s in TOPOLOGY.inputs for p in range(settings.partitions)}

    def start(self) -> None:
        """Begin to read."""
        for (stream, _), slabs in self._queues.items():
            self.run(ACTORS.agents[TOPOLOGY.stream(stream).agent](slabs))
        self.run(self._follow())
        self.run(self._fetch())

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine on the worker's behalf."""
        return self.world.loop.create_task(work, context=self._context.copy())

    def ended(self, task: asyncio.Task[Any]) -> None:
        """Take note of a task that ended; an error nobody caught is the simulation's."""
        self.running.discard(task)
        if self.alive and not task.cancelled() and task.exception() is not None:
            self.world.broken(task.exception())

    def kill(self) -> None:
        """End at once: nothing it does from now on reaches the log."""
        self.alive = False
        for task in sorted(self.running, key=hash):
            task.cancel()

    def check_alive(self) -> None:
        """Refuse the log to a crashed worker."""
        if not self.alive:
            raise WorkerGoneError

    def open_periods(self) -> bytes:
        """Name of the set of periods that are open as this worker knows them now."""
        reference = self.shared.reference
        if self._open_periods[0] != reference.version:
            found = tuple(
                (entity, period.start_date, period.end_date)
                for entity, periods in reference.periods.items()
                for period in periods.values()
                if period.status == "open"
            )
            self._open_periods = reference.version, self.world.name_periods(found)
        return self._open_periods[1]

    def lose_queues(self) -> None:
        """Drop the slabs nobody has begun, as Faust does after a rebalance, and say so."""
        for slabs in self._queues.values():
            while not slabs.queue.empty():
                slabs.queue.get_nowait()
        self.tasks.fetch_again()

    async def _reference_ends(self) -> dict[str, int]:
        """Where the reference streams end now."""
        await self.world.pause()
        return {name: self.world.log.end(name, 0) for name in self.shared.references.offsets}

    async def _follow(self) -> None:
        """Read the reference topics whole, then follow them."""
        world, references = self.world, self.shared.references
        ends = {name: world.log.end(name, 0) for name in references.offsets}
        while True:
            behind = [name for name, offset in references.offsets.items() if offset < world.log.end(name, 0)]
            if not references.ready.is_set() and all(references.offsets[name] >= ends[name] for name in ends):
                references.ready.set()
            if not behind:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            name = world.chance.choice(behind)
            size = world.chance.choice(REFERENCE_SIZES) if references.ready.is_set() else 5_000
            records, _ = world.log.read((name, 0), references.offsets[name], size)
            references._apply(name, list(records), self.tasks.changed)  # noqa: SLF001 - what its consumer does
            await world.pause()

    async def _fetch(self) -> None:
        """Hand slabs of open partitions to the agents."""
        world, handed = self.world, self.consumer.handed
        while True:
            places = [p for p in self.tasks.open_partitions() if world.log.follows(*p) > handed[p][0]]
            if not places:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            where = world.chance.choice(places)
            begin, epoch = handed[where]
            start = self.consumer.rewound.pop(where, begin)
            records, end = world.log.read(where, start, world.chance.choice(SLAB_SIZES))
            handed[where] = max(begin, end), epoch
            slab = self.tasks.admit(where, Fetched(list(records), begin, max(begin, end), epoch))
            if slab is not None:
                self._queues[slab.stream, where.partition].queue.put_nowait(slab)
            await world.pause()
