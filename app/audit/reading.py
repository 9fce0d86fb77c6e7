"""Topics read from their start to where they end now, with no worker and no group: committed records only."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from .. import clients
from ..records import TopicError
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka import ConsumerRecord

    from ..settings import Settings

POLL_MILLISECONDS: Final = 500
POLL_RECORDS: Final = 20_000
FETCH_MILLISECONDS_MAX: Final = 5_000
"""How long a single record is waited for before it counts as no longer kept."""


class Batch(NamedTuple):
    """Records of one partition of a stream, in their order."""

    stream: str
    partition: int
    records: list[ConsumerRecord]


class Topics:
    """A consumer at the start of some partitions. Each to_end() goes on where the last one ended."""

    def __init__(self, consumer: AIOKafkaConsumer, names: dict[str, str]) -> None:
        """Read with a started consumer; `names` gives the stream of each topic."""
        self._consumer: Final = consumer
        self._names: Final = names

    async def to_end(self) -> AsyncIterator[Batch]:
        """Read what is there now; transaction markers count as read, though no record shows them."""
        consumer = self._consumer
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(where) < end for where, end in ends.items()]):
            found = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS)
            for where, records in found.items():
                yield Batch(self._names[where.topic], where.partition, records)

    async def record(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """One record by its offset; None when the log no longer holds it."""
        where, consumer = TopicPartition(topic, partition), self._consumer
        consumer.assign([where])
        first = (await consumer.beginning_offsets([where]))[where]
        end = (await consumer.end_offsets([where]))[where]
        if not first <= offset < end:
            return None
        consumer.seek(where, offset)
        found = await consumer.getmany(where, timeout_ms=FETCH_MILLISECONDS_MAX, max_records=1)
        return next((record for record in found.get(where, ()) if record.offset == offset), None)


@asynccontextmanager
async def opened(settings: Settings, streams: Iterable[str], partition: int | None = None) -> AsyncIterator[Topics]:
    """Open some streams at their start, whole or one partition of each. Raises TopicError when one is not there."""
    names = {settings.topic(stream): stream for stream in streams}
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=settings.fetch_wait_milliseconds_max,
    )
    await clients.start(consumer, consumer.stop, settings)
    try:
        places = await _places(consumer, settings, names)
        consumer.assign([where for where in places if partition in {None, where.partition}])
        await consumer.seek_to_beginning()
        yield Topics(consumer, names)
    finally:
        await consumer.stop()


async def _places(consumer: AIOKafkaConsumer, settings: Settings, names: dict[str, str]) -> list[TopicPartition]:
    """All partitions of the topics. What the settings do not count would be passed over, so it is refused."""
    there = await consumer.topics()
    for topic in names:
        if topic not in there:
            message = f"topic {topic} does not exist; make it with `billtide topics create`"
            raise TopicError(message)
    places = [
        TopicPartition(topic, number)
        for topic, stream in names.items()
        for number in range(TOPOLOGY.stream(stream).partitions(settings.partitions))
    ]
    consumer.assign([TopicPartition(topic, 0) for topic in names])
    await consumer.end_offsets(list(consumer.assignment()))  # fetches the metadata, which topics() does not keep
    for topic in names:
        actual = len(consumer.partitions_for_topic(topic) or ())
        wanted = sum(where.topic == topic for where in places)
        if actual != wanted:
            message = f"topic {topic} has {actual} partitions, not {wanted}; set BILLTIDE_PARTITIONS={actual}"
            raise TopicError(message)
    return places
