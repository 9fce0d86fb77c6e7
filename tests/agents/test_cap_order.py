"""Who has the room under caps is decided by the work, never by arrival (M9): by its day, then by its name."""

from __future__ import annotations

from itertools import accumulate, permutations
from random import Random

import pytest

from ..builders import (
    Object,
    Task,
    capped,
    engagement,
    expense,
    invoice,
    period,
    rate_card,
    ready_task,
    time_entry,
    year,
)
from ..rules import sums
from .test_cap_room import standing

WEEKLY = {"id": "W", "amount": "900", "per": "week", "mode": "hold"}
ORDER = {"id": "PO", "amount": "1000", "tolerance": "50"}
HOLD = {"closed_period": "hold"}


def work(name: str, day: int, hours: str, **changes: object) -> Object:
    """Approved hours of a day of November 2026, at 100 each."""
    return time_entry(id=name, quantity=hours, status="approved", work_date=f"2026-11-{day:02}", **changes)


def capped_work(*entries: Object, amount: str = "300") -> Task:
    """A task that has met entries under a cap."""
    task = ready_task(capped(amount))
    for entry in entries:
        task.send("time-entries", entry)
    return task


@pytest.mark.parametrize(
    ("terms", "entries", "billed", "held"),
    [
        pytest.param(
            capped("1500", caps=[WEEKLY]),
            [work("1", 16, "5"), work("2", 17, "6"), work("3", 18, "4"), work("4", 23, "8")],
            {"1": 500_00, "3": 400_00, "4": 600_00}, "800.00", id="split-in-all-and-whole-by-the-week",
        ),
        pytest.param(
            engagement(contract_type="capped", caps=[ORDER]),
            [work("1", 16, "6"), work("2", 17, "4.5"), work("3", 18, "1"), work("4", 19, "-0.2")],
            {"1": 600_00, "2": 430_00 + 20_00, "4": -20_00}, "100.00", id="a-tolerance-for-what-fits-whole",
        ),
        pytest.param(
            engagement(contract_type="capped", caps=[ORDER | {"mode": "hold"}]),
            [work("1", 16, "6"), work("2", 17, "5"), work("3", 18, "4.5"), work("4", 19, "0.1")],
            {"1": 600_00, "3": 450_00}, "510.00", id="whole-with-a-tolerance",
        ),
        pytest.param(
            capped("1000"),
            [work("1", 16, "4"), expense(id="2", spent_on="2026-11-17", amount="300", status="approved"), work("3", 18, "4")],
            {"1": 400_00, "2": 300_00, "3": 300_00}, "100.00", id="expenses-among-time",
        ),
    ],
)  # fmt: skip
def test_any_order_bills_the_same_of_each_entry(
    terms: Object, entries: list[Object], billed: dict[str, int], held: str
) -> None:
    """Entries in each of their orders: what is billed of every one of them is the same."""
    for order in permutations(entries):
        task = ready_task(terms)
        for entry in order:
            task.send("expenses" if "spent_on" in entry else "time-entries", entry)
        assert (standing(task), task.figures()["held"]) == (billed, held)
        sums.figures_are_sums(task)
        sums.holds_end_once(task)


def test_who_gives_room_up_does_so_before_others_take_it() -> None:
    """A late entry of an early day: 3 and a part of 2 go first, then it is billed; the cap holds after every line."""
    task = capped_work(work("2", 18, "2"), work("3", 19, "1"))
    task.clear()
    task.send("time-entries", work("1", 17, "2"))

    lines = [(line["entry_id"], line["amount"]) for line in task.out["billing"]]
    assert lines == [("3", "-100.00"), ("2", "-200.00"), ("2", "100.00"), ("1", "200.00")]
    assert max(accumulate([300_00, *(sums.minor(amount) for _, amount in lines)])) <= 300_00
    assert standing(capped_work(work("1", 17, "2"), work("2", 18, "2"), work("3", 19, "1"))) == {"1": 200_00, "2": 100_00}  # fmt: skip


