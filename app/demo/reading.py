"""Read whole topics at once, as they are committed now, with one consumer for all of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka import ConsumerRecord

    from ..settings import Settings

POLL_MILLISECONDS: Final = 500
POLL_RECORDS: Final = 20_000


@asynccontextmanager
async def reader(settings: Settings, streams: Iterable[str]) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a read-committed consumer at the start of all partitions of some streams."""
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=settings.fetch_wait_milliseconds_max,
    )
    await consumer.start()
    try:
        consumer.assign([where for name in streams for where in places(settings, name)])
        await consumer.seek_to_beginning()
        yield consumer
    finally:
        await consumer.stop()


def places(settings: Settings, stream: str) -> list[TopicPartition]:
    """All partitions of a stream."""
    count = TOPOLOGY.stream(stream).partitions(settings.partitions)
    return [TopicPartition(settings.topic(stream), number) for number in range(count)]


async def at_end(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Whether the consumer has come to these ends; transaction markers count, though no record shows them."""
    return all([await consumer.position(where) >= end for where, end in ends.items()])


async def read_streams(settings: Settings, streams: Iterable[str]) -> dict[str, list[ConsumerRecord]]:
    """All records of some streams by stream; those of one partition in their order."""
    found: dict[str, list[ConsumerRecord]] = {name: [] for name in streams}
    names = {settings.topic(name): name for name in found}
    async with reader(settings, found) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while not await at_end(consumer, ends):
            batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS)
            for where, records in batches.items():
                found[names[where.topic]] += records
    return found
