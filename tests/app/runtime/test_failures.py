"""What goes wrong in one task: it starts anew, the others go on, the worker stays."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError, ProducerFenced

from billtide.app import topics
from billtide.app.runtime.failures import PositionOutsideLogError, reason_of
from billtide.app.runtime.outgoing import Outgoing, partition_of
from billtide.app.runtime.transaction import OutcomeUnknownError
from billtide.tables.table import UnknownVersionError, UnreadableStateError

from ..cutting import cut_changelog

if TYPE_CHECKING:
    from pathlib import Path

    from billtide.app.runtime.outgoing import Batch, Changes

    from .conftest import StartWorker, Topics, Until

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize(
    ("error", "stage", "reason"),
    [
        pytest.param(ValueError(), "rules", "rules", id="a rule raised"),
        pytest.param(UnknownVersionError(), "activation", "state", id="written by a newer worker"),
        pytest.param(UnreadableStateError(), "rules", "state", id="broken state"),
        pytest.param(ProducerFenced(), "transaction", "fenced", id="fenced"),
        pytest.param(OutcomeUnknownError(), "transaction", "unknown_outcome", id="lost answer"),
        pytest.param(TimeoutError(), "activation", "kafka", id="no answer at activation"),
        pytest.param(KafkaError(), "transaction", "kafka", id="refused"),
        pytest.param(PositionOutsideLogError(), "activation", "position", id="outside the log"),
        pytest.param(ValueError(), "activation", "unexpected", id="anything else"),
    ],
)
def test_each_failure_has_a_reason(error: Exception, stage: str, reason: str) -> None:
    """Failures are told apart by what must be done about them."""
    assert reason == reason_of(error, stage)


def test_a_dead_sender_tells_what_killed_it() -> None:
    """aiokafka wraps what ended its sender; the reason is that of the cause."""
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = ProducerFenced()

    assert reason_of(wrapped, "transaction") == "fenced"


async def test_a_refused_batch_aborts_the_transaction(
    kafka: Topics, worker: StartWorker, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the broker refuses a batch nothing of the slab is committed, the task starts anew and applies it again."""
    real = Outgoing.close
    refused: list[int] = []

    def close(self: Outgoing, changes: Changes) -> list[Batch]:
        if not refused:
            refused.append(1)
            self.add_record(
                "billing", (b"E-1", random.Random(1).randbytes(10_000_000), [])
            )  # more than the topic takes
        return real(self, changes)

    monkeypatch.setattr(Outgoing, "close", close)
    async with worker(batch_bytes_max=32_000_000, message_bytes_max=64_000_000) as running:
        await kafka.send("time-entries", [("E-1", "a"), ("E-1", "b")])
        await until(lambda: running.value("record_outcomes_total") == 2)

        assert running.value("transactions_aborted_total", reason="kafka") == 1
    assert await kafka.outputs() == {"a": 1, "b": 1}
    assert await kafka.restored() == {"E-1": 2}


async def test_a_bug_in_a_rule_stops_only_its_task(
    kafka: Topics, worker: StartWorker, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slab that raises is retried with pauses while other tasks work; mended, it is applied once."""
    poison = tmp_path / "poison"
    poison.touch()
    monkeypatch.setenv("BILLTIDE_TEST_POISON", str(poison))
    count = kafka.settings.partitions
    engagements = {partition_of(f"E-{n}".encode(), count): f"E-{n}" for n in range(40)}
    async with worker() as running:
        await until(running.ready)
        await kafka.send("time-entries", [(engagements[0], "before"), (engagements[0], "poison")])
        await kafka.send("time-entries", [(engagements[n], f"other{n}") for n in range(1, count)])
        await until(lambda: running.value("record_outcomes_total") == count - 1)
        await until(lambda: running.value("transactions_aborted_total", reason="rules") >= 2)
        assert running.tasks.by_partition[0].phase != "active" or "a bug" in running.tasks.by_partition[0].problem
        poison.unlink()
        await until(lambda: running.value("record_outcomes_total") == count + 1)
        await until(running.ready)

    outputs = await kafka.outputs()
    assert outputs == {"before": 1, "poison": 1} | {f"other{n}": 1 for n in range(1, count)}


async def test_records_that_cannot_be_decoded_leave_as_they_came(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """A dead letter has the record's bytes, its place and what is wrong; the records around it are applied."""
    await kafka.send("expenses", [("E-1", "a"), ("E-1", "bad bytes"), ("E-1", "b")])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 3)
        assert running.value("dead_letters_total", stream="expenses", reason="malformed") == 1

    assert await kafka.outputs() == {"a": 1, "b": 1}
    [letter] = await kafka.read("dead-letters")
    assert (letter.key, letter.value) == (b"E-1", b"bad bytes")
    assert ("billtide_dead_letter_offset", b"1") in letter.headers


async def _delete(kafka: Topics, stream: str, partition: int, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.settings.kafka_bootstrap)
    await admin.start()
    where = TopicPartition(kafka.settings.topic(stream), partition)
    await admin.delete_records({where: RecordsToDelete(before_offset=before)})
    await admin.close()


