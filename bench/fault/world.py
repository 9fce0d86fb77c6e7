"""The world of one run: a broker, topics of its own, workers, the feed; and what scenarios do to them."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from billtide.app import broker as brokers
from billtide.app.demo import firm
from billtide.app.settings import Settings, load

from .cluster import SIDES
from .feed import PART, Feed
from .workers import Worker

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from .cluster import Cluster, Node, Side
    from .ground import Ground
    from .proxy import Way

PARTITIONS: Final = 4
SECRET: Final = "hunter2-of-the-fault-driver"  # noqa: S105 - of nothing
"""A password nobody asks for; it must not be in any log."""
READY_SECONDS_MAX: Final = 120.0
END_SECONDS_MAX: Final = 20.0
"""How long a worker that is asked to end may take."""
SESSION_MILLISECONDS: Final = 6_000
"""The shortest session a broker allows."""
QUICK: Final[dict[str, Any]] = {
    "partitions": PARTITIONS,
    "slab_records_max": 100,
    "transaction_timeout_milliseconds": 5_000,
    "delivery_milliseconds_max": 4_000,
    "commit_milliseconds_max": 4_000,
    "heartbeat_milliseconds": 300,
    "retry_milliseconds_first": 20,
    "retry_milliseconds_max": 1_000,
    "position_commit_milliseconds": 300,
    "metadata_milliseconds_max": 3_000,
}
"""Small slabs for many transactions, and times as short as they may be."""


class FaultError(RuntimeError):
    """A fault could not be brought about, or what follows from it did not happen: the run shows nothing."""


class World:
    """Everything of one run. done: how often each fault happened; told: what happened when, for a failed run.

    recoveries: seconds from each SIGKILL that was timed to the first commit of whoever took the tasks over.
    """

    def __init__(
        self,
        ground: Ground,
        directory: Path,
        chance: random.Random,
        *,
        session_milliseconds: int = SESSION_MILLISECONDS,
        sabotage: str = "",
        part: int = PART,
        standbys: int = 0,
    ) -> None:
        """Name topics and group so that runs share nothing but the broker."""
        name = f"f{secrets.token_hex(4)}"
        self.ground: Final = ground
        self.chance: Final = chance
        self.sabotage: Final = sabotage
        self.settings: Final[Settings] = load(
            kafka_bootstrap=ground.broker.bootstrap,
            replication_factor=max(1, ground.brokers),
            kafka_password=SecretStr(SECRET),
            topic_prefix=f"{name}.",
            app_id=name,
            data_dir=directory / name,
            session_timeout_milliseconds=session_milliseconds,
            standbys=standbys,
            **QUICK,
        )
        self.settings.data_dir.mkdir(parents=True)
        self.feed: Final = Feed(self.settings, firm.part_of_week(chance.randrange(1_000), part))
        self.workers: Final[list[Worker]] = []
        self.done: Final[Counter[str]] = Counter()
        self.told: Final[list[str]] = []
        self.problems: Final[list[str]] = []
        self.healed = self._began = time.monotonic()
        self._started = 0
        self.recoveries: Final[list[float]] = []

    def tell(self, what: str, fault: str = "") -> None:
        """Note what happened now, and count it when it is a fault; from now on the run recovers."""
        self.healed = time.monotonic()
        self.note(what)
        if fault:
            self.done[fault] += 1

    def note(self, what: str) -> None:
        """Note what happened now."""
        self.told.append(f"{time.monotonic() - self._began:6.1f} s {what}")

    @property
    def living(self) -> list[Worker]:
        """Workers that have not ended."""
        return [worker for worker in self.workers if worker.code is None]

    async def start(self, name: str = "", failpoint: str = "", clock: str = "") -> Worker:
        """Start a worker: a named one in its static place, else one that joins and leaves the group as it comes."""
        called = name or f"dynamic-{self._started + 1}"
        worker = Worker(
            self._reached(), called, static=bool(name), failpoint=failpoint, sabotage=self.sabotage, clock=clock
        )
        self._started += 1
        self.workers.append(worker)
        self.note(f"started {called}{' with ' if failpoint or clock else ''}{failpoint}{clock}")
        return worker

    async def ready(self, *workers: Worker) -> None:
        """Wait until these workers, or all that live, have tasks and all are active."""
        for worker in workers or self.living:
            await self.until(worker, "ready", READY_SECONDS_MAX)

    async def until(self, worker: Worker, what: str, seconds: float) -> None:
        """Wait for a worker to be `ready`, `stopped` or `dead`; raises FaultError."""
        if not await asyncio.to_thread(worker.wait_for, what, seconds):
            state = "lives" if worker.code is None else f"ended with {worker.code}"
            late = f"worker {worker.name} {state} and was not {what} in {seconds:.0f} s; see {worker.log}"
            raise FaultError(f"{late}\n{worker.warned()}")

    async def is_up(self, worker: Worker) -> bool:
        """Whether it listens to a request to end; one that has just been launched is ended by the signal itself."""
        return bool(await asyncio.to_thread(worker.metrics))

    async def until_logged(self, worker: Worker, text: str, seconds: float) -> None:
        """Wait until a worker's log says something; raises FaultError."""
        deadline = time.monotonic() + seconds
        while text not in worker.log.read_text(errors="replace"):
            if time.monotonic() > deadline:
                raise FaultError(f"worker {worker.name} did not say {text!r} within {seconds:.0f} s; see {worker.log}")
            await asyncio.sleep(0.1)

    async def kill(self, worker: Worker) -> None:
        """SIGKILL."""
        await asyncio.to_thread(worker.kill)
        self.tell(f"killed {worker.name}", "kills")

    async def end(self, worker: Worker, seconds: float = END_SECONDS_MAX) -> int | None:
        """SIGTERM, and SIGKILL when it does not end in time."""
        began = time.monotonic()
        code = await asyncio.to_thread(worker.end, seconds)
        how = (
            f"in {time.monotonic() - began:.1f} s with {code}" if code is not None else f"killed after {seconds:.1f} s"
        )
        self.tell(f"ended {worker.name} {how}", "ends")
        return code

    async def stop(self, worker: Worker) -> None:
        """SIGSTOP."""
        worker.signal(signal.SIGSTOP)
        await self.until(worker, "stopped", 1.0)
        self.tell(f"stopped {worker.name}")

    def go_on(self, worker: Worker) -> None:
        """SIGCONT."""
        worker.signal(signal.SIGCONT)
        self.tell(f"continued {worker.name}", "zombies")

    @property
    def cluster(self) -> Cluster:
        """The brokers behind proxies; raises FaultError in a run that has none."""
        if self.ground.cluster is None:
            raise FaultError("this scenario needs a cluster of its own")
        return self.ground.cluster

    def side(self, number: int) -> Side:
        """The side of the how-manieth worker of this run: they take turns."""
        return SIDES[number % len(SIDES)]

    def _reached(self) -> Settings:
        """Settings of the next worker: in a cluster it goes by the wires of its side."""
        if self.ground.cluster is None:
            return self.settings
        return self.settings.model_copy(update={"kafka_bootstrap": self.cluster.wired(self.side(self._started))})

    async def cut(self, side: Side, seconds: float, *ways: Way) -> None:
        """Cut the wires of a side for a while; without ways, both."""
        for proxy in self.cluster.proxies(side):
            proxy.cut(*ways)
        self.note(f"cut {side} {' '.join(ways)}")
        await asyncio.sleep(seconds)
        for proxy in self.cluster.proxies(side):
            proxy.mend()
        self.tell(f"mended {side} after {seconds:.1f} s", "network_cuts")

    async def kill_node(self, node: Node) -> None:
        """SIGKILL of one broker of the cluster."""
        await asyncio.to_thread(self.cluster.kill, node)
        self.tell(f"killed broker {node.number}", "broker_kills")

    async def start_nodes(self, *nodes: Node) -> None:
        """Start brokers of the cluster again; returns when all copies are in step."""
        for node in nodes:
            await asyncio.to_thread(self.cluster.launch, node)
        await self.cluster.whole()
        self.tell("the cluster is whole again")

    async def kill_broker(self) -> None:
        """SIGKILL of the broker."""
        if self.ground.cluster is not None:
            await self.kill_node(self.cluster.nodes[0])
            return
        await asyncio.to_thread(brokers.kill, self.ground.broker)
        self.tell("killed the broker", "broker_kills")

    async def start_broker(self) -> None:
        """Start the broker again on its data and its port; returns when it serves."""
        if self.ground.cluster is not None:
            await self.start_nodes(self.cluster.nodes[0])
            return
        broker = self.ground.broker
        self.ground.broker = await asyncio.to_thread(brokers.start, broker.data_dir, broker.port)
        self.tell("the broker serves again")

    async def pause_broker(self, seconds: float) -> None:
        """SIGSTOP of the broker for a while."""
        pid = self.ground.broker.pid
        if pid is None:
            raise FaultError("only a broker that is a process of this machine can be paused")
        os.kill(pid, signal.SIGSTOP)
        self.tell("paused the broker")
        await asyncio.sleep(seconds)
        os.kill(pid, signal.SIGCONT)
        self.tell("the broker goes on", "broker_pauses")

    def alive(self) -> str:
        """Name the logs; raises FaultError when no worker lives, or one has ended by itself."""
        crashed = [worker for worker in self.workers if worker.code not in {None, 0} and not worker.expected]
        if crashed or not self.living:
            self.told.extend(f"{worker.name} ended with {worker.code}" for worker in crashed)
            names = ", ".join(f"{worker.name} with {worker.code}" for worker in crashed) or "all"
            raise FaultError(f"workers ended by themselves: {names}; see {self.settings.data_dir}")
        return str(self.settings.data_dir)

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self.living:
            worker.signal(signal.SIGCONT)
            worker.kill()
