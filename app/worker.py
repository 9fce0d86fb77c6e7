"""The worker process: topics checked, tasks on Faust, telemetry; started, drained, stopped."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import signal
from typing import TYPE_CHECKING, Any, Final

import faust
import structlog
import uvloop

from .metrics import Metrics
from .repetition import Unrepeated
from .runtime import failpoints, tuning
from .runtime.absence import outlast
from .runtime.actors import actors_of
from .runtime.application import Application, build
from .runtime.shared import Shared
from .runtime.surroundings import Surroundings
from .runtime.tasks import Tasks
from .topics import require
from .topology import TOPOLOGY

if TYPE_CHECKING:
    from .runtime.actors import Actors
    from .settings import Settings
    from .topology import Topology

log = logging.getLogger(__name__)

STOP_SECONDS_MAX: Final = 5.0
"""What may still run after everything is stopped is given up after this."""


def logging_config(level: str) -> dict[str, Any]:
    """One JSON object a line on stderr; libraries at INFO at the least verbose they are useful at."""
    shared = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "filters": {"unrepeated": {"()": Unrepeated, "library": "aiokafka"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "json",
                "filters": ["unrepeated"],
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {"faust": {"level": "WARNING"}, "mode": {"level": "WARNING"}, "aiokafka": {"level": "WARNING"}},
    }


class SlabWorker(faust.Worker):
    """Faust's worker, with signals and start order, and without the seconds it waits for nothing at its end."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - Faust's own
        """Make it without the spinner, which writes to the terminal."""
        super().__init__(*arguments, **named)
        self.spinner = None

    def on_worker_shutdown(self) -> None:
        """Do nothing where Faust renames the process."""

    def _shutdown_loop(self) -> None:
        """End what still runs, then close the loop. Raises what crashed the worker."""
        loop = self.loop
        rest = [task for task in asyncio.all_tasks(loop) if not task.done()]
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.wait(rest, timeout=STOP_SECONDS_MAX))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        if self.crash_reason:
            raise self.crash_reason


def run(settings: Settings, topology: Topology = TOPOLOGY, actors: Actors | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code. Raises RefusedError when it cannot start as it is set."""
    signal.signal(signal.SIGTERM, _stop_before_start)
    logging.config.dictConfig(logging_config(settings.log_level))
    failpoints.arm(settings.failpoint)
    tuning.tune()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    application, surroundings = loop.run_until_complete(_made(settings, topology, actors))
    loop.run_until_complete(_checked(application.partition_tasks.shared, surroundings))
    worker = SlabWorker(
        application,
        surroundings,
        loop=loop,
        loglevel=settings.log_level,
        override_logging=False,
        redirect_stdouts=False,
        quiet=True,
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    if code:
        log.error("the worker stopped on an error; start it again, the tasks resume where they stopped")
    else:
        log.info("stopped")
    return code


async def _checked(shared: Shared, surroundings: Surroundings) -> None:
    """Answer health probes, wait for a broker, and tell warnings about the topics.

    Raises RefusedError when a worker cannot start on them, or no broker answers in time.
    """
    await surroundings.telemetry.start()
    try:
        for warning in await outlast(shared, lambda: require(shared.settings, shared.topology)):
            log.warning("%s", warning)
    except BaseException:
        await surroundings.telemetry.stop()
        raise


def _stop_before_start(*_: object) -> None:
    """SIGTERM before Faust listens to it: nothing is begun, so there is nothing to drain."""
    raise SystemExit(0)


async def _made(settings: Settings, topology: Topology, actors: Actors | None) -> tuple[Application, Surroundings]:
    """Make everything inside the loop it belongs to."""
    shared = Shared(settings, topology, actors or actors_of(topology), Metrics())
    tasks = Tasks(shared)
    return build(shared, tasks), Surroundings(tasks)
