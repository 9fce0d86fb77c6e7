"""What the checks look through: the settings, a client of the brokers, and what several checks need, read once."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from .. import clients
from ..topology import TOPOLOGY
from .tasks import TaskSeen, tasks_seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka.admin import AIOKafkaAdminClient

    from ..settings import Settings
    from ..topology import Stream


class View:
    """Settings and a connected admin client. now: seconds since 1970, by this machine's clock."""

    def __init__(self, settings: Settings, admin: AIOKafkaAdminClient, now: float | None = None) -> None:
        """Look at what the settings name."""
        self.settings: Final = settings
        self.admin: Final = admin
        self.now: Final = time.time() if now is None else now
        self._tasks: list[TaskSeen] | None = None
        self._reading: Final = asyncio.Lock()

    async def tasks(self) -> list[TaskSeen]:
        """Each task as its changelog says; read once."""
        async with self._reading:
            if self._tasks is None:
                self._tasks = await tasks_seen(self.settings)
            return self._tasks

    async def broker_configs(self) -> dict[int, dict[str, str]]:
        """The settings of each broker, by its id."""
        brokers = [broker["node_id"] for broker in (await self.admin.describe_cluster())["brokers"]]
        asked = [ConfigResource(ConfigResourceType.BROKER, str(number)) for number in brokers]
        answers = await self.admin.describe_configs(asked)
        return {int(one[3]): {entry[0]: entry[1] for entry in one[4]} for answer in answers for one in answer.resources}

    async def topic_configs(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """The settings of topics, by their names."""
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        answers = await self.admin.describe_configs(asked)
        return {one[3]: {entry[0]: entry[1] for entry in one[4]} for answer in answers for one in answer.resources}

    async def described(self) -> dict[str, list[dict[str, Any]]]:
        """The partitions of our topics that exist, by topic."""
        wanted = {self.settings.topic(stream.name) for stream in TOPOLOGY.streams}
        there = sorted(wanted & set(await self.admin.list_topics()))
        if not there:
            return {}
        return {one["topic"]: one["partitions"] for one in await self.admin.describe_topics(there)}

    async def places(self, streams: Iterable[Stream]) -> list[TopicPartition]:
        """Partitions, as they exist, of the topics of streams."""
        there = await self.described()
        topics = [self.settings.topic(stream.name) for stream in streams]
        return [
            TopicPartition(topic, part["partition"])
            for topic in topics
            for part in sorted(there.get(topic, ()), key=lambda part: int(part["partition"]))
        ]

    @asynccontextmanager
    async def consumer(self, isolation: str = "read_committed") -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of no group, which moves no position."""
        consumer = AIOKafkaConsumer(
            **self.settings.connection(),
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=self.settings.fetch_wait_milliseconds_max,
        )
        await clients.start(consumer, consumer.stop, self.settings)
        try:
            yield consumer
        finally:
            await consumer.stop()
