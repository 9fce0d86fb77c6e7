"""Cut a changelog as an operator can: while its policy lets Kafka delete, and then set back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import PolicyViolationError

from billtide.app import topics
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    from billtide.app.settings import Settings

SECONDS_MAX = 30.0


async def cut_changelog(settings: Settings, partition: int, before: int) -> None:
    """Delete the records of a partition below an offset."""
    stream = TOPOLOGY.changelog
    name = settings.topic(stream.name)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()

    async def set_policy(policy: str) -> None:
        wanted = topics.configs(stream, settings) | {"cleanup.policy": policy}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted)])

    try:
        await set_policy("delete")
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                try:
                    await admin.delete_records({TopicPartition(name, partition): RecordsToDelete(before)})
                    break
                except PolicyViolationError:  # the broker has not heard of the policy yet
                    await asyncio.sleep(0.1)
        await set_policy("compact")
    finally:
        await admin.close()
