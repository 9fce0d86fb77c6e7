"""How records flow: gates, back-pressure, draining, health, and the constants of libraries we lean on."""

from __future__ import annotations

import asyncio
import inspect
import signal
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer import sender

from billtide.app.runtime import tuning
from billtide.app.runtime.outgoing import partition_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import StartProcess, StartWorker, Topics, Until


def test_aiokafka_still_has_the_constant_we_lower() -> None:
    """The pause between two transactions is the module constant we set, read when a transaction begins.

    If this fails, aiokafka has changed it: measure back-to-back transactions again and mend runtime/tuning.py.
    """
    source = inspect.getsource(sender)
    assert "BACKOFF_OVERRIDE = 0.02" in source
    assert "return BACKOFF_OVERRIDE" in inspect.getsource(sender.AddPartitionsToTxnHandler.handle_response)
    tuning.tune()
    assert tuning.TRANSACTION_BACKOFF_SECONDS == sender.BACKOFF_OVERRIDE


def test_aiokafka_still_ends_transactions_where_we_replace_it() -> None:
    """The sender ends a transaction in `_do_txn_commit` with an EndTxnHandler, and nowhere else."""
    assert inspect.getsource(sender).count("EndTxnHandler(") == 2
    assert "EndTxnHandler(self, commit_result)" in inspect.getsource(sender.Sender._do_txn_commit)


@pytest.mark.parametrize("key", [b"", b"a", b"R-1", b"R-10042", "R-\u00e4".encode()])
def test_keys_go_where_every_client_sends_them(key: bytes) -> None:
    """Our partition of a key is that of Kafka's default partitioner."""
    partitions = list(range(12))
    assert DefaultPartitioner()(key, partitions, partitions) == partition_of(key, 12)


