"""Room under a cap is given and taken by whatever changes what is billed: credits, their end, tolerance (M6, M8)."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest

from ..builders import Object, Task, engagement, ready_task, time_entry
from ..rules import sums

CAP = {"amount": "1000"}


def terms(revision: int = 1, **cap: object) -> Object:
    """Capped at 1,000."""
    return engagement(contract_type="capped", revision=revision, cap={**CAP, **cap})


def hours(number: str, quantity: str, **changes: object) -> Object:
    """Approved hours at 100 each."""
    return time_entry(id=number, quantity=quantity, status="approved", **changes)


def money(task: Task) -> tuple[str, str]:
    """What is billed, and what is held over the cap."""
    figures = task.figures()
    return figures["billed"], figures["held"]


WORK = (hours("1", "12"), hours("2", "-3"), hours("3", "4"))


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_a_credit_makes_room_in_any_order(order: tuple[int, ...]) -> None:
    """1,200 and 400 less a credit of 300 are 1,300: 1,000 are billed and 300 held, whatever comes first."""
    task = ready_task(terms())
    for place in order:
        task.send("time-entries", WORK[place])

    assert money(task) == ("1000.00", "300.00")


def test_the_room_of_a_credit_goes_with_it() -> None:
    """When the credit is deleted, what was billed in its room is held again, and the cap is not exceeded (M6)."""
    task = ready_task(terms())
    task.send("time-entries", *WORK)
    task.send("time-entries", hours("2", "-3", revision=2) | {"status": "deleted"})

    assert money(task) == ("1000.00", "600.00")


def test_a_smaller_credit_takes_its_room_back() -> None:
    """Corrected from 300 to 100, the credit leaves 1,000 billed of 1,500."""
    task = ready_task(terms())
    task.send("time-entries", *WORK)
    task.send("time-entries", hours("2", "-1", revision=2))

    assert money(task) == ("1000.00", "500.00")


@pytest.mark.parametrize("first", ["tolerance", "entries"])
def test_a_tolerance_agreed_later_lets_a_small_excess_through(first: str) -> None:
    """1,050 under a cap of 1,000 with a tolerance of 60 are billed whole, also when the cap was used up before (M9)."""
    task = ready_task(terms())
    revised = terms(2, tolerance="60")
    if first == "tolerance":
        task.send("engagements", revised)
    task.send("time-entries", hours("1", "10"), hours("2", "0.5"))
    if first == "entries":
        task.send("engagements", revised)

    assert money(task) == ("1050.00", "0.00")


def standing(task: Task) -> dict[str, int]:
    """What stands billed of each entry, in minor units."""
    billed: Counter[str] = Counter()
    for line in task.out["billing"]:
        billed[line["entry_id"]] += sums.minor(line["amount"])
    return {entry: amount for entry, amount in sorted(billed.items()) if amount}


@pytest.mark.parametrize("caps", [("100", "200"), ("200", "100", "200"), ("100", "150", "50", "200")], ids=" ".join)
@pytest.mark.parametrize("order", list(permutations("123")), ids=" ".join)
def test_the_latest_gives_back_first_and_the_earliest_is_billed_again_first(caps: tuple[str, ...], order: tuple[str, ...]) -> None:  # fmt: skip
    """Entries of 100 under a cap of 300, lowered and raised: at 200, 1 and 2 are billed and 3 waits (M8, M9)."""
    task = ready_task(terms(amount="300"))
    task.send("time-entries", *(hours(number, "1") for number in order))
    for revision, amount in enumerate(caps, start=2):
        task.restart()
        task.send("engagements", terms(revision, amount=amount))

    assert standing(task) == {"1": 100_00, "2": 100_00}
    sums.holds_end_once(task)


def test_work_dates_say_which_entry_is_the_latest() -> None:
    """Not the text of the ids: 10 was worked after 9 and before 8."""
    task = ready_task(terms(amount="300"))
    days = {"8": "2026-11-24", "9": "2026-11-20", "10": "2026-11-23"}
    task.send("time-entries", *(hours(number, "1", work_date=day) for number, day in days.items()))
    task.send("engagements", terms(2, amount="200"))
    assert standing(task) == {"10": 100_00, "9": 100_00}
    task.send("engagements", terms(3, amount="100"))
    assert standing(task) == {"9": 100_00}
    task.send("engagements", terms(4, amount="200"))
    assert standing(task) == {"10": 100_00, "9": 100_00}


def test_what_comes_late_has_the_room_of_its_day() -> None:
    """0 comes last, when the cap is used up, and is the earliest work: 3 gives its room up, and has it again."""
    task = ready_task(terms(amount="300"))
    task.send("time-entries", *(hours(number, "1") for number in "1230"))
    assert standing(task) == {"0": 100_00, "1": 100_00, "2": 100_00}
    task.send("engagements", terms(2, amount="400"))

    assert standing(task) == {"0": 100_00, "1": 100_00, "2": 100_00, "3": 100_00}
    sums.holds_end_once(task)
