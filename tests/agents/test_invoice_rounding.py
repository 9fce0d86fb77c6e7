"""Rounding by invoice: the lines of an accounting period and their rounding line are the exact sum, rounded once."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.codecs.errors import UndecodableError

from ..builders import Task, engagement, expense, invoice, period, ready_task, time_entry
from ..rules import sums
from ..rules.builders import contract
from ..rules.model import rounded

if TYPE_CHECKING:
    from ..builders import Object

LAW = settings(max_examples=100)
MODES = ["half_up", "half_even", "up", "down"]
DECEMBER = {"id": "2026-12", "start_date": "2026-12-01", "end_date": "2026-12-31"}


def by_invoice(revision: int = 1, rate: str = "100.1", **policies: object) -> Object:
    """Terms whose lines are rounded as a sum."""
    rates = [{"rate": rate}, {"rate": "800.05", "unit": "day", "role": "partner"}]
    return engagement(revision=revision, rates=rates, policies={"rounding_place": "invoice", **policies})


def task_with(terms: Object) -> Task:
    """A task in which November is open and December has not begun."""
    task = ready_task()
    # The year as one period would go on after November.
    task.refer(
        "periods", period(id="2026", revision=9, start_date="2020-01-01", end_date="2020-01-01", status="closed")
    )
    task.refer("periods", period(), period(**DECEMBER, status="future"))
    task.send("engagements", terms | {"revision": 2})
    task.clear()
    return task


def begin_december(task: Task, november: str = "open") -> None:
    """December opens."""
    task.refer("periods", period(revision=2, status=november), period(**DECEMBER, revision=2, status="open"))


def work(at: int, quantity: str = "0.25", **changes: object) -> Object:
    """An approved entry: 0.25 h at 100.10 is 25.025, billed as 25.03."""
    return time_entry(**{"id": str(at), "status": "approved", "quantity": quantity, "role": "", **changes})


def rounding(task: Task) -> list[Object]:
    """The rounding lines."""
    return [line for line in task.out["billing"] if line["kind"] == "rounding"]


def test_a_period_without_an_end_is_never_over() -> None:
    """9999-12-31 has no day after it: what its lines lack stays open, and nothing stops."""
    task = ready_task()
    task.refer("periods", period(id="2026", revision=9, start_date="2026-01-01", end_date="9999-12-31", status="open"))
    task.send("engagements", by_invoice(revision=2))

    task.send("time-entries", work(1), work(2))

    assert task.outcomes[-2:] == ["applied", "applied"]
    assert rounding(task) == []


def test_the_difference_is_a_line_once_the_next_period_begins() -> None:
    """Four lines of 25.03 are 100.12, their exact sum 100.10: -0.02 on the last day of November (M3)."""
    task = task_with(by_invoice())
    task.send("time-entries", *(work(at) for at in range(4)))
    task.send("expenses", expense(status="approved", amount="33.33"))
    assert rounding(task) == []
    task.restart()
    begin_december(task)
    [line] = rounding(task)

    assert (line["id"], line["amount"], line["accounting_date"]) == (
        "crm:rounding:E1:2026-11-01:billing:0",
        "-0.02",
        "2026-11-30",
    )
    assert (line["quantity"], line["rate"], line["unit"]) == ("1", "-0.02", "rounding")
    assert [(step["step"], step["value"]) for step in line["trace"]] == [
        ("lines", "4"), ("exact", "100.1"), ("rounded", "100.10"), ("billed", "100.12"), ("rounding_lines", "0.00"),
    ]  # fmt: skip
    assert line["trace"][0]["source"] == "billing lines of time of E1 with accounting dates 2026-11-01 to 2026-11-30"
    figures = task.figures()
    assert [figures[name] for name in ("billed", "rounding", "earned", "contract_liability")] == [
        "133.45",
        "-0.02",
        "133.43",
        "0.00",
    ]
    sums.journals_balance(task)
    sums.figures_are_sums(task)


def test_a_line_is_rounded_alone_by_default() -> None:
    """Without the policy there is no other line, whatever period begins."""
    task = task_with(by_invoice(rounding_place="line"))
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task)

    assert (rounding(task), task.figures()["rounding"]) == ([], "0.00")


def test_what_comes_late_is_followed_at_once() -> None:
    """After the rounding line a fifth entry of November makes another one; a withdrawn one takes its part back."""
    task = task_with(by_invoice())
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task)
    task.send("time-entries", work(5))
    assert [line["amount"] for line in rounding(task)] == ["-0.02"]  # 125.125 is 125.13; 125.15 are billed
    task.send("time-entries", work(6))
    assert [line["amount"] for line in rounding(task)] == ["-0.02", "-0.01"]
    task.send("time-entries", *(work(at, revision=2, status="deleted") for at in (0, 1, 2, 3, 5, 6)))

    assert sum(sums.minor(line["amount"]) for line in rounding(task)) == 0
    assert (task.figures()["rounding"], task.figures()["earned"]) == ("0.00", "0.00")
    sums.ids_are_unique(task)


def test_a_next_period_that_has_ended_has_begun() -> None:
    """December is closed and November open again: its lines are rounded as a sum at once."""
    task = task_with(by_invoice())
    task.refer("periods", period(**DECEMBER, revision=2, status="closed"))
    task.send("time-entries", *(work(at) for at in range(4)))

    assert [line["amount"] for line in rounding(task)] == ["-0.01", "-0.01"]


def test_a_closed_period_is_not_posted_to() -> None:
    """November closed before December began: the line waits and is told, until November is open again (M6)."""
    task = task_with(by_invoice())
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task, "closed")
    assert (rounding(task), [event["reason"] for event in task.out["exceptions"]]) == ([], ["period_closed"])
    task.refer("periods", period(revision=3))

    assert [line["amount"] for line in rounding(task)] == ["-0.02"]


def test_or_it_moves_to_the_next_open_period() -> None:
    """By the policy for closed periods the line is dated on December's first day; it is November's all the same."""
    task = task_with(by_invoice(closed_period="next_open_period"))
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task, "closed")
    [line] = rounding(task)

    assert (line["id"], line["accounting_date"]) == ("crm:rounding:E1:2026-11-01:billing:0", "2026-12-01")


def test_a_reversal_in_the_next_period_counts_there() -> None:
    """What was November's stays; December gets the reversed lines' difference as its own."""
    task = task_with(by_invoice(closed_period="next_open_period"))
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task)
    task.refer("periods", period(revision=3, status="closed"))
    task.send("time-entries", *(work(at, revision=2, status="deleted") for at in range(4)))
    task.refer("periods", period(id="2027-01", start_date="2027-01-01", end_date="2027-01-31"))

    assert [(line["id"], line["amount"]) for line in rounding(task)] == [
        ("crm:rounding:E1:2026-11-01:billing:0", "-0.02"),
        ("crm:rounding:E1:2026-12-01:billing:0", "0.02"),
    ]


@pytest.mark.parametrize(
    ("first", "then", "billed", "rounding_"),
    [pytest.param("line", "invoice", "100.12", "-0.02", id="agreed-later"), pytest.param("invoice", "line", "100.12", "0.00", id="given-up")],
)  # fmt: skip
def test_the_place_may_change(first: str, then: str, billed: str, rounding_: str) -> None:
    """Terms that come later leave what they would have left from the start (M9)."""
    task = task_with(by_invoice(rounding_place=first))
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task)
    task.send("engagements", by_invoice(3, rounding_place=then))

    assert (task.figures()["billed"], task.figures()["rounding"]) == (billed, rounding_)


def test_a_minimum_charge_is_whole_already() -> None:
    """A line that the rate's minimum replaced lacks nothing."""
    task = task_with(by_invoice() | {"rates": [{"rate": "100.1", "minimum_charge": "50"}]})
    task.send("time-entries", *(work(at) for at in range(4)))
    begin_december(task)

    assert (task.figures()["billed"], rounding(task)) == ("200.00", [])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"contract_type": "capped", "cap": {"amount": "9"}, "policies": {"rounding_place": "invoice"}}, id="cap"),
        pytest.param({"policies": {"rounding_place": "invoice", "correction": "adjust"}}, id="adjust"),
        pytest.param({"contract_type": "retainer", "fee": {"amount": "9", "drawdown": {}}, "policies": {"rounding_place": "invoice"}}, id="prepaid-balance"),
    ],
)  # fmt: skip
def test_lines_that_are_no_product_are_rounded_alone(changes: Object) -> None:
    """Parts under a cap, work that a balance pays, and adjusting lines are refused with the field named."""
    with pytest.raises(UndecodableError) as refused:
        contract(**changes)

    assert refused.value.field == "$.policies.rounding_place"


