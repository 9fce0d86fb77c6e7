"""What a run leaves at the broker and on this machine: open transactions, group offsets, memory, logs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from billtide.app.demo.progress import following
from billtide.app.demo.reading import at_end, places
from billtide.app.topology import TOPOLOGY

from .damage import Damage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiokafka import TopicPartition

    from billtide.app.settings import Settings

    from .workers import Worker

GROUPS: Final = "__consumer_offsets"
GROUP_KEY: Final = 2
"""Kind of key in that topic: a group."""
POLL_MILLISECONDS: Final = 200
MEGABYTES_MAX: Final = 600
DESCRIPTORS_MAX: Final = 256
"""A worker of four tasks has some forty connections at the most."""


async def open_transactions(settings: Settings) -> Damage:
    """No partition holds records of a transaction that nobody has ended. Ask once the workers have ended."""
    damage = Damage()
    where = [place for stream in TOPOLOGY.streams for place in places(settings, stream.name)]
    stable, all_of_it = [await _ends(settings, where, level) for level in ("read_committed", "read_uncommitted")]
    for place in where:
        if stable[place] != all_of_it[place]:
            count = all_of_it[place] - stable[place]
            damage.mistake(f"{place.topic} partition {place.partition}: {count} records in a transaction left open")
    return damage


async def group_offsets(settings: Settings) -> Damage:
    """No group offset, which lag tools show, is past what the state has applied, but for markers and holes."""
    damage = Damage()
    async with following(settings) as progress:
        await progress.catch_up()
        positions = progress.positions
        ends = await progress.ends()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.app_id)
    finally:
        await admin.close()
    names = {settings.topic(stream.name): stream.name for stream in TOPOLOGY.inputs}
    for where, told in offsets.items():
        place = names[where.topic], where.partition
        applied = positions[place].offset if place in positions else 0
        if told.offset > max(applied, ends.get(place, told.offset)):
            damage.mistake(f"{where.topic} partition {where.partition}: the group is at {told.offset}, not {applied}")
    return damage


async def generations(settings: Settings) -> int:
    """How often the group was rebalanced: its generation, which the broker keeps in a topic of its own."""
    found = 0
    consumer = AIOKafkaConsumer(GROUPS, bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while not await at_end(consumer, ends):
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).values():
                found = max([found, *(_generation(one.value) for one in records if _is_of(one.key, settings.app_id))])
    finally:
        await consumer.stop()
    return found


def _is_of(key: bytes, group: str) -> bool:
    """Whether a record of the groups' topic is the group itself, not an offset of it."""
    return key == struct.pack(">hh", GROUP_KEY, len(group)) + group.encode()


def _generation(value: bytes | None) -> int:
    """GroupMetadataValue: version, protocol type as a string, generation."""
    if not value:
        return 0
    (length,) = struct.unpack_from(">h", value, 2)
    return int(struct.unpack_from(">i", value, 4 + length)[0])


def bounds(workers: Iterable[Worker]) -> Damage:
    """Workers that live hold no more memory and descriptors than they may."""
    damage = Damage()
    for worker in workers:
        memory, descriptors = worker.megabytes(), worker.descriptors()
        if memory > MEGABYTES_MAX:
            damage.mistake(f"{worker.name} holds {memory} MiB, more than {MEGABYTES_MAX}")
        if descriptors > DESCRIPTORS_MAX:
            damage.mistake(f"{worker.name} has {descriptors} descriptors open, more than {DESCRIPTORS_MAX}")
    return damage


def secrets(directory: Path, secret: str) -> Damage:
    """No log shows the password."""
    damage = Damage()
    for log in sorted(directory.glob("*.log")):
        if secret in log.read_text(errors="replace"):
            damage.mistake(f"{log} shows the password")
    return damage


async def _ends(settings: Settings, where: list[TopicPartition], level: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, isolation_level=level, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(where)
        return dict(await consumer.end_offsets(where))
    finally:
        await consumer.stop()
