"""What the tasks of one worker share."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from ...tables.reference import Reference
from .references import References
from .standby import Standbys

if TYPE_CHECKING:
    from ..metrics import Metrics
    from ..settings import Settings
    from ..topology import Topology
    from .actors import Actors
    from .transport import SlabConsumerThread

PAUSE_DOUBLINGS_MAX: Final = 16


class Shared:
    """Settings, reference data, metrics, and the way to the consumer thread. Made in the worker's loop."""

    def __init__(self, settings: Settings, topology: Topology, actors: Actors, metrics: Metrics) -> None:
        """Gather; the consumer thread is set when Faust has made it."""
        self.settings: Final = settings
        self.topology: Final = topology
        self.actors: Final = actors
        self.metrics: Final = metrics
        self.poison_limits: Final = settings.poison_limits()
        self.reference: Final = Reference()
        self.references: Final = References(self)
        self.settled: Final = asyncio.Event()
        """Set while no rebalance is under way and Faust lets records flow."""
        self.restore_slots: Final = asyncio.Semaphore(settings.restores_at_once_max)
        self.warm_slots: Final = asyncio.Semaphore(settings.warm_restores_at_once_max)
        self.standbys: Final = Standbys(self)
        self._thread: SlabConsumerThread | None = None

    @property
    def thread(self) -> SlabConsumerThread:
        """The consumer thread; there is one before any task is assigned."""
        if self._thread is None:
            message = "the consumer has not started"
            raise RuntimeError(message)
        return self._thread

    @thread.setter
    def thread(self, thread: SlabConsumerThread) -> None:
        self._thread = thread

    def gate_opened(self) -> None:
        """Tell the consumer that a partition may be fetched again."""
        self.thread.gate_opened()

    def pause_seconds(self, failures: int) -> float:
        """How long to wait before try number `failures` + 1.

        It doubles, is bounded, and has up to a fifth off at random, so that tasks that failed together do not come
        back together.
        """
        first, most = self.settings.retry_milliseconds_first, self.settings.retry_milliseconds_max
        pause = min(first * 2 ** min(failures - 1, PAUSE_DOUBLINGS_MAX), most)
        return float(pause / 1000 * random.uniform(0.8, 1.0))  # noqa: S311 - jitter