def tens(at: int, revision: int = 1, rate: str = "10.335", **changes: object) -> Object:
    """An approved hour at its own rate: 10.335 is billed as 10.34."""
    return work(at, revision=revision, quantity="1", rate=rate, **changes)


def invoiced(*numbers: int) -> Object:
    """An invoice of those entries as they were first billed."""
    return invoice(lines=[{"billing_id": f"psa:time:{at}:1:billing:0", "amount": "10.34"} for at in numbers])


@pytest.mark.parametrize("first", ["invoice", "corrections"])
def test_what_is_adjusted_counts_with_its_exact_worth(first: str) -> None:
    """10.335 + 2 x 20.33 are 50.995, so 51.00, whether the invoice or the corrections come first (M9)."""
    task = task_with(by_invoice())
    task.send("time-entries", *(tens(at) for at in (1, 2, 3)))
    begin_december(task)
    assert [line["amount"] for line in rounding(task)] == ["-0.01"]  # 31.005 is 31.01, and the lines are 31.02
    facts = [("invoices", [invoiced(1, 2)]), ("time-entries", [tens(at, 2, "20.33") for at in (1, 2)])]
    for stream, sent in facts if first == "invoice" else reversed(facts):
        task.send(stream, *sent)
        task.restart()

    figures = task.figures()
    assert sums.minor(figures["billed"]) + sums.minor(figures["rounding"]) == 51_00
    sums.journals_balance(task)
    sums.figures_are_sums(task)