@pytest.mark.kafka
async def test_a_slow_task_pauses_only_its_partitions(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A task that cannot keep up has a bounded number of slabs waiting, while other tasks go on."""
    async with worker(slab_records_max=10) as running:
        await until(running.ready)
        slow = running.tasks.by_partition[partition_of(b"E-1", kafka.settings.partitions)]
        await slow.lock.acquire()
        await kafka.send("time-entries", [("E-1", f"slow{n}") for n in range(500)])
        other = next(k for k in (f"E-{n}" for n in range(40)) if partition_of(k.encode(), 4) != slow.partition)
        await kafka.send("time-entries", [(other, f"fast{n}") for n in range(100)])
        await until(lambda: running.value("record_outcomes_total") == 100)
        await until(lambda: running.value("paused_partitions") == 1)
        assert slow.waiting["time-entries"] == kafka.settings.slabs_waiting_max
        slow.lock.release()
        await until(lambda: running.value("record_outcomes_total") == 600)
        await until(lambda: running.value("paused_partitions") == 0)


@pytest.mark.kafka
async def test_a_worker_holds_a_bounded_number_of_slabs(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Over all partitions together no more slabs are held than the setting says."""
    most = 3
    async with worker(slab_records_max=10, slabs_held_max=most) as running:
        await until(running.ready)
        held = [task.lock for task in running.tasks.by_partition.values()]
        for lock in held:
            await lock.acquire()
        await kafka.send("time-entries", [(f"E-{n % 40}", f"r{n}") for n in range(2_000)])
        await until(lambda: sum(t.waiting.total() for t in running.tasks.by_partition.values()) >= most)
        await asyncio.sleep(0.5)
        # One fetch may bring a slab of several partitions at once.
        assert sum(t.waiting.total() for t in running.tasks.by_partition.values()) <= most + len(held) - 1
        for lock in held:
            lock.release()
        await until(lambda: running.value("record_outcomes_total") == 2_000)


@pytest.mark.kafka
async def test_lag_is_that_of_records_not_of_markers(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Lag falls to 0 behind the last record, transaction markers notwithstanding, and rises with what waits."""
    async with worker() as running:
        await until(running.ready)
        await kafka.send("time-entries", [("E-1", "a")])
        await until(lambda: running.value("record_outcomes_total") == 1)
        await until(lambda: running.value("consumer_lag_records") == 0)
        task = running.tasks.by_partition[partition_of(b"E-1", kafka.settings.partitions)]
        await task.lock.acquire()
        await kafka.send("time-entries", [("E-1", name) for name in "bcd"])
        await until(lambda: running.value("consumer_lag_records", stream="time-entries") == 3)
        task.lock.release()
        await until(lambda: running.value("consumer_lag_records") == 0)


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka")
async def test_health_says_why(worker: StartWorker, until: Until) -> None:
    """Ready only while every task is active and nothing drains; metrics are served beside it."""
    async with worker() as running, aiohttp.ClientSession() as session:
        address = running.surroundings.telemetry.address
        async with session.get(address + "/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["reasons"]
        async with session.get(address + "/livez") as answer:
            assert answer.status == 200
        await until(running.ready)
        async with session.get(address + "/readyz") as answer:
            assert answer.status == 200
            assert await answer.json() == {"status": "ready", "reasons": []}
        async with session.get(address + "/metrics") as answer:
            assert "billtide_records_received_total" in await answer.text()
        running.tasks.draining = True
        async with session.get(address + "/readyz") as answer:
            assert "draining" in (await answer.json())["reasons"]


@pytest.mark.kafka
async def test_a_stop_ends_what_is_begun(kafka: Topics, process: StartProcess, until: Until) -> None:
    """SIGTERM in the middle of a burst ends with code 0, everything committed whole, and the next worker goes on."""
    count = 3_000
    await kafka.send("time-entries", [(f"E-{n % 40}", f"r{n}") for n in range(count)])
    first = process(INSTANCE_ID="w", SLAB_RECORDS_MAX="20")
    await until(lambda: some(kafka, 1))
    assert first.end(signal.SIGTERM) == 0
    assert "Traceback" not in first.log.read_text()
    second = process(INSTANCE_ID="w")
    await until(second.has_tasks)
    await until(lambda: some(kafka, count))
    assert second.end(signal.SIGTERM) == 0

    outputs = await kafka.outputs()
    assert len(outputs) == count
    assert set(outputs.values()) == {1}


async def some(kafka: Topics, count: int) -> bool:
    """Whether so many records have an answer."""
    return len(await kafka.outputs()) >= count


@pytest.mark.kafka
async def test_a_worker_needs_no_disk(kafka: Topics, process: StartProcess, until: Until, tmp_path: Path) -> None:
    """Where no directory can be made it works all the same: its state is in the changelog."""
    file = tmp_path / "file"
    file.touch()
    running = process(DATA_DIR=str(file / "data"))
    await kafka.send("time-entries", [("E-1", "a")])
    await until(lambda: some(kafka, 1))

    assert await asyncio.to_thread(running.end, signal.SIGTERM) == 0


@pytest.mark.kafka
async def test_a_worker_does_not_start_on_wrong_topics(process: StartProcess) -> None:
    """Without its topics a worker ends at once with a sentence that says how to make them."""
    refused = process()
    assert await asyncio.to_thread(refused.process.wait, 60) != 0

    assert "billtide topics create" in refused.log.read_text()


@pytest.mark.kafka
async def test_a_worker_ends_when_an_input_gets_more_partitions(
    kafka: Topics, process: StartProcess, until: Until
) -> None:
    """Keys move to partitions where their state is not: it says so, commits nothing more, and does not start again."""
    grown = kafka.settings.topic("approvals")
    running = process(METADATA_MILLISECONDS_MAX="1000")
    await until(running.has_tasks)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.settings.kafka_bootstrap)
    await admin.start()
    await admin.create_partitions({grown: NewPartitions(kafka.settings.partitions + 1)})
    await admin.close()

    assert await asyncio.to_thread(running.process.wait, 60) != 0
    assert f"{grown} has 5 partitions now, not 4" in running.log.read_text()
    again = process()
    assert await asyncio.to_thread(again.process.wait, 60) != 0
    assert f"{grown}: it has 5 partitions, it must have 4" in again.log.read_text()
