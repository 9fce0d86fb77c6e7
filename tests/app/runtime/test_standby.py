"""Warm standby: what takes over from a copy has the state that reading the whole changelog gives, and reads little."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, PolicyViolationError

from billtide.app.metrics import Metrics
from billtide.app.runtime.actors import actors_of
from billtide.app.runtime.changelog import Copy, Restored, restore
from billtide.app.runtime.failures import PositionOutsideLogError
from billtide.app.runtime.shared import Shared
from billtide.app.runtime.transaction import TaskProducer
from billtide.app.topology import TOPOLOGY
from billtide.codecs.records import EngagementState
from billtide.tables.state import TaskState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from billtide.app.settings import Settings

    from .conftest import Topics, Until

pytestmark = pytest.mark.kafka

PARTITION = 1
PATIENCE_SECONDS = 60.0
CHANGELOG = "state-changelog"
NEWER = b"\xff"
"""A version of changelog records that no worker knows."""


def tables(state: TaskState) -> list[dict[bytes, bytes]]:
    """Every table of a task as it is kept."""
    return [dict(table.bytes) for table in state.tables]


async def whole(settings: Settings, copy: Copy | None = None, partition: int = PARTITION) -> Restored:
    """Restore a task: all of it, or what a copy lacks."""
    return await restore(settings, settings.topic(CHANGELOG), partition, lambda _: None, copy)


class Owner:
    """Writes a task's changelog, a transaction after the other, as its worker would."""

    def __init__(self, settings: Settings, partition: int = PARTITION) -> None:
        self.settings = settings
        self.producer = TaskProducer(settings, TOPOLOGY, partition)
        self.written = 0

    async def start(self) -> Owner:
        """Connect, and fence whoever wrote before."""
        await self.producer.start()
        return self

    def batches(self, count: int) -> list[Any]:
        """State of `count` engagements that nobody has written yet, encoded."""
        state = TaskState()
        for number in range(self.written, self.written + count):
            key = state.engagements.key(f"E-{number}")
            state.engagements.put(key, EngagementState(id=f"E-{number}", entries=number))
        self.written += count
        return self.producer.outgoing().close(state.changes())

    async def write(self, count: int) -> None:
        """Commit the state of so many engagements."""
        await self.producer.write(self.batches(count))

    async def write_raw(self, key: bytes, value: bytes) -> None:
        """Commit one record of any bytes."""
        await self.producer.write(self.producer.outgoing().close([[(key, value)]]))

    async def leave_open(self, count: int) -> None:
        """Send state in a transaction and do not end it."""
        producer = self.producer._producer
        assert producer is not None
        await producer.begin_transaction()
        for batch in self.batches(count):
            await (await producer.send_batch(batch.records, batch.topic, partition=batch.partition))


@pytest.fixture
async def owner(kafka: Topics) -> AsyncIterator[Owner]:
    """The worker that has the task."""
    owner = await Owner(kafka.settings).start()
    yield owner
    await owner.producer.discard(abort=True)


class Followed:
    """The copies of a worker that has no tasks, followed beside the test."""

    def __init__(self, shared: Shared) -> None:
        self.standbys = shared.standbys
        self.standbys.keep({PARTITION}, set())

    def engagements(self) -> int:
        """How many engagements the task's copy has."""
        copy = self.standbys.copies.get(PARTITION)
        return 0 if copy is None else len(copy.state.engagements.bytes)

    def take(self) -> Copy:
        """Take the copy, as the task does."""
        copy = self.standbys.take(PARTITION)
        assert copy is not None
        return copy


@pytest.fixture
async def followed(kafka: Topics) -> AsyncIterator[Followed]:
    """Follow the task's changelog until the test ends."""
    shared = Shared(kafka.settings, TOPOLOGY, actors_of(TOPOLOGY), Metrics())
    found = Followed(shared)
    following = asyncio.ensure_future(found.standbys.follow())
    yield found
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


