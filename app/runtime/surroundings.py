"""What runs beside the tasks: reference data, telemetry, quiet inputs, warm copies.

Started before Faust's app, stopped after it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from mode import Service

from .quiet import QuietInputs
from .telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .tasks import Tasks


class EndedError(RuntimeError):
    """What lasts as long as the worker has ended before it."""


class Surroundings(Service):
    """Follows the reference topics and answers on the telemetry port while the worker lives. lasting: what runs."""

    mundane_level = "debug"

    def __init__(self, tasks: Tasks, **arguments: Any) -> None:  # noqa: ANN401 - mode's own
        """Belong to a worker's tasks."""
        super().__init__(**arguments)
        self.telemetry: Final = Telemetry(tasks)
        self.lasting: Final[set[str]] = set()
        self._partition_tasks: Final = tasks

    async def on_start(self) -> None:
        """Begin. Warm copies are followed only when some are wanted."""
        await self.telemetry.start()
        tasks, shared = self._partition_tasks, self._partition_tasks.shared
        self._last(shared.references.follow(tasks.changed), "reading reference data")
        self._last(self.telemetry.follow(), "setting gauges")
        self._last(self.telemetry.follow_lag(), "measuring lag")
        self._last(QuietInputs(tasks).follow(), "looking for quiet inputs")
        if shared.settings.standbys:
            self._last(shared.standbys.follow(), "following warm copies")

    def _last(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run what lasts as long as the worker does: however it ends before, the worker ends by it."""

        async def lasting() -> None:
            try:
                await work
            except asyncio.CancelledError as error:
                if self.should_stop or self._partition_tasks.draining:
                    raise
                raise EndedError(what) from error  # a library let out the cancellation of something of its own
            raise EndedError(what)

        self.lasting.add(what)
        self.add_future(lasting())

    async def on_shutdown(self) -> None:
        """Stop to listen."""
        await self.telemetry.stop()