def test_a_reversal_takes_back_what_adjusting_lines_counted() -> None:
    """Adjusted twice in November and once in December, then deleted: neither month keeps a rounding line (M6)."""
    task = task_with(by_invoice(closed_period="next_open_period"))
    task.send("time-entries", tens(1))
    task.send("invoices", invoiced(1))
    task.send("time-entries", tens(1, 2, "10.331"), tens(1, 3, "10.334"))
    begin_december(task, "closed")
    task.send("time-entries", tens(1, 4, "10.338"))
    task.restart()
    task.refer("periods", period(revision=3), period(id="2027-01", start_date="2027-01-01", end_date="2027-01-31"))
    adjusted = [line["amount"] for line in task.out["billing"] if line["action"] == "adjustment"]
    assert adjusted == ["-0.01", "0.00", "0.01"]
    task.send("time-entries", tens(1, 5, status="deleted"))

    by_month: dict[str, int] = defaultdict(int)
    for line in task.out["billing"]:
        by_month[line["work_date"] if line["kind"] == "rounding" else "lines"] += sums.minor(line["amount"])
    assert not any(by_month.values())
    sums.figures_are_sums(task)


@pytest.mark.parametrize("first", ["line", "invoice"])
@pytest.mark.parametrize(("rates", "exact"), [(("10.335",), 10_34), (("10.335", "10.334"), 20_67), (("10.335", "0.002"), 10_34)], ids=str)  # fmt: skip
def test_the_place_may_change_for_what_is_invoiced(first: str, rates: tuple[str, ...], exact: int) -> None:
    """What stands on an invoice is adjusted by 0.00, and counts from now on, or no longer, as all lines do (M9)."""
    task = task_with(by_invoice(rounding_place=first))
    task.send("time-entries", *(tens(at, rate=rate) for at, rate in enumerate(rates, start=1)))
    task.send("invoices", invoiced(1))
    begin_december(task)
    due = {"invoice": exact, "line": sum(rounded(Fraction(rate) * 100, "half_up") for rate in rates)}
    for revision, place in enumerate(["invoice", "line", "invoice"], start=3):
        task.restart()
        task.send("engagements", by_invoice(revision, rounding_place=place))
        figures = task.figures()
        assert sums.minor(figures["billed"]) + sums.minor(figures["rounding"]) == due[place]

    task.send("time-entries", *(tens(at, 2, status="deleted") for at in range(1, len(rates) + 1)))
    assert (task.figures()["billed"], task.figures()["rounding"]) == ("0.00", "0.00")
    sums.figures_are_sums(task)