def test_a_credit_gives_room_whatever_its_day() -> None:
    """A credit of the last day lets an entry of the first be billed whole."""
    assert standing(capped_work(work("1", 17, "4"), work("2", 20, "-1"))) == {"1": 400_00, "2": -100_00}


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 20])
def test_where_slabs_end_makes_no_difference(cut: int) -> None:
    """Twenty entries of a week in any order, one by one and in slabs: the same lines with the same ids."""
    entries = [work(f"{number:02}", 16 + number % 5, "1") for number in range(20)]
    Random(cut).shuffle(entries)
    slabs = ready_task(capped("730.50"))
    for at in range(0, len(entries), cut):
        slabs.send("time-entries", *entries[at : at + cut])

    assert slabs.out["billing"] == capped_work(*entries, amount="730.50").out["billing"]


def test_a_long_history_has_the_room_of_its_order() -> None:
    """Hundreds of entries of a month, mixed, a third withdrawn and some corrected, under a cap in all and by the week."""
    chance, terms = Random(5), capped("9000", caps=[{**WEEKLY, "amount": "4000", "mode": "split"}])
    first = [work(f"{at:03}", 1 + at % 30, str(chance.choice((1, 2, 3.5, -1)))) for at in range(400)]
    again = [
        one | {"revision": 2, "status": chance.choice(("deleted", "approved")), "quantity": "1.5"}
        for one in chance.sample(first, 200)
    ]
    in_order, mixed = ready_task(terms), ready_task(terms)
    in_order.send("time-entries", *first, *again)
    for one in chance.sample(first, len(first)):
        mixed.send("time-entries", one)
    for at, one in enumerate(again):
        mixed.send("time-entries", one)
        if at % 50 == 0:
            mixed.restart()

    assert standing(mixed) == standing(in_order)
    assert mixed.figures() | {"approved_hours": ""} == in_order.figures() | {"approved_hours": ""}
    assert mixed.figures()["billed"] == "9000.00"


def named(entry: str, amount: str, **changes: object) -> Object:
    """An invoice of the first bill of an entry."""
    return invoice(lines=[{"billing_id": f"psa:time:{entry}:1:billing:0", "amount": amount}], **changes)


@pytest.mark.parametrize("when", ["invoiced first", "invoiced last"])
def test_what_is_invoiced_keeps_its_room(when: str) -> None:
    """3 stands on an invoice with 100 of its 200: 1 comes late and has the rest of the room, 2 has none (M9)."""
    task = capped_work(work("2", 18, "2"), work("3", 19, "2"))
    late = [("invoices", named("3", "100")), ("time-entries", work("1", 17, "3"))]
    for stream, sent in late if when == "invoiced first" else late[::-1]:
        task.send(stream, sent)

    assert standing(task) == {"1": 200_00, "3": 100_00}
    task.send("invoices", named("3", "100", revision=2, status="cancelled"))
    assert standing(task) == {"1": 300_00}
    sums.ids_are_unique(task)


def test_an_invoiced_entry_stays_whole_under_a_cap_that_holds() -> None:
    """50 of its 200 are on an invoice: it keeps all 200, and what comes late of an earlier day waits."""
    task = ready_task(engagement(contract_type="capped", cap={"amount": "300", "mode": "hold"}))
    task.send("time-entries", work("2", 18, "2"))
    task.send("invoices", named("2", "50"))
    task.send("time-entries", work("1", 17, "2"))

    assert standing(task) == {"2": 200_00}


def test_what_cannot_be_taken_back_now_keeps_its_room_until_it_can() -> None:
    """2 stands in a closed period: 1 waits for its room, and has it once the period opens again."""
    task = ready_task(capped("300", policies={"closed_period": "hold"}))
    task.refer("periods", year(revision=2, end_date="2026-10-31"), period())
    task.send("time-entries", work("2", 20, "3"))
    task.refer("periods", period(revision=2, status="closed"))
    task.send("time-entries", work("1", 20, "2") | {"work_date": "2026-10-30"})
    assert standing(task) == {"2": 300_00}
    assert task.figures()["held_entries"] == {"cap_reached": 1, "period_closed": 1}
    task.restart()
    task.refer("periods", period(revision=3))

    assert standing(task) == {"1": 200_00, "2": 100_00}
    sums.holds_end_once(task)


