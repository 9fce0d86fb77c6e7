"""Exactly once: what is applied is applied once and answered once, whatever happens to workers."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING

import pytest

from billtide.app.audit.verification import verify
from billtide.app.runtime.outgoing import partition_of
from billtide.app.runtime.transaction import TaskProducer
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    from billtide.app.runtime.outgoing import Batch

    from .conftest import StartProcess, StartWorker, Topics, Until

pytestmark = pytest.mark.kafka


def rows(start: int, count: int) -> list[tuple[str, str]]:
    """Records of 40 engagements, each with a name of its own."""
    return [(f"E-{number % 40}", f"r{number}") for number in range(start, start + count)]


async def answered(kafka: Topics, count: int) -> bool:
    """Whether `count` different records have an answer."""
    return len(await kafka.outputs()) >= count


async def check_once(kafka: Topics, count: int) -> None:
    """Assert one answer a record, a state that has counted each once, and an audit without break or fork."""
    outputs = await kafka.outputs()
    assert {name: times for name, times in outputs.items() if times != 1} == {}
    assert len(outputs) == count
    assert sum((await kafka.restored()).values()) == count
    found = await verify(kafka.settings)
    assert found.problems() == []
    assert found.events == count


async def test_records_are_applied_and_answered_once(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A worker applies every record once, and its state says so after a restore."""
    await kafka.send("time-entries", rows(0, 1_000))
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 1_000)

    await check_once(kafka, 1_000)
    assert set((await kafka.restored()).values()) == {25}