async def shorten(settings: Settings, first: int) -> None:
    """Remove the records of the task's changelog below an offset; Kafka allows it where its policy is to delete."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        where = TopicPartition(settings.topic(CHANGELOG), PARTITION)
        policy = {"cleanup.policy": "compact,delete", "retention.ms": "-1"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, where.topic, policy)])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(PolicyViolationError):  # until the broker has taken the policy over
                    await admin.delete_records({where: RecordsToDelete(before_offset=first)})
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_a_copy_and_the_rest_give_the_same_bytes_as_the_whole(
    kafka: Topics, owner: Owner, followed: Followed, until: Until
) -> None:
    """A task that goes on from a copy has every table byte by byte, and has read only what came after it."""
    await owner.write(500)
    await until(lambda: followed.engagements() == 500)
    copy = followed.take()
    await owner.write(7)

    expected, found = await whole(kafka.settings), await whole(kafka.settings, copy)

    assert tables(found.state) == tables(expected.state)
    assert (found.warm, found.records, expected.records) == (500, 7, 507)


async def test_a_copy_is_kept_for_the_next_try_when_kafka_fails(owner: Owner, followed: Followed, until: Until) -> None:
    """What breaks a restore off for a moment costs no copy; it is warm only as long as little is left to read."""
    await owner.write(20)
    await until(lambda: followed.engagements() == 20)
    with pytest.raises(KafkaError), followed.standbys.taken(PARTITION) as copy:
        raise KafkaError
    await owner.write(5)
    await until(lambda: followed.engagements() == 25)

    assert copy is followed.standbys.copies[PARTITION]
    assert followed.standbys.is_warm(PARTITION)
    copy.lag = 10**6
    assert not followed.standbys.is_warm(PARTITION)


async def test_what_is_aborted_is_never_in_a_copy(
    kafka: Topics, owner: Owner, followed: Followed, until: Until
) -> None:
    """Records of a transaction that ends with an abort are passed over, also by who follows while it is open."""
    await owner.write(100)
    await until(lambda: followed.engagements() == 100)
    await owner.leave_open(50)
    later = await Owner(kafka.settings).start()  # fences the first and ends what it left open
    later.written = owner.written
    await later.write(10)
    await until(lambda: followed.engagements() == 110)
    copy = followed.take()
    await later.producer.discard(abort=False)

    assert tables(copy.state) == tables((await whole(kafka.settings)).state)
    assert tables((await whole(kafka.settings, copy)).state) == tables(copy.state)


async def test_a_copy_taken_while_a_transaction_is_open_has_what_became_of_it(
    kafka: Topics, owner: Owner, followed: Followed, until: Until
) -> None:
    """What the former owner had not committed when it was fenced is neither in the copy nor in the rest."""
    await owner.write(100)
    await until(lambda: followed.engagements() == 100)
    await owner.leave_open(50)
    later = await Owner(kafka.settings).start()
    restored = await whole(kafka.settings, followed.take())
    await later.producer.discard(abort=False)

    assert (restored.warm, restored.records, len(restored.state.engagements.bytes)) == (100, 0, 100)


async def test_a_log_that_begins_later_is_refused_with_a_copy_as_without(
    kafka: Topics, owner: Owner, followed: Followed, until: Until
) -> None:
    """Where records were removed, the state is not whole, whatever a copy has."""
    await owner.write(300)
    await until(lambda: followed.engagements() == 300)
    copy = followed.take()
    await shorten(kafka.settings, 100)

    for given in (copy, None):
        with pytest.raises(PositionOutsideLogError, match="offsets 0 to 99 were deleted"):
            await whole(kafka.settings, given)


async def test_a_copy_whose_log_begins_later_is_begun_anew(
    kafka: Topics, owner: Owner, followed: Followed, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """Who follows notices, at the next assignment at the latest, and has what the log has; no task begins with that."""
    await owner.write(300)
    await until(lambda: followed.engagements() == 300)
    await shorten(kafka.settings, 100)
    followed.standbys.keep({PARTITION}, set())
    await until(lambda: followed.engagements() == 200)

    assert "begun anew: the log began at offset 0 and begins at 100 now" in caplog.text
    with pytest.raises(PositionOutsideLogError, match="offsets 0 to 99 were deleted"):
        await whole(kafka.settings, followed.take())


async def test_a_copy_of_another_log_is_not_used(
    kafka: Topics, owner: Owner, followed: Followed, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """A topic made anew, however long: what the copy has read last is not there, so all is restored."""
    await owner.write(100)
    await until(lambda: followed.engagements() == 100)
    copy = followed.take()
    another = await Owner(kafka.settings, PARTITION + 1).start()
    another.written = 50
    await another.write(250)
    await another.producer.discard(abort=False)

    found = await whole(kafka.settings, copy, PARTITION + 1)

    assert (found.warm, found.records) == (0, 250)
    assert tables(found.state) == tables((await whole(kafka.settings, partition=PARTITION + 1)).state)
    assert "the last one read, is not there any more" in caplog.text


async def test_a_log_that_ends_before_the_copy_is_restored_as_a_whole(
    kafka: Topics, owner: Owner, followed: Followed, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """A topic made anew, or truncated: it holds less than what was read of it."""
    await owner.write(100)
    await until(lambda: followed.engagements() == 100)

    found = await whole(kafka.settings, followed.take(), PARTITION + 1)

    assert (found.warm, found.records, len(found.state.engagements.bytes)) == (0, 0, 0)
    assert "the log ends at offset 0" in caplog.text


async def test_a_copy_that_lacked_records_for_too_long_is_not_used(
    kafka: Topics, owner: Owner, followed: Followed, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """Compaction may have removed what deletes a key of it: beyond the limit the whole is read."""
    await owner.write(100)
    await until(lambda: followed.engagements() == 100)
    copy = followed.take()
    copy.whole_at -= kafka.settings.standby_lagged_milliseconds_max / 1000

    found = await whole(kafka.settings, copy)

    assert (found.warm, found.records) == (0, 100)
    assert "some may be compacted away" in caplog.text


async def test_what_a_newer_worker_wrote_ends_the_copy_and_nothing_else(
    owner: Owner, followed: Followed, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """A record of an unknown version is no reason to stop the worker: the copy is forgotten, the log says why."""
    await owner.write(10)
    await until(lambda: followed.engagements() == 10)
    await owner.write_raw(b"gE-newer", NEWER)
    await until(lambda: followed.standbys.copies == {})
    await owner.write(1)

    assert f"no warm copy of task {PARTITION}: table engagements: a changelog record has version byte" in caplog.text
    assert followed.standbys.take(PARTITION) is None


async def test_a_copy_taken_by_a_task_that_is_given_up_is_begun_anew(
    owner: Owner, followed: Followed, until: Until
) -> None:
    """The task that takes its copy while it moves to another worker leaves that partition wanted, so it is followed."""
    await owner.write(10)
    await until(lambda: followed.engagements() == 10)
    followed.take()
    await owner.write(10)

    await until(lambda: followed.engagements() == 20)
