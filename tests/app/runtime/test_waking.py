"""Reference data: read to the end before tasks begin, and what waits for it is woken exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import StartWorker, Topics, Until

pytestmark = pytest.mark.kafka


async def test_a_change_wakes_what_waits_for_it_once(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A hold ends with the change it waits for, in one transaction with what it held back; others stay."""
    await kafka.send("time-entries", [("E-1", "hold/rates:EUR/1"), ("E-1", "hold/rates:USD/2"), ("E-2", "a")])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 3)
        await kafka.send("rate-cards", [("card", "rates:EUR")])
        await until(lambda: running.value("records_written_total", stream="billing") == 2)
        await until(lambda: running.value("held_entries", reason="rates") == 1)
    async with worker() as running:
        await until(running.ready)

    outputs = await kafka.outputs()
    assert outputs == {"a": 1, "released:htime\x1f1": 1}


async def test_a_change_while_nobody_ran_wakes_on_activation(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A task whose cursors lie behind the reference data reacts to all of it when it begins, and only then."""
    await kafka.send("time-entries", [("E-1", "hold/fx:EUR/USD/1".replace("EUR/USD", "EURUSD"))])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 1)
    await kafka.send("fx-rates", [("EUR/USD", "fx:EURUSD")])
    for _ in range(2):
        async with worker() as running:
            await until(running.ready)
            await until(lambda: released(kafka))

    assert await kafka.outputs() == {"released:htime\x1f1": 1}


async def released(kafka: Topics) -> bool:
    """Whether anything left."""
    return bool(await kafka.outputs())


async def test_many_are_woken_a_bounded_number_at_a_time(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A change that ends many holds takes several transactions, and each hold still ends once."""
    await kafka.send("time-entries", [("E-1", f"hold/rates:EUR/{number}") for number in range(50)])
    async with worker(wake_entries_max=7) as running:
        await until(lambda: running.value("record_outcomes_total") == 50)
        before = running.value("transactions_committed_total")
        await kafka.send("rate-cards", [("card", "rates:EUR")])
        await until(lambda: running.value("records_written_total", stream="billing") == 50)

        assert running.value("transactions_committed_total") - before == 8
    outputs = await kafka.outputs()
    assert outputs == {f"released:htime\x1f{number}": 1 for number in range(50)}


async def test_nothing_that_waits_makes_no_transaction(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """A change nobody waits for moves the cursor in memory; the next transaction carries it."""
    async with worker() as running:
        await until(running.ready)
        await kafka.send("rate-cards", [("card", "rates:EUR")])
        await until(lambda: running.value("reference_records_total") == 1)
        await kafka.send("time-entries", [("E-1", "a")])
        await until(lambda: running.value("record_outcomes_total") == 1)

        assert running.value("transactions_committed_total") == 1
        cursors = [task.state.cursor("rate-cards") for task in running.tasks.by_partition.values()]
        assert sorted(cursors) == [0, 0, 0, 1]


async def test_undecodable_reference_records_are_put_aside_once(
    kafka: Topics, worker: StartWorker, until: Until
) -> None:
    """Every worker reads them and only task 0 writes them, also after restarts."""
    await kafka.send("resources", [("R-1", "resource:R-1"), ("R-2", "bad"), ("R-3", "resource:R-3")])
    for _ in range(2):
        async with worker() as running:
            await until(running.ready)
            await until(lambda: letters(kafka))
    async with worker() as running:
        await until(running.ready)
        await kafka.send("resources", [("R-4", "bad too")])
        await until(lambda: running.value("dead_letters_total") == 1)

    found = await kafka.read("dead-letters")
    assert [(one.key, one.value, one.partition) for one in found] == [(b"R-2", b"bad", 0), (b"R-4", b"bad too", 0)]


async def letters(kafka: Topics) -> bool:
    """Whether a dead letter is there."""
    return bool(await kafka.read("dead-letters"))
