"""Takeovers from warm copies by real workers: whoever goes, the others go on at once, with every byte."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from billtide.app.audit.verification import verify
from billtide.app.runtime.changelog import restore

if TYPE_CHECKING:
    from billtide.tables.state import TaskState

    from .conftest import Running, StartProcess, StartWorker, Topics, Until

pytestmark = pytest.mark.kafka

PARTITIONS = 4


def rows(start: int, count: int) -> list[tuple[str, str]]:
    """Records of 40 engagements, each with a name of its own."""
    return [(f"E-{number % 40}", f"r{number}") for number in range(start, start + count)]


def tables(state: TaskState) -> list[dict[bytes, bytes]]:
    """Every table of a task as it is kept."""
    return [dict(table.bytes) for table in state.tables]


async def whole(kafka: Topics, partition: int) -> TaskState:
    """Restore a task from all of its changelog."""
    topic = kafka.settings.topic("state-changelog")
    return (await restore(kafka.settings, topic, partition, lambda _: None)).state


def is_warm(worker: Running, count: int) -> bool:
    """Whether a worker has so many copies, each with records and none behind."""
    copies = worker.shared.standbys.copies.values()
    return len(copies) == count and all(copy.records and not copy.lag for copy in copies)


async def test_a_killed_workers_tasks_go_on_from_copies(
    kafka: Topics, worker: StartWorker, process: StartProcess, until: Until
) -> None:
    """SIGKILL under load: the survivor reads next to nothing, has the changelog's bytes, and nothing is lost or twice."""
    count = 4_000
    await kafka.send("time-entries", rows(0, 2_000))
    victim = process(STANDBYS="1", SLAB_RECORDS_MAX="20")
    async with worker(standbys=1) as survivor:
        await until(lambda: victim.has_tasks() and survivor.ready(2) and is_warm(survivor, 2))
        assert "following warm copies" in survivor.surroundings.lasting
        own, read = survivor.value("restores_total"), survivor.value("restored_records_total")
        loading = asyncio.ensure_future(kafka.send("time-entries", rows(2_000, 2_000)))
        assert victim.end(signal.SIGKILL) == -signal.SIGKILL
        await loading
        await until(lambda: survivor.ready() and answered(kafka, count))

        assert survivor.value("warm_restores_total") == survivor.value("restores_total") - own == 2
        assert survivor.value("restored_records_total") - read < count / 100
        found = {n: tables(task.state) for n, task in survivor.tasks.by_partition.items() if task.state is not None}

    assert found == {n: tables(await whole(kafka, n)) for n in range(4)}
    assert set((await kafka.outputs()).values()) == {1}
    assert sum((await kafka.restored()).values()) == count
    assert (await verify(kafka.settings)).problems() == []


async def answered(kafka: Topics, count: int) -> bool:
    """Whether so many different records have an answer."""
    return len(await kafka.outputs()) >= count


def is_settled(*group: Running) -> bool:
    """Whether three workers share the four tasks, all active, and each task is warm at one worker that lacks it."""
    tasks = [len(one.tasks.by_partition) for one in group]
    copies = [len(one.shared.standbys.copies) for one in group]
    return (
        sorted(tasks) == [1, 1, 2]
        and sum(copies) == PARTITIONS
        and all(one.ready(count) for one, count in zip(group, tasks, strict=True))
        and all(is_warm(one, count) for one, count in zip(group, copies, strict=True))
    )


async def test_whichever_worker_goes_its_tasks_are_warm_elsewhere(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """Of three workers one goes: each task that moves by that, from whomever, goes on from a copy."""
    await kafka.send("time-entries", rows(0, 800))
    async with worker(standbys=1) as first, worker(standbys=1) as second:
        async with worker(standbys=1) as third:
            group = (first, second, third)
            await until(lambda: is_settled(*group))
            before = [(one.value("restores_total"), one.value("warm_restores_total")) for one in (first, second)]
        await until(lambda: first.ready(2) and second.ready(2))
        after = [(one.value("restores_total"), one.value("warm_restores_total")) for one in (first, second)]

    moved = [now - then for (now, _), (then, _) in zip(after, before, strict=True)]
    assert [now - then for (_, now), (_, then) in zip(after, before, strict=True)] == moved
    assert sum(moved) >= 1


async def test_without_standbys_nothing_is_followed(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """The default: workers that share the tasks keep no copies and connect for none."""
    await kafka.send("time-entries", rows(0, 100))
    async with worker() as first, worker() as second:
        await until(lambda: first.ready(2) and second.ready(2))
        assert first.shared.standbys.copies == second.shared.standbys.copies == {}
        assert "following warm copies" not in first.surroundings.lasting
