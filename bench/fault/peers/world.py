"""The world of a peer's run: billtide's, with the peer's workers, time entries alone, and somebody who restarts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from billtide.codecs import time_entry
from billtide.codecs.errors import UndecodableError

from ..world import READY_SECONDS_MAX, FaultError, World
from .charge import amount
from .worker import PeerWorker

if TYPE_CHECKING:
    from billtide.app.demo.happenings import Sent

    from ..workers import Worker
    from .engines import Peer

LOOK_SECONDS: Final = 0.1
BACK_OFF_SECONDS: Final = 10.0
"""As Kubernetes waits. Without, workers that end in a rebalance would begin the next one, and end in that, for ever."""


class PeerWorld(World):
    """Everything of one run of a peer."""

    def __init__(self, peer: Peer, *arguments: Any, **given: Any) -> None:
        """Name topics and group, and keep of the load what a peer can charge."""
        super().__init__(*arguments, **given)
        self._peer: Final = peer
        self._starts_due: Final[list[float]] = []
        self.feed.load = [one for one in self.feed.load if _can_be_charged(*one)]

    async def start(self, name: str = "", failpoint: str = "", clock: str = "") -> Worker:
        """Start a worker of the peer: a named one in its static place, else one that joins as it comes."""
        if failpoint or clock:
            raise ValueError("a peer's worker has no failpoints, and no clock of its own")
        called = name or f"dynamic-{len(self.workers) + 1}"
        worker = PeerWorker(self.settings, called, self._peer, static=bool(name))
        self.workers.append(worker)
        self.note(f"started {called}")
        return worker

    async def ready(self, *workers: Worker) -> None:
        """Wait until these workers, or all that live, take records; who has ended by itself is not waited for."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.living or any(one.code is None and not one.is_ready() for one in workers or self.living):
            if time.monotonic() > deadline:
                message = f"not all workers took records in {READY_SECONDS_MAX:.0f} s; see {self.settings.data_dir}"
                raise FaultError(message)
            await asyncio.sleep(LOOK_SECONDS)

    async def keep(self) -> None:
        """Start again whoever ends by itself, as an orchestrator would, and count it; until it is cancelled.

        Who has a static place is back in it at once, which moves no partition.
        """
        while True:
            for worker in self.workers:
                if worker.code is not None and not worker.expected:
                    worker.expected = True
                    self.note(f"{worker.name} ended by itself with {worker.code}")
                    self.done["ended_by_themselves"] += 1
                    if worker.static:
                        await self.start(worker.name)
                    else:
                        self._starts_due.append(time.monotonic() + BACK_OFF_SECONDS)
            while self._starts_due and self._starts_due[0] < time.monotonic():
                del self._starts_due[0]
                await self.start()
            await asyncio.sleep(LOOK_SECONDS)

    async def start_over(self) -> None:
        """Kill all workers and start one alone, as an operator would who sees that they do not come to rest."""
        self._starts_due.clear()
        for worker in self.living:
            await asyncio.to_thread(worker.kill)
        await self.start()
        self.note("all workers killed, one alone started")
        self.done["standstills"] += 1


def _can_be_charged(stream: str, sent: Sent) -> bool:
    """Whether it is a time entry with all of it in order: what is not would stop a peer, and is not its matter here."""
    if stream != "time-entries" or sent.value is None:
        return False
    try:
        engagement = time_entry.decode(sent.value).engagement_id
        amount(msgspec.json.decode(sent.value))
    except (UndecodableError, ArithmeticError):
        return False
    return engagement.encode() == sent.key
