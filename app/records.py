"""Records into topics, for commands, the demo and tests: sent in batches, acknowledged, in order.

Not for workers: they read and write through the runtime, in transactions.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from . import clients
from .refusal import RefusedError
from .topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ..agents.outbox import OutputRecord
    from .settings import Settings


class TopicError(RefusedError):
    """A topic cannot be written or read; the message names it and what to do."""


@asynccontextmanager
async def sender(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """Open an idempotent producer and close it with everything sent."""
    producer = AIOKafkaProducer(
        **settings.connection(),
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=settings.batch_bytes_max,
        compression_type="zstd",
    )
    await clients.start(producer, producer.stop, settings)
    try:
        yield producer
    finally:
        await producer.stop()


async def send(settings: Settings, stream: str, records: Iterable[OutputRecord]) -> int:
    """Send (key, value, headers) records to a stream's topic, in order; returns how many. Raises TopicError."""
    topic = settings.topic(TOPOLOGY.stream(stream).name)
    async with sender(settings) as producer:
        try:
            sent = [
                await producer.send(topic, key=key, value=value, headers=list(headers))
                for key, value, headers in records
            ]
            for delivery in sent:
                await delivery
        except KafkaError as error:
            message = f"{topic}: {error}; check the topic with `billtide topics check`"
            raise TopicError(message) from error
    return len(sent)
