"""Scenarios of topics that somebody spoils: they are refused, put back from a copy, and work goes on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
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
GROWN: Final = "expenses"
NOTICED: Final = "partitions now, not"
UNLIKE: Final = "it must have"
"""What workers say of a topic that has got other partitions, and of one that has them at their start."""
CHANGELOG: Final = TOPOLOGY.changelog


async def changelog_cut(world: World) -> None:
    """R23: the beginning of a task's changelog is deleted; it is refused, until the topic is put back from a copy."""
    await asyncio.sleep(world.chance.uniform(2.0, 4.0))
    for worker in world.living:
        await world.end(worker)
    written = (await read_streams(world.settings, [CHANGELOG.name]))[CHANGELOG.name]
    if not written:
        raise FaultError("nothing was committed before the changelog was to be cut")
    first = written[0]
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap)
    await admin.start()
    try:
        await _cut(world, admin, first)
        fresh = await world.start("c")
        await world.until_logged(fresh, REFUSED, SECONDS_MAX)
        await world.end(fresh)
        # The other tasks went on meanwhile: what they committed belongs into the copy too.
        copy = [first, *(await read_streams(world.settings, [CHANGELOG.name]))[CHANGELOG.name]]
        await admin.delete_topics([world.settings.topic(CHANGELOG.name)])
    finally:
        await admin.close()
    await _put_back(world, CHANGELOG.name, copy)
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


async def partitions_grown(world: World) -> None:
    """R31: an input is given a partition more while workers run: they end and say why; none starts until it is mended.

    The topic is then created anew with the records it had, each in its partition.
    """
    await asyncio.sleep(world.chance.uniform(2.0, 4.0))
    await world.feed.rest()
    name = world.settings.topic(GROWN)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap)
    await admin.start()
    try:
        workers = world.living
        for worker in workers:
            worker.expected = True
        await admin.create_partitions({name: NewPartitions(world.settings.partitions + 1)})
        for worker in workers:
            await world.until(worker, "dead", SECONDS_MAX)
            await world.until_logged(worker, NOTICED, 1.0)
        refused = await world.start("c")
        refused.expected = True
        await world.until(refused, "dead", SECONDS_MAX)
        await world.until_logged(refused, UNLIKE, 1.0)
        world.note("workers ended, and none started, by a partition more")
        copy = (await read_streams(world.settings, [GROWN]))[GROWN]
        await admin.delete_topics([name])
    finally:
        await admin.close()
    await _put_back(world, GROWN, copy)
    for called in ("c", "d"):
        await world.start(called)
    world.tell(f"{GROWN} was put back with its partitions", "partitions_grown")


async def _put_back(world: World, stream: str, copy: list[ConsumerRecord]) -> None:
    """Create a topic anew, once it is gone, with the records it had."""
    deadline = time.monotonic() + SECONDS_MAX
    while not await topics.create(world.settings):
        if time.monotonic() > deadline:
            raise FaultError(f"{stream} was not gone within {SECONDS_MAX:.0f} s")
        await asyncio.sleep(0.1)
    settings = world.settings
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True) as producer:
        for one in copy:
            await producer.send(
                settings.topic(stream), one.value, one.key, one.partition, one.timestamp, list(one.headers)
            )
        await producer.flush()
