"""`billtide engagement`: the figures of one engagement, as the latest committed record has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from msgspec import to_builtins

from ...codecs import figures
from .. import clients
from ..records import TopicError
from ..settings import Settings, load
from .connection import run
from .engagement_table import write_figures
from .output import FindingError, json_option, write_json

if TYPE_CHECKING:
    from ...codecs.figures import EngagementFigures

STREAM: Final = "engagement-figures"
READ_MILLISECONDS_MAX: Final = 1_000
"""How long one poll waits for records before the reader looks at the end of the log again."""


@click.command()
@click.argument("engagement_id", metavar="ID")
@json_option
def engagement(engagement_id: str, as_json: bool) -> None:
    """Show hours, value, billing, revenue, cost and margin of engagement ID, and what it waits for."""
    settings = load()
    found = run(settings, latest(settings, engagement_id))
    if found is None:
        message = (
            f"no figures of engagement {engagement_id!r} in {settings.topic(STREAM)}; check the id, send the "
            "engagement (`billtide produce`), and see that a worker runs (`billtide worker`)"
        )
        raise FindingError(message)
    if as_json:
        write_json({field: _plain(to_builtins(getattr(found, field))) for field in found.__struct_fields__})
    else:
        write_figures(found)


async def latest(settings: Settings, engagement_id: str) -> EngagementFigures | None:
    """Figures of an engagement now; None when there are none. Reads the one partition of its key."""
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await clients.start(consumer, consumer.stop, settings)
    try:
        value = await _latest_of(consumer, settings.topic(STREAM), engagement_id.encode())
    finally:
        await consumer.stop()
    return None if value is None else figures.decode(value)


async def _latest_of(consumer: AIOKafkaConsumer, topic: str, key: bytes) -> bytes | None:
    """The last committed value of a key, from the partition it hashes to."""
    where = TopicPartition(topic, await _partition_of(consumer, topic, key))
    consumer.assign([where])
    await consumer.seek_to_beginning(where)
    end = (await consumer.end_offsets([where]))[where]
    value = None
    while await consumer.position(where) < end:
        for fetched in (await consumer.getmany(timeout_ms=READ_MILLISECONDS_MAX)).values():
            for record in fetched:
                value = record.value if record.key == key else value
    return value


async def _partition_of(consumer: AIOKafkaConsumer, topic: str, key: bytes) -> int:
    """The partition a key hashes to, by the partitions the topic really has."""
    if topic not in await consumer.topics():
        message = f"topic {topic} does not exist; make it with `billtide topics create`"
        raise TopicError(message)
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.end_offsets([first])  # fetches the topic's metadata, which topics() does not keep
    partitions = sorted(consumer.partitions_for_topic(topic))
    number: int = DefaultPartitioner()(key, partitions, partitions)
    return number


def _plain(value: object) -> object:
    return dict(sorted(value.items())) if isinstance(value, dict) else value