entries = st.lists(
    st.tuples(
        st.sampled_from(["0.25", "1.333", "7", "-2.05", "0.001"]),
        st.sampled_from(["hour", "day", "minute"]),
        st.sampled_from(["2026-11-20", "2026-12-02"]),
        st.sampled_from(["", "partner"]),
        st.sampled_from([None, None, "deleted", "approved"]),
    ),
    min_size=1,
    max_size=6,
)


@LAW
@given(entries, st.sampled_from(MODES), st.sampled_from(["7.6", "8"]), st.randoms(use_true_random=False))
def test_lines_and_rounding_lines_are_the_exact_sum(drawn: list[Any], mode: str, day: str, chance: Random) -> None:
    """In any order of entries, corrections, terms and periods, for each group: exact sums of products, rounded once."""
    queues: list[list[tuple[str, Object]]] = []
    for at, (quantity, unit, date, role, again) in enumerate(drawn):
        sent = work(at, quantity, unit=unit, work_date=date, role=role)
        later = [] if again is None else [sent | {"revision": 2, "status": again, "quantity": "0.7"}]
        queues.append([("time-entries", one) for one in (sent, *later)])
    terms = by_invoice(3, rounding=mode, hours_per_day=day)
    queues.append([("engagements", terms)])
    queues.append([("periods", period(**DECEMBER, revision=2, status="open")), ("periods", period(id="2027-01", start_date="2027-01-01", end_date="2027-01-31"))])  # fmt: skip
    task = task_with(engagement(policies={"rounding": mode, "hours_per_day": day}))
    while any(queues):
        stream, sent = chance.choice([one for one in queues if one]).pop(0)
        task.refer(stream, sent) if stream == "periods" else task.send(stream, sent)
        if chance.random() < 1 / 4:
            task.restart()

    length = {"hour": Fraction(1), "minute": Fraction(1, 60), "day": Fraction(day)}
    exact: dict[str, Fraction] = defaultdict(Fraction)
    found: dict[str, int] = defaultdict(int)
    for line in task.out["billing"]:
        month = line["work_date"][:7]
        found[month] += sums.minor(line["amount"])
        if line["kind"] == "time":
            hours = Fraction(line["quantity"]) * length[line["unit"]] / length[line["rate_unit"]]
            exact[month] += hours * Fraction(line["rate"]) * 100
    assert found == {month: rounded(value, mode) for month, value in exact.items()}
    sums.journals_balance(task)
    sums.ids_are_unique(task)
    sums.figures_are_sums(task)


RATES = st.lists(st.sampled_from(["10.335", "20.33", "0.004", "7.77777"]), min_size=1, max_size=4)


@LAW
@given(st.lists(RATES, min_size=1, max_size=3), st.sampled_from(MODES), st.randoms(use_true_random=False))
def test_what_is_invoiced_when_makes_no_difference(drawn: list[list[str]], mode: str, chance: Random) -> None:
    """In any order of revisions, invoices of some and the next period: the exact sum of what counts, rounded once."""
    queues: list[list[tuple[str, Object]]] = [[("periods", period(**DECEMBER, revision=2, status="open"))]]
    for at, rates in enumerate(drawn):
        queues.append([("time-entries", tens(at, revision, rate)) for revision, rate in enumerate(rates, start=1)])
        billed = [{"billing_id": f"psa:time:{at}:1:billing:0", "amount": "10.34"}]
        queues.append([("invoices", invoice(id=f"I{at}", number=f"N{at}", lines=billed))])
    task = task_with(by_invoice(rounding=mode))
    while any(queues):
        stream, sent = chance.choice([one for one in queues if one]).pop(0)
        task.refer(stream, sent) if stream == "periods" else task.send(stream, sent)
        if chance.random() < 1 / 4:
            task.restart()

    figures = task.figures()
    exact = sum(Fraction(rates[-1]) * 100 for rates in drawn)
    assert sums.minor(figures["billed"]) + sums.minor(figures["rounding"]) == rounded(exact, mode)
    sums.ids_are_unique(task)
    sums.figures_are_sums(task)
