"""What follows an input's last record in its log is passed over, so that retention may remove it with that record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from faust.types.tuples import TP

from billtide.app.runtime.outgoing import partition_of
from billtide.app.runtime.quiet import move

if TYPE_CHECKING:
    from .conftest import StartWorker, Topics, Until

pytestmark = pytest.mark.kafka

KEY = b"E-1"
QUIET_MILLISECONDS = 200


async def send_in_transaction(kafka: Topics, *values: str) -> TopicPartition:
    """Send records as a transactional producer does; a marker is left behind them."""
    partition = partition_of(KEY, kafka.settings.partitions)
    where = TopicPartition(kafka.settings.topic("time-entries"), partition)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.settings.kafka_bootstrap, transactional_id=f"{kafka.settings.app_id}-sender"
    )
    async with producer, producer.transaction():
        for value in values:
            await producer.send(where.topic, value.encode(), KEY, partition=where.partition)
    return where


async def remove(kafka: Topics, where: TopicPartition, before: int) -> None:
    """Remove what is below an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.settings.kafka_bootstrap)
    await admin.start()
    await admin.delete_records({where: RecordsToDelete(before_offset=before)})
    await admin.close()


async def test_a_marker_that_retention_removes_is_no_lost_record(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """A worker that starts after the last record and its marker are gone goes on with the next record."""
    where = await send_in_transaction(kafka, "a", "b")
    async with worker(quiet_input_milliseconds=QUIET_MILLISECONDS) as running:
        await until(lambda: running.ready() and running.value("record_outcomes_total") == 2)
        task = running.tasks.by_partition[where.partition]
        assert task.state is not None
        state = task.state
        await until(lambda: state.position("time-entries").offset == 3)
    await remove(kafka, where, 3)

    async with worker() as running:
        await until(running.ready)
        await send_in_transaction(kafka, "c")
        await until(lambda: running.value("record_outcomes_total") == 1)
    assert await kafka.outputs() == {"a": 1, "b": 1, "c": 1}


async def test_an_input_is_passed_over_once(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A transaction for the record, one for what follows it, and none for as long as nothing comes."""
    await send_in_transaction(kafka, "a")
    async with worker(quiet_input_milliseconds=QUIET_MILLISECONDS) as running:
        await until(lambda: running.value("transactions_committed_total") == 2)
        await asyncio.sleep(5 * QUIET_MILLISECONDS / 1000)
        assert running.value("transactions_committed_total") == 2


async def test_a_position_is_not_moved_past_what_is_on_its_way(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """Only what was read under the task's own seek, with nothing handed over and not yet committed, is passed over."""
    where = await send_in_transaction(kafka, "a", "b")
    async with worker() as running:
        await until(lambda: running.ready() and running.value("record_outcomes_total") == 2)
        task = running.tasks.by_partition[where.partition]
        state = task.state
        assert state is not None
        reached = (await running.shared.thread.reached())[TP(*where)]
        assert reached.position == 3
        for wrong in (
            reached._replace(epoch=reached.epoch - 1),
            reached._replace(handed=reached.handed - 1),
            reached._replace(handed=reached.handed + 1),
        ):
            await move(task, {"time-entries": wrong})
            assert state.position("time-entries").offset == 2

        await move(task, {"time-entries": reached})
        assert state.position("time-entries").offset == 3