async def test_all_inputs_of_a_partition_share_one_state(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Two streams of the same engagement change the same state, in one task."""
    await kafka.send("time-entries", [("E-1", "a")])
    await kafka.send("expenses", [("E-1", "b")])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 2)

    assert await kafka.restored() == {"E-1": 2}


async def test_a_restart_resumes_at_the_position_in_state(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A second life applies what is new and nothing twice; no group offset is needed for it."""
    await kafka.send("time-entries", rows(0, 300))
    async with worker() as first:
        await until(lambda: first.value("record_outcomes_total") == 300)
    await kafka.send("time-entries", rows(300, 300))
    async with worker(app_id=kafka.settings.app_id, position_commit_milliseconds=60_000) as second:
        await until(lambda: second.value("record_outcomes_total") == 300)
        assert second.value("restored_records_total") > 0

    await check_once(kafka, 600)


async def test_a_restored_state_equals_the_one_in_memory(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """The changelog rebuilds every table byte for byte."""
    await kafka.send("time-entries", rows(0, 500))
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 500)
        before = {n: [dict(t.bytes) for t in task.state.tables] for n, task in running.tasks.by_partition.items()}
    async with worker() as again:
        await until(again.ready)
        after = {n: [dict(t.bytes) for t in task.state.tables] for n, task in again.tasks.by_partition.items()}

    assert before == after


async def test_a_zombie_is_fenced(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Once another producer of the task has started, the former owner's next transaction fails and changes nothing."""
    async with worker() as running:
        await until(running.ready)
        for partition in range(kafka.settings.partitions):
            usurper = TaskProducer(kafka.settings, TOPOLOGY, partition)
            await usurper.start()
            await usurper.discard(abort=False)
        await kafka.send("time-entries", rows(0, 100))
        await until(lambda: running.value("producer_fenced_total") > 0)
        # Nobody else is in the group, so the task is still ours and begins a new life.
        await until(lambda: running.value("record_outcomes_total") == 100)

    await check_once(kafka, 100)


async def test_an_unknown_outcome_starts_the_task_anew(
    kafka: Topics, worker: StartWorker, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the answer to a commit is lost, memory is thrown away and the log decides: nothing twice, nothing lost."""
    async with worker() as running:
        await until(running.ready)
        real = TaskProducer.write
        lost: list[str] = []

        async def write(self: TaskProducer, batches: list[Batch]) -> None:
            await real(self, batches)
            if len(lost) < 3:
                lost.append("unknown_outcome")
                raise TimeoutError

        monkeypatch.setattr(TaskProducer, "write", write)
        await kafka.send("time-entries", rows(0, 400))
        await until(lambda: answered(kafka, 400))
        await until(running.ready)

        assert running.value("task_failures_total", reason="unknown_outcome") == len(lost)

    await check_once(kafka, 400)


async def test_a_rebalance_loses_and_repeats_nothing(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Workers that come and go under load share the tasks; each record is applied once."""
    count = 4_000

    async def load() -> None:
        for start in range(0, count, 200):
            await kafka.send("time-entries", rows(start, 200))
            await asyncio.sleep(0.2)

    loading = asyncio.ensure_future(load())
    async with worker(slab_records_max=20) as first:
        await until(first.ready)
        async with worker(slab_records_max=20) as second:
            await until(lambda: first.ready(2) and second.ready(2))
        await until(first.ready)
        async with worker(slab_records_max=20) as third:
            await until(lambda: first.ready(2) and third.ready(2))
            await loading
            await until(lambda: answered(kafka, count))

    await check_once(kafka, count)


async def test_killed_workers_lose_and_repeat_nothing(
    kafka: Topics, process: StartProcess, until: Until, seed: int
) -> None:
    """SIGKILL at random moments, again and again, and every record is still applied and answered once."""
    chance, count, kills = random.Random(seed), 20_000, 4
    await kafka.send("time-entries", rows(0, count))
    for _ in range(kills):
        # A static member takes its tasks back at once instead of waiting until the dead one's session ends.
        victim = process(INSTANCE_ID="w", SLAB_RECORDS_MAX="20")
        before = len(await kafka.outputs())
        await until(lambda before=before: answered(kafka, min(count, before + 1)))
        await asyncio.sleep(chance.uniform(0, 0.5))
        assert victim.end(signal.SIGKILL) == -signal.SIGKILL
    last = process(INSTANCE_ID="w")
    await until(last.has_tasks)
    await until(lambda: answered(kafka, count))
    assert last.end(signal.SIGTERM) == 0

    await check_once(kafka, count)


async def test_a_slab_that_faust_drops_is_fetched_again(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """Faust clears its queues when it resumes; what was in them is noticed by the next slab and fetched again."""
    async with worker(slab_records_max=10) as running:
        await until(running.ready)
        task = running.tasks.by_partition[partition_of(b"E-1", kafka.settings.partitions)]
        await task.lock.acquire()
        await kafka.send("time-entries", [("E-1", f"r{number}") for number in range(100)])
        await until(lambda: task.waiting["time-entries"] == 2)
        await asyncio.sleep(0.1)  # the first is in hand, the second in Faust's queue
        running.application.flow_control.clear()
        task.waiting["time-entries"] -= 1  # as when the next slab was already on its way
        running.shared.gate_opened()
        await until(lambda: task.waiting["time-entries"] == 2)
        task.lock.release()
        await until(lambda: running.value("record_outcomes_total") == 100)
        assert running.value("slabs_lost_total") == 1

    await check_once(kafka, 100)


async def test_a_late_resume_of_faust_loses_nothing(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """When Faust ends a rebalance again that was over, tasks fetch again, also when no further record comes."""
    async with worker(slab_records_max=10) as running:
        await until(running.ready)
        task = running.tasks.by_partition[partition_of(b"E-1", kafka.settings.partitions)]
        await task.lock.acquire()
        await kafka.send("time-entries", [("E-1", f"r{number}") for number in range(20)])
        await until(lambda: task.waiting["time-entries"] == 2)
        await asyncio.sleep(0.1)
        running.application.flow_control.resume()
        running.application.on_rebalance_end()
        task.lock.release()
        await until(lambda: running.value("record_outcomes_total") == 20)

    await check_once(kafka, 20)


async def test_records_that_arrive_while_a_task_seeks_are_not_lost(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """A fetch that waits since before a seek may take the first records after it; they belong to the new epoch."""
    count = 60
    async with worker() as running:
        await until(running.ready)
        for number in range(count):
            running.tasks.fetch_again()
            await kafka.send("time-entries", [(f"E-{number % 40}", f"r{number}")])
        await until(lambda: running.value("record_outcomes_total") == count)
        assert running.value("slabs_lost_total") == 0

    await check_once(kafka, count)
