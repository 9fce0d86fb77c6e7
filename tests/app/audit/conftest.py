"""What a task in memory has read and left, put on a real broker for the commands that read it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from billtide.app import topics
from billtide.app.settings import load
from billtide.tables.state import CHAIN_KEY

from ..cli.conftest import _own_settings, kafka, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from billtide.app.broker import Broker
    from billtide.app.memory import Memory, Read

__all__ = ["_own_settings", "kafka", "run"]


async def _publish(memory: Memory, inputs: Iterable[Read]) -> None:
    settings = load()
    await topics.create(settings)
    left = [record for records in memory.left.values() for record in records]
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True) as producer:
        for topic, partition, _, timestamp, key, value, headers in (*inputs, *left):
            await producer.send(
                settings.topic(topic),
                value,
                key,
                partition,
                timestamp_ms=timestamp or None,
                headers=list(headers),
            )
        head = memory.state.audit.bytes.get(CHAIN_KEY)
        await producer.send(settings.topic("state-changelog"), head, CHAIN_KEY, memory.partition)


@pytest.fixture
def publish(kafka: Broker) -> Callable[[Memory, Iterable[Read]], None]:
    """Create the topics and write what a task has read and left, with the head of its chain."""
    assert kafka.bootstrap

    def work(memory: Memory, inputs: Iterable[Read] = ()) -> None:
        asyncio.run(_publish(memory, inputs))

    return work