def billed_in_closed_november() -> Task:
    """Four hours of 20 November under a cap of 300, and a credit of 100 of October; then November is closed."""
    task = ready_task(capped("300", policies=HOLD))
    task.refer("periods", year(revision=2, end_date="2026-10-31"), period())
    task.send("time-entries", work("c", 1, "-1") | {"work_date": "2026-10-20"}, work("2", 20, "4"))
    task.refer("periods", period(revision=2, status="closed"))
    return task


CARD = rate_card(version=2, lines=[{"role": "analyst", "rate": "100"}, {"role": "pilot", "rate": "90"}])
NEXT_YEAR = year(id="2027", start_date="2027-01-01", end_date="2027-12-31")


@pytest.mark.parametrize("idle", [("rate-cards", CARD), ("periods", NEXT_YEAR)], ids=["a-card", "another-period"])
@pytest.mark.parametrize(
    ("change", "billed"),
    [
        pytest.param(("engagements", capped("200", revision=2, policies=HOLD)), "200.00", id="the-cap-is-lowered"),
        pytest.param(
            ("time-entries", work("c", 1, "-1", revision=2) | {"status": "deleted"}), "300.00", id="a-credit-is-gone"
        ),
    ],
)
def test_a_bill_over_the_cap_is_taken_back_once_its_period_opens(
    change: tuple[str, Object], billed: str, idle: tuple[str, Object]
) -> None:
    """All that is approved is billed, over the cap: it waits through what changes nothing, and not without end."""
    task = billed_in_closed_november()
    task.send(*change)
    assert task.figures()["held_entries"] == {"period_closed": 1}
    told = len(task.out["exceptions"])
    task.refer(*idle)
    assert len(task.out["exceptions"]) == told
    task.refer("periods", period(revision=3))

    assert (task.figures()["billed"], task.figures()["held_entries"]) == (billed, {"cap_reached": 1})
    sums.holds_end_once(task)


@pytest.mark.parametrize("restart", [False, True])
def test_a_cap_that_is_agreed_again_meets_what_was_billed_without_it(restart: bool) -> None:  # noqa: FBT001
    """Capped, then by time and materials, then capped as before: 3 came meanwhile and has the room by its day."""
    task = capped_work(work("1", 17, "2"), work("2", 18, "2"))
    task.send("engagements", engagement(revision=2))
    task.send("time-entries", work("3", 16, "3"))
    if restart:
        task.restart()
    task.send("engagements", capped("300", revision=3))

    assert standing(task) == {"3": 300_00}
    assert task.figures()["held"] == "400.00"


def test_an_entry_that_reference_data_releases_has_the_room_of_its_day() -> None:
    """1 had no rate when 2 came: once the card tells it, 2 gives the room up, in the wake's own transaction."""
    task = capped_work(work("1", 17, "2", role="pilot"), work("2", 18, "3"))
    assert standing(task) == {"2": 300_00}
    lines = [{"role": "analyst", "rate": "100"}, {"role": "pilot", "rate": "120"}]
    task.refer("rate-cards", rate_card(version=2, lines=lines))

    assert standing(task) == {"1": 240_00, "2": 60_00}


def test_a_price_that_changes_back_in_time_moves_the_room() -> None:
    """Dearer hours of 1 take room from 2, cheaper ones give it back."""
    task = capped_work(work("1", 17, "2", role="pilot"), work("2", 18, "3"))
    for version, (rate, second) in enumerate([("100", 100_00), ("140", 20_00), ("50", 200_00)], start=2):
        lines = [{"role": "analyst", "rate": "100"}, {"role": "pilot", "rate": rate}]
        task.refer("rate-cards", rate_card(version=version, lines=lines))
        assert standing(task)["2"] == second


def test_a_record_is_held_or_applied_by_what_becomes_of_it() -> None:
    """An entry that takes another's room does not wait; the other does, and its record was applied when it came."""
    task = capped_work(work("2", 18, "3"), work("1", 17, "3"), work("3", 19, "1"))

    assert task.outcomes == ["applied", "applied", "held"]
    assert task.figures()["held_entries"] == {"cap_reached": 2}
