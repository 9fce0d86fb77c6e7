"""The Faust application: one agent per input stream, and the rebalance hooks of the tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager

from .schema import QUEUE_MAX, SlabSchema
from .transport import SlabTransport

if TYPE_CHECKING:
    from ..settings import Settings
    from .shared import Shared
    from .tasks import Tasks


class SlabBoot(BootStrategy):
    """Starts the consumer, the agents and what they need; no web server, and no producer beside the tasks' own."""

    enable_web = False
    enable_kafka_producer = False


class NoTables(TableManager):
    """Faust's tables, of which there are none: starts at once instead of after a second."""

    async def on_start(self) -> None:
        """Let the consumer subscribe, and resume records after a rebalance."""
        await self._update_channels()
        await self.recovery.start()


class Application(faust.App):
    """Faust's app with what the slab transport needs."""

    BootStrategy = SlabBoot
    mundane_level = "debug"
    settings: Settings
    partition_tasks: Tasks
    _assigned_in: int = -1

    def on_rebalance_end(self) -> None:
        """Faust lets records flow again, and has cleared its queues just before.

        It may do so twice, late for a rebalance that another has overtaken: tasks that are active by then fetch again.
        """
        super().on_rebalance_end()
        self.partition_tasks.fetch_again()
        self.settle()

    def tasks_assigned(self) -> None:
        """The tasks of the latest rebalance are made."""
        self._assigned_in = self.rebalancing_count
        self.settle()

    def settle(self) -> None:
        """Let tasks seek and open, once both have happened; not when the next rebalance has begun already."""
        if self._assigned_in == self.rebalancing_count and not self.rebalancing:
            self.partition_tasks.shared.settled.set()


def build(shared: Shared, tasks: Tasks) -> Application:
    """Make the application from the topology."""
    settings = shared.settings
    application: Any = Application(
        settings.app_id,
        broker=[f"kafka://{address}" for address in settings.kafka_bootstrap.split(",")],
        store="memory://",
        TableManager=NoTables,
        datadir=str(settings.data_dir),
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        web_enabled=False,
        autodiscover=False,
        consumer_group_instance_id=settings.instance_id or None,
        broker_request_timeout=settings.request_milliseconds_max / 1000,
        broker_session_timeout=settings.session_timeout_milliseconds / 1000,
        broker_heartbeat_interval=settings.heartbeat_milliseconds / 1000,
        broker_rebalance_timeout=settings.rebalance_milliseconds_max / 1000,
    )
    application.settings = settings
    application.partition_tasks = tasks
    application.transport = SlabTransport(application.conf.broker_consumer, application)
    for stream in shared.topology.inputs:
        topic = application.topic(settings.topic(stream.name), acks=False, schema=SlabSchema(), maxsize=QUEUE_MAX)
        agent = application.agent(topic, name=stream.agent, isolated_partitions=True)
        agent(shared.actors.agents[stream.agent])
    _connect(application, tasks)
    return application  # type: ignore[no-any-return]


def _connect(application: Any, tasks: Tasks) -> None:  # noqa: ANN401 - faust has no types
    """Tie the tasks to the group. Handlers live as long as the application: weak references would lose them."""
    shared: Final = tasks.shared

    async def revoked(_: Any, revoked: Any, **__: Any) -> None:  # noqa: ANN401, ARG001 - Faust's signature
        shared.metrics.rebalances.inc()
        await tasks.revoked()

    async def assigned(_: Any, assigned: Any, **__: Any) -> None:  # noqa: ANN401 - Faust's signature
        shared.thread = application.consumer.thread
        partitions = {where.partition for where in assigned}
        tasks.stand_by(application.consumer.thread.placement.place, partitions)
        await tasks.assigned(partitions)
        application.tasks_assigned()

    async def stopping(_: Any, **__: Any) -> None:  # noqa: ANN401 - Faust's signature
        await tasks.stop()

    application.on_partitions_revoked.connect(revoked, weak=False)
    application.on_partitions_assigned.connect(assigned, weak=False)
    application.on_before_shutdown.connect(stopping, weak=False)
