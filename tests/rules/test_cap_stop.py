"""Caps that stop: what lies beyond is not charged, is shown as such, and comes back when the cap rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..builders import Task, engagement, ready_task, time_entry
from .builders import MILLION, Ledger, contract, version

if TYPE_CHECKING:
    from ..builders import Object

NAMES = ("approved_value", "billed", "held", "non_chargeable")


def stopping(amount: str = "1000", revision: int = 1, **cap: object) -> Object:
    """Terms with one cap on the engagement that stops."""
    return engagement(contract_type="capped", cap={"amount": amount, "mode": "stop", **cap}, revision=revision)


def task_with(terms: Object, *hours: str) -> Task:
    """A task in which entries of these hours, at 100 an hour, were approved one after the other."""
    task = ready_task(terms)
    for at, quantity in enumerate(hours, 1):
        task.send("time-entries", time_entry(id=str(at), status="approved", quantity=quantity))
    return task


def figures(task: Task) -> list[str]:
    """Approved value and its parts."""
    return [task.figures()[name] for name in NAMES]


def test_the_rest_is_not_charged_and_waits_for_nobody() -> None:
    """8 and 4 h under 1,000: 800 and 200 billed, 200 not chargeable; nothing is held, nobody is told (M7)."""
    task = task_with(stopping(), "8", "4", "1")

    assert task.amounts() == ["800.00", "200.00"]
    assert task.out["billing"][1]["part_of"] == "400.00"
    assert figures(task) == ["1300.00", "1000.00", "0.00", "300.00"]
    assert task.figures()["held_entries"] == {}
    assert task.out["exceptions"] == []
    assert task.outcomes == ["applied"] * 3


def test_a_higher_cap_brings_it_back_in_order() -> None:
    """The cap rises by 250: the rest of entry 2 is charged, then a part of entry 3."""
    task = task_with(stopping(), "8", "4", "1")
    task.restart()
    task.clear()
    task.send("engagements", stopping("1250", revision=2))

    assert [(line["entry_id"], line["amount"]) for line in task.out["billing"]] == [("2", "200.00"), ("3", "50.00")]
    assert figures(task) == ["1300.00", "1250.00", "0.00", "50.00"]
    assert task.out["exceptions"] == []


def test_room_given_back_is_taken_by_what_was_not_charged() -> None:
    """A withdrawn entry frees its room, as under every cap."""
    task = task_with(stopping(), "8", "4")
    task.send("time-entries", time_entry(id="1", revision=2, status="deleted"))

    assert figures(task) == ["400.00", "400.00", "0.00", "0.00"]


def test_a_lower_cap_takes_back_and_does_not_hold() -> None:
    """800 billed, the cap falls to 300: 500 are not chargeable."""
    task = task_with(stopping(), "8")
    task.send("engagements", stopping("300", revision=2))

    assert figures(task) == ["800.00", "300.00", "0.00", "500.00"]


def test_a_withdrawn_entry_leaves_nothing_behind() -> None:
    """What was not charged of it is off the figures too."""
    task = task_with(stopping(), "12")
    task.send("time-entries", time_entry(id="1", revision=2, status="recalled"))

    assert figures(task) == ["0.00", "0.00", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("before", "after", "expected", "told"),
    [
        pytest.param("stop", "split", ["1200.00", "1000.00", "200.00", "0.00"], ["held"], id="stop-to-split"),
        pytest.param("split", "stop", ["1200.00", "1000.00", "0.00", "200.00"], ["held", "released"], id="split-to-stop"),
        pytest.param("stop", "hold", ["1200.00", "800.00", "400.00", "0.00"], ["held"], id="stop-to-hold"),
    ],
)  # fmt: skip
def test_the_mode_may_change_before_or_after(before: str, after: str, expected: list[str], told: list[str]) -> None:
    """New terms turn what is held into what is not chargeable, and back, as if they had come first (M9)."""
    task = task_with(stopping(mode=before), "8", "4")
    task.send("engagements", stopping(revision=2, mode=after))

    assert figures(task) == expected
    assert [event["action"] for event in task.out["exceptions"]] == told


@pytest.mark.parametrize(
    ("cap", "partial", "held", "non_chargeable"),
    [
        pytest.param(("1000", "split"), ("300", "stop"), 0, 50_000, id="the-one-that-stops-is-lower"),
        pytest.param(("300", "split"), ("500", "stop"), 20_000, 30_000, id="the-one-that-holds-is-lower"),
        pytest.param(("300", "stop"), ("500", "hold"), 30_000, 50_000, id="whole-or-not-at-all"),
    ],
)
def test_what_a_cap_that_stops_lets_through_is_held_by_others(
    cap: tuple[str, str], partial: tuple[str, str], held: int, non_chargeable: int
) -> None:
    """8 h under two caps: what no higher cap of the others could bring is not chargeable, the rest is held."""
    (amount, mode), (part, part_mode) = cap, partial
    agreed = contract(
        contract_type="capped",
        cap={"amount": amount, "mode": mode},
        caps=[{"id": "task", "amount": part, "mode": part_mode}],
    )
    ledger = Ledger(agreed)
    ledger.send(version(status="approved", quantity=8 * MILLION))
    found = ledger.engagement

    assert (found.held, found.non_chargeable) == (held, non_chargeable)
    assert found.approved_value == found.billed + found.held + found.non_chargeable
