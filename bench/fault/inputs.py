"""Scenarios of what systems send: twice, in the wrong order, unreadable, too large, in transactions left open."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer

from billtide.app.demo.happenings import MONDAY, Sent, moment
from billtide.app.topology import TOPOLOGY
from billtide.codecs import cloudevents, time_entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .world import World

REPEATED_PERCENT: Final = 20
COPIES_MAX: Final = 5
DEPTH: Final = 10_000
OPEN_SECONDS: Final = 5.0
HIDDEN: Final = "hides what follows, which may be state"
"""What a worker says of a changelog with an open transaction."""
HIDDEN_SECONDS_MAX: Final = 30.0
KEY: Final = b"E-0001"
ENTRY: Final = (
    '{"source":"psa","id":"%s","revision":1,"engagement_id":"E-0001","resource_id":"R-0001","work_date":"2025-11-05",'
    '"quantity":%s,"status":"submitted"}'
)
HEADERS: Final = tuple(cloudevents.headers(time_entry.TYPE, "poison"))
POISON: Final = (
    (KEY, b""),
    (KEY, None),
    (None, (ENTRY % ("P-1", '"1"')).encode()),
    (b"\xff\xfe", (ENTRY % ("P-2", '"1"')).encode()),
    (KEY, b"\xff\xfe\x00"),
    (KEY, b"null"),
    (KEY, b"[]"),
    (KEY, b"NaN"),
    (KEY, b"{" * DEPTH),
    (KEY, b"[" * DEPTH + b"]" * DEPTH),
    (KEY, (ENTRY % ("P-3", "NaN")).encode()),
    (KEY, (ENTRY % ("P-4", "1e999")).encode()),
    (KEY, (ENTRY % ("P-5", '"%s"' % ("9" * 5_000))).encode()),
    (KEY, (ENTRY % ("P-6", '"-0"')).encode()),
    (KEY, (ENTRY % ("P-\ud83d".encode("utf-8", "surrogatepass").decode("latin-1"), '"1"')).encode()),
    (KEY, (ENTRY % ("P-7", '"1"')).encode()[:-1]),
    (KEY, (ENTRY % ("P-8", '"1"')).encode() + b"}"),
    (KEY, (ENTRY % ("P-9", '"1"')).replace("E-0001", "E-0002").encode()),
)
"""Keys and values that are no good, or just about; what becomes of each is judged by the reckoning."""


async def spoilt_input(world: World) -> None:
    """R14, R15, R17, R19: the load in any order, a fifth repeated, poison, masters deleted; a worker is killed."""
    load, chance = world.feed.load, world.chance
    again = [one for one in load if chance.randrange(100) < REPEATED_PERCENT]
    load += [one for one in again for _ in range(chance.randint(1, COPIES_MAX))]
    for stream in ("time-entries", "expenses", "approvals", "engagements", "assignments"):
        load += [(stream, Sent(key, value, HEADERS, moment(MONDAY, 0))) for key, value in POISON]
    for stream in ("resources", "fx-rates", "periods"):
        key = chance.choice(world.feed.week.masters[stream]).key
        load.append((stream, Sent(key, None, HEADERS, moment(MONDAY, 0))))
    chance.shuffle(load)
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    victim = chance.choice(world.living)
    await world.kill(victim)
    await world.start(victim.name)
    await asyncio.sleep(chance.uniform(1.0, 3.0))


async def oversize_input(world: World) -> None:
    """R18: records of rubbish as large as a topic takes; each becomes a dead letter and blocks nothing."""
    largest = world.settings.message_bytes_max
    rubbish = random.Random(0).randbytes(largest)
    async with AIOKafkaProducer(
        bootstrap_servers=world.settings.kafka_bootstrap, max_request_size=2 * largest
    ) as producer:
        for size in (largest // 2, largest - 4_096, largest - 200):
            await producer.send_and_wait(world.settings.topic("time-entries"), rubbish[:size], KEY, headers=[*HEADERS])
    world.tell("three large records sent", "oversize")


async def foreign_transaction(world: World) -> None:
    """R34: somebody else's open transactions hold up readers of an input; one is aborted, one committed."""
    entry = (ENTRY % ("T-FOREIGN-1", '"1"')).encode()
    async with _foreign(world) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(world.settings.topic("time-entries"), entry, KEY, headers=[*HEADERS])
        await asyncio.sleep(OPEN_SECONDS)
        await producer.abort_transaction()
        world.tell("a foreign transaction was aborted", "foreign")
        await producer.begin_transaction()
        await producer.send_and_wait(world.settings.topic("time-entries"), entry, KEY, headers=[*HEADERS])
        await asyncio.sleep(OPEN_SECONDS / 2)
        await producer.commit_transaction()
        world.tell("a foreign transaction was committed", "foreign")


async def foreign_on_changelog(world: World) -> None:
    """R34: somebody else's transactions stand open on the changelog; workers that restore wait for what they hide."""
    changelog = world.settings.topic(TOPOLOGY.changelog.name)
    async with _foreign(world) as producer:
        await producer.begin_transaction()
        for partition in range(world.settings.partitions):
            await producer.send_and_wait(changelog, b"", KEY, partition=partition)
        await asyncio.sleep(OPEN_SECONDS)
        for worker in world.living:
            await world.kill(worker)
            await world.start(worker.name)
        for worker in world.living:
            await world.until_logged(worker, HIDDEN, HIDDEN_SECONDS_MAX)
            if worker.is_ready():
                world.problems.append(f"{worker.name} has tasks whose state it could not read")
        await producer.abort_transaction()
        world.tell("a foreign transaction on the changelog was aborted", "foreign")
    await world.ready()


@asynccontextmanager
async def _foreign(world: World) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=world.settings.kafka_bootstrap, transactional_id=f"{world.settings.app_id}-foreign"
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