async def test_a_position_outside_the_log_is_a_clear_error(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """When retention removed records a task has yet to read, it says which and what to do, and skips nothing."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    await kafka.send("time-entries", [("E-1", "a")])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 1)
    await kafka.send("time-entries", [("E-1", name) for name in "bcd"])
    await _delete(kafka, "time-entries", partition, 3)
    async with worker() as running:
        await until(lambda: running.ready() is False and running.tasks.by_partition.get(partition) is not None)
        task = running.tasks.by_partition[partition]
        await until(lambda: task.phase == "failed")
        assert "next offset is 1, the log holds 3 to 3" in task.problem
        assert "BILLTIDE_LOST_RECORDS=accept" in task.problem
        await until(lambda: sum(one.phase == "active" for one in running.tasks.by_partition.values()) == 3)
        assert [reason for reason in running.surroundings.telemetry.reasons() if "next offset is 1" in reason]
    assert await kafka.outputs() == {"a": 1}

    async with worker(lost_records="accept") as running:
        await until(lambda: running.value("record_outcomes_total") == 1)
    assert await kafka.outputs() == {"a": 1, "d": 1}


async def test_a_log_cut_under_a_running_task_is_an_error_too(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Records removed between two fetches stop the task; there is no silent jump to the first that is left."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    async with worker() as running:
        await until(running.ready)
        task = running.tasks.by_partition[partition]
        await task.lock.acquire()  # as if a slab took long
        for name in "abcdefgh":
            await kafka.send("time-entries", [("E-1", name)])
            await asyncio.sleep(0.2)
        await _delete(kafka, "time-entries", partition, 8)
        task.lock.release()
        await kafka.send("time-entries", [("E-1", "z")])
        await until(lambda: "retention has removed" in task.problem or running.value("record_outcomes_total") == 9)

        assert task.phase == "failed"
    assert "z" not in await kafka.outputs()


@pytest.mark.parametrize(("stream", "begun"), [("payments", 2), ("expenses", 0)])
async def test_an_input_cut_before_it_was_ever_read_is_an_error(
    kafka: Topics, worker: StartWorker, until: Until, stream: str, begun: int
) -> None:
    """A task that has done something knows where its other inputs began, so that what goes missing is missed."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    await kafka.send("time-entries", [("E-1", "a")])
    await kafka.send("payments", [("E-1", name) for name in "pq"])
    await _delete(kafka, "payments", partition, 2)  # before the first start: nothing of ours
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 1)
    await kafka.send(stream, [("E-1", "r")])
    await _delete(kafka, stream, partition, begun + 1)
    async with worker() as running:
        await until(lambda: partition in running.tasks.by_partition)
        task = running.tasks.by_partition[partition]
        await until(lambda: task.phase == "failed")
        missed = f"{kafka.settings.topic(stream)} partition {partition}: the state's next offset is {begun}"
        assert task.problem.startswith(missed)
    async with worker(lost_records="accept") as running:
        await until(running.ready)
    assert await kafka.outputs() == {"a": 1}


@pytest.mark.parametrize("stream", ["time-entries", "state-changelog"])
async def test_a_topic_created_anew_is_an_error(kafka: Topics, worker: StartWorker, until: Until, stream: str) -> None:
    """An input that ends before the position, or no state beside an audit, is no reason to begin again."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    await kafka.send("time-entries", [("E-1", name) for name in "ab"])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 2)
    await kafka.send("audit", [("0", "what was done")], partition)
    await _created_anew(kafka, stream)
    async with worker() as running:
        await until(lambda: partition in running.tasks.by_partition)
        task = running.tasks.by_partition[partition]
        await until(lambda: task.phase == "failed")
        assert f"{kafka.settings.topic(stream)} partition {partition}: " in task.problem
        assert "the topic was created anew" in task.problem
    assert await kafka.outputs() == {"a": 1, "b": 1}


async def _created_anew(kafka: Topics, stream: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.settings.kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([kafka.settings.topic(stream)])
    await admin.close()
    await topics.create(kafka.settings)


async def test_a_changelog_cut_at_its_beginning_is_an_error(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Compaction leaves the start of a log where it is: one that has moved has lost state. Other tasks go on."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    await kafka.send("time-entries", [("E-1", "a")])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 1)
    await cut_changelog(kafka.settings, partition, 1)
    await kafka.send("time-entries", [("E-1", "b")])
    async with worker() as running:
        await until(lambda: partition in running.tasks.by_partition)
        task = running.tasks.by_partition[partition]
        await until(lambda: task.phase == "failed")
        name = kafka.settings.topic("state-changelog")
        assert task.problem.startswith(f"{name} partition {partition}: the state begins at offset 0, the log holds 1")
        assert "offsets 0 to 0 were deleted" in task.problem
        assert "Put the topic back from a copy" in task.problem
        await until(lambda: sum(one.phase == "active" for one in running.tasks.by_partition.values()) == 3)
        assert running.value("task_failures_total", reason="position") >= 1
    assert await kafka.outputs() == {"a": 1}


async def test_a_foreign_open_transaction_hides_no_state(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """What a task commits behind one on its changelog is not readable yet: it begins once that ends, not without it."""
    partition = partition_of(b"E-1", kafka.settings.partitions)
    name = kafka.settings.topic("state-changelog")
    foreign = AIOKafkaProducer(bootstrap_servers=kafka.settings.kafka_bootstrap, transactional_id=f"{name}-foreign")
    await foreign.start()
    try:
        async with worker() as running:
            await until(running.ready)
            await foreign.begin_transaction()
            await foreign.send_and_wait(name, b"", b"x", partition=partition)
            await kafka.send("time-entries", [("E-1", "a")])
            await until(lambda: running.value("record_outcomes_total") == 1)
        async with worker() as running:
            await until(lambda: partition in running.tasks.by_partition)
            task = running.tasks.by_partition[partition]
            await until(lambda: task.problem or task.phase == "active")
            assert f"{name} partition {partition}: a transaction of another producer" in task.problem
            await until(lambda: sum(one.phase == "active" for one in running.tasks.by_partition.values()) == 3)
            await foreign.abort_transaction()
            await until(running.ready)
            await kafka.send("time-entries", [("E-1", "b")])
            await until(lambda: running.value("record_outcomes_total") == 1)
    finally:
        await foreign.stop()
    assert await kafka.outputs() == {"a": 1, "b": 1}
