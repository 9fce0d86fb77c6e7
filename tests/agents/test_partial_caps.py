"""Caps on a part of the work: tasks, purchase orders, people, periods, and several of them at once."""

from __future__ import annotations

import pytest

from ..builders import Object, Task, capped, engagement, expense, ready_task, time_entry


def under(*caps: Object, **terms: object) -> Object:
    """Capped terms with partial caps only."""
    return engagement(contract_type="capped", caps=list(caps), **terms)


def approved(at: int, **changes: object) -> Object:
    """An approved entry of 8 hours at 100."""
    return time_entry(id=str(at), status="approved", **changes)


def lines(task: Task) -> list[tuple[str, str]]:
    """Entry and amount of each billing line."""
    return [(line["entry_id"], line["amount"]) for line in task.out["billing"]]


@pytest.mark.parametrize(
    ("cap", "entries", "billed"),
    [
        pytest.param(
            {"tasks": ["T1"]}, [{"task_id": "T1"}, {"task_id": "T1"}, {"task_id": "T2"}, {}],
            ["800.00", "200.00", "800.00", "800.00"], id="a-task",
        ),
        pytest.param(
            {"tasks": ["T1", "T2"]}, [{"task_id": "T1"}, {"task_id": "T2"}, {"task_id": "T3"}],
            ["800.00", "200.00", "800.00"], id="a-purchase-order-of-two-tasks",
        ),
        pytest.param(
            {"resources": ["R1"]}, [{}, {}, {"resource_id": "R2"}], ["800.00", "200.00", "800.00"], id="a-person",
        ),
        pytest.param(
            {"per": "day"}, [{}, {}, {"work_date": "2026-11-19"}], ["800.00", "200.00", "800.00"], id="a-day",
        ),
        pytest.param(
            {"per": "week"}, [{"work_date": "2026-11-16"}, {"work_date": "2026-11-22"}, {"work_date": "2026-11-23"}],
            ["800.00", "200.00", "800.00"], id="a-week-from-monday",
        ),
        pytest.param(
            {"per": "month"}, [{"work_date": "2026-11-01"}, {"work_date": "2026-11-30"}, {"work_date": "2026-12-01"}],
            ["800.00", "200.00", "800.00"], id="a-month",
        ),
        pytest.param({}, [{}, {}], ["800.00", "200.00"], id="everything"),
    ],
)  # fmt: skip
def test_a_cap_counts_what_it_covers(cap: Object, entries: list[Object], billed: list[str]) -> None:
    """Work outside of a cap is billed whole, however much of the cap is used."""
    task = ready_task(under({"id": "PO-7", "amount": "1000", **cap}))
    task.refer("resources", {"id": "R2", "revision": 1, "legal_entity_id": "DE", "cost_rates": [{"rate": "50", "currency": "EUR"}]})  # fmt: skip
    for at, changes in enumerate(entries, start=1):
        task.send("time-entries", approved(at, **changes))

    assert [amount for _, amount in lines(task)] == billed


def test_expenses_may_lie_outside_of_a_partial_cap() -> None:
    """includes_expenses says so, as it does of the cap on the engagement."""
    task = ready_task(under({"id": "PO-7", "amount": "800", "includes_expenses": False}))
    task.send("expenses", expense(status="approved"))
    task.send("time-entries", approved(2))

    assert lines(task) == [("1", "100.00"), ("2", "800.00")]


def test_the_narrowest_of_several_caps_decides() -> None:
    """An entry is billed as far as each cap that covers it allows; one that holds whole lets nothing through."""
    whole = {"id": "PO-8", "amount": "500", "mode": "hold", "tasks": ["T2"]}
    task = ready_task({**capped("1500"), "caps": [{"id": "PO-7", "amount": "300", "tasks": ["T1"]}, whole]})
    task.send("time-entries", approved(1, task_id="T1"), approved(2, task_id="T2"), approved(3), approved(4))

    assert lines(task) == [("1", "300.00"), ("3", "800.00"), ("4", "400.00")]
    assert (task.figures()["billed"], task.figures()["held"]) == ("1500.00", "1700.00")


def test_room_under_one_cap_releases_what_it_held() -> None:
    """A withdrawn entry frees the cap of its task; the entry that waited is billed, in its order (M8)."""
    task = ready_task(under({"id": "PO-7", "amount": "800", "tasks": ["T1"]}))
    task.send("time-entries", approved(1, task_id="T1"), approved(2, task_id="T1"), approved(3, task_id="T1"))
    task.clear()
    task.send("time-entries", time_entry(id="1", revision=2, status="deleted", task_id="T1"))

    assert lines(task) == [("1", "-800.00"), ("2", "800.00")]


def test_an_entry_that_moves_to_another_task_moves_between_caps() -> None:
    """A correction takes its amount out of the cap it was billed under and into that of its new task."""
    caps = [{"id": name, "amount": "800", "tasks": [name]} for name in ("T1", "T2")]
    task = ready_task(under(*caps))
    task.send("time-entries", approved(1, task_id="T1"), approved(2, task_id="T1"))
    task.clear()
    task.send("time-entries", approved(1, revision=2, task_id="T2"))

    assert lines(task) == [("1", "-800.00"), ("1", "800.00"), ("2", "800.00")]


def test_new_caps_count_what_is_billed_already() -> None:
    """Terms that bring a cap on a task give back what lies over it, also after a restart."""
    task = ready_task(under({"id": "all", "amount": "9999"}))
    task.send("time-entries", approved(1, task_id="T1"), approved(2, task_id="T1"), approved(3))
    task.clear()
    task.restart()
    task.send("engagements", under({"id": "PO-7", "amount": "1000", "tasks": ["T1"]}, revision=2))

    assert lines(task) == [("2", "-800.00"), ("2", "200.00")]
    assert (task.figures()["billed"], task.figures()["held"]) == ("1800.00", "600.00")
    task.send("engagements", under({"id": "PO-7", "amount": "1600", "tasks": ["T1"]}, revision=3))
    assert lines(task)[2:] == [("2", "600.00")]
