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
from billtide.app.settings import Settings, load

from .feed import Feed, part_of_week
from .workers import Worker

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from billtide.app.broker import Broker

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
}
"""Small slabs for many transactions, and times as short as they may be."""


class FaultError(RuntimeError):
    """A fault could not be brought about, or what follows from it did not happen: the run shows nothing."""


class World:
    """Everything of one run. done: how often each fault happened; told: what happened when, for a failed run."""

    def __init__(
        self,
        broker: Broker,
        directory: Path,
        chance: random.Random,
        *,
        session_milliseconds: int = SESSION_MILLISECONDS,
        sabotage: str = "",
    ) -> None:
        """Name topics and group so that runs share nothing but the broker."""
        name = f"f{secrets.token_hex(4)}"
        self.broker = broker
        self.chance: Final = chance
        self.sabotage: Final = sabotage
        self.settings: Final[Settings] = load(
            kafka_bootstrap=broker.bootstrap,
            kafka_password=SecretStr(SECRET),
            topic_prefix=f"{name}.",
            app_id=name,
            data_dir=directory / name,
            session_timeout_milliseconds=session_milliseconds,
            **QUICK,
        )
        self.settings.data_dir.mkdir(parents=True)
        self.feed: Final = Feed(self.settings, part_of_week(chance.randrange(1_000)))
        self.workers: Final[list[Worker]] = []
        self.done: Final[Counter[str]] = Counter()
        self.told: Final[list[str]] = []
        self.problems: Final[list[str]] = []
        self.healed = self._began = time.monotonic()
        self._started = 0

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

    async def start(self, name: str = "", failpoint: str = "") -> Worker:
        """Start a worker: a named one in its static place, else one that joins and leaves the group as it comes."""
        self._started += 1
        called = name or f"dynamic-{self._started}"
        worker = Worker(self.settings, called, static=bool(name), failpoint=failpoint, sabotage=self.sabotage)
        self.workers.append(worker)
        self.note(f"started {called}{' with ' if failpoint else ''}{failpoint}")
        return worker

    async def ready(self, *workers: Worker) -> None:
        """Wait until these workers, or all that live, have tasks and all are active."""
        for worker in workers or self.living:
            await self.until(worker, "ready", READY_SECONDS_MAX)

    async def until(self, worker: Worker, what: str, seconds: float) -> None:
        """Wait for a worker to be `ready`, `stopped` or `dead`; raises FaultError."""
        if not await asyncio.to_thread(worker.wait_for, what, seconds):
            state = "lives" if worker.code is None else f"ended with {worker.code}"
            raise FaultError(f"worker {worker.name} {state} and was not {what} in {seconds:.0f} s; see {worker.log}")

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

    async def kill_broker(self) -> None:
        """SIGKILL of the broker."""
        await asyncio.to_thread(brokers.kill, self.broker)
        self.tell("killed the broker", "broker_kills")

    async def start_broker(self) -> None:
        """Start the broker again on its data and its port; returns when it serves."""
        self.broker = await asyncio.to_thread(brokers.start, self.broker.data_dir, self.broker.port)
        self.tell("the broker serves again")

    async def pause_broker(self, seconds: float) -> None:
        """SIGSTOP of the broker for a while."""
        if self.broker.pid is None:
            raise FaultError("only a broker that is a process of this machine can be paused")
        os.kill(self.broker.pid, signal.SIGSTOP)
        self.tell("paused the broker")
        await asyncio.sleep(seconds)
        os.kill(self.broker.pid, signal.SIGCONT)
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
