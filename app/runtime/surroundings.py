"""What runs beside the tasks: reference data, telemetry, quiet inputs, warm copies.

Started before Faust's app, stopped after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mode import Service

from .quiet import QuietInputs
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

    async def on_start(self) -> None:
        """Begin. Warm copies are followed only when some are wanted. What ends by an error ends the worker."""
        await self.telemetry.start()
        shared = self._partition_tasks.shared
        self.add_future(shared.references.follow(self._partition_tasks.changed))
        self.add_future(self.telemetry.follow())
        self.add_future(self.telemetry.follow_lag())
        self.add_future(QuietInputs(self._partition_tasks).follow())
        if shared.settings.standbys:
            self.add_future(shared.standbys.follow())

    async def on_shutdown(self) -> None:
        """Stop to listen."""
        await self.telemetry.stop()
