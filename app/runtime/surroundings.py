"""What runs beside the tasks: reference data, telemetry, warm copies. Started before Faust's app, stopped after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from mode import Service

from .telemetry import Telemetry

if TYPE_CHECKING:
    from .tasks import Tasks


class Surroundings(Service):
    """Follows the reference topics and answers on the telemetry port while the worker lives."""

    mundane_level = "debug"

    def __init__(self, tasks: Tasks, **arguments: Any) -> None:  # noqa: ANN401 - mode's own
        """Belong to a worker's tasks."""
        super().__init__(**arguments)
        self.telemetry: Final = Telemetry(tasks)
        self._partition_tasks: Final = tasks
        self._running: Final[list[asyncio.Task[None]]] = []

    async def on_start(self) -> None:
        """Begin. Warm copies are followed only when some are wanted."""
        await self.telemetry.start()
        self._running.append(
            asyncio.ensure_future(self._partition_tasks.shared.references.follow(self._partition_tasks.changed))
        )
        self._running.append(asyncio.ensure_future(self.telemetry.follow()))
        shared = self._partition_tasks.shared
        if shared.settings.standbys:
            self._running.append(asyncio.ensure_future(shared.standbys.follow()))

    async def on_stop(self) -> None:
        """End, and stop to listen."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.telemetry.stop()
