"""Scenarios of records that are gone from the log though somebody still needs them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import PolicyViolationError

from billtide.app import topics
from billtide.app.demo.reading import read_streams
from billtide.app.topology import TOPOLOGY

from .world import FaultError

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from .world import World

REFUSED: Final = "were deleted while cleanup.policy was not compact alone"
"""What a worker says of a changelog that has lost its beginning."""
SECONDS_MAX: Final = 30.0
CHANGELOG: Final = TOPOLOGY.changelog


async def changelog_cut(world: World) -> None:
    """R23: the beginning of a task's changelog is deleted; it is refused, until the topic is put back from a copy."""
    await asyncio.sleep(world.chance.uniform(2.0, 4.0))
    for worker in world.living:
        await world.end(worker)
    copy = (await read_streams(world.settings, [CHANGELOG.name]))[CHANGELOG.name]
    if not copy:
        raise FaultError("nothing was committed before the changelog was to be cut")
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap)
    await admin.start()
    try:
        await _cut(world, admin, copy[0])
        fresh = await world.start("c")
        await world.until_logged(fresh, REFUSED, SECONDS_MAX)
        await world.end(fresh)
        await admin.delete_topics([world.settings.topic(CHANGELOG.name)])
    finally:
        await admin.close()
    await _put_back(world, copy)
    for name in ("c", "d"):
        await world.start(name)
    world.tell("a cut changelog was put back", "changelog_cuts")


async def _cut(world: World, admin: AIOKafkaAdminClient, first: ConsumerRecord) -> None:
    """Delete the first record of a partition. Kafka does so while the topic is not compacted alone."""
    name = world.settings.topic(CHANGELOG.name)
    configs, deadline = topics.configs(CHANGELOG, world.settings), time.monotonic() + SECONDS_MAX
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs | {"cleanup.policy": "delete"})])
    while True:
        try:
            await admin.delete_records({TopicPartition(name, first.partition): RecordsToDelete(first.offset + 1)})
            break
        except PolicyViolationError:  # the broker has not heard of the policy yet
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs)])
    world.note(f"deleted the changelog of task {first.partition} up to offset {first.offset}")


async def _put_back(world: World, copy: list[ConsumerRecord]) -> None:
    """Create the topic anew, once it is gone, with the records it had."""
    deadline = time.monotonic() + SECONDS_MAX
    while not await topics.create(world.settings):
        if time.monotonic() > deadline:
            raise FaultError(f"the changelog was not gone within {SECONDS_MAX:.0f} s")
        await asyncio.sleep(0.1)
    settings = world.settings
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True) as producer:
        for one in copy:
            await producer.send(settings.topic(CHANGELOG.name), one.value, one.key, partition=one.partition)
        await producer.flush()
