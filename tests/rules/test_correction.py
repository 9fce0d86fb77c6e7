"""Corrections of what is billed: reversed and charged anew, or a line of the difference, and the same money by both."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .. import builders as records
from ..builders import Object, Task, approval, engagement, expense, fx_rate, rate_card, ready_task, time_entry
from .histories import Changes, History, caps, chances, fixed_fees, histories, late_changes, play, time_and_materials
from .test_invariants import always_true, figures, money_is_right

LAW = settings(max_examples=80)
ADJUST = {"policies": {"correction": "adjust"}}


def lines(task: Task) -> list[tuple[str, str]]:
    """What each billing line did, and how much."""
    return [(event["action"], event["amount"]) for event in task.out["billing"]]


def test_the_difference_is_one_line_that_names_the_charge() -> None:
    """8 h billed, 6 h right: -200.00 as one unit, with what is due and what was billed in the trace."""
    task = ready_task(engagement(**ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))
    charge, line = task.out["billing"]

    assert (line["action"], line["amount"], line["adjusts"]) == ("adjustment", "-200.00", charge["id"])
    assert line["id"] == "psa:time:1:2:billing:0"
    assert (line["quantity"], line["unit"], line["rate"], line["rate_unit"]) == ("1", "unit", "-200", "unit")
    assert [(step["step"], step["value"], step["source"]) for step in line["trace"]][1:] == [
        ("price", "600.00", "revision 2"),
        ("billed", "800.00", charge["id"]),
    ]
    assert task.amounts("revenue") == ["800.00", "-200.00"]
    assert [task.figures()[name] for name in ("billed", "earned", "approved_value", "cost")] == [
        "600.00",
        "600.00",
        "600.00",
        "300.00",
    ]


def test_every_adjusting_line_names_the_charge_and_has_an_id_of_its_own() -> None:
    """Corrected again and again: always the difference to what is billed, always to the same charge."""
    task = ready_task(engagement(**ADJUST))
    for revision, hours in enumerate(("8", "6", "7", "8"), start=1):
        task.send("time-entries", time_entry(revision=revision, status="approved", quantity=hours))
        task.restart()
    charge, *adjusting = task.out["billing"]

    assert lines(task) == [("charge", "800.00"), *(("adjustment", a) for a in ("-200.00", "100.00", "100.00"))]
    assert {line["adjusts"] for line in adjusting} == {charge["id"]}
    assert len({line["id"] for line in task.out["billing"]}) == 4


def test_a_withdrawal_reverses_line_by_line_as_billed() -> None:
    """Each line is mirrored with its own rate and quantity; handed in again it is a new charge."""
    task = ready_task(engagement(**ADJUST))
    task.send("time-entries", time_entry(status="approved", role="partner", rate="120"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))
    task.restart()
    task.send("time-entries", time_entry(revision=3, status="recalled"))
    charge, adjusting, *mirrors = task.out["billing"]

    for line, mirror in zip((charge, adjusting), mirrors, strict=True):
        assert mirror["reverses"] == line["id"]
        assert (mirror["rate"], mirror["rate_unit"], mirror["unit"]) == (line["rate"], line["rate_unit"], line["unit"])
        assert mirror.get("role") == line.get("role")
    assert [mirror["amount"] for mirror in mirrors] == ["-960.00", "360.00"]
    assert [mirror["quantity"] for mirror in mirrors] == ["-8", "-1"]


def test_a_charge_keeps_its_own_quantity_through_corrections_and_after_a_recall() -> None:
    """Twice corrected, recalled, handed in again and recalled: each charge is mirrored with its own hours."""
    task = ready_task(engagement(**ADJUST))
    for revision, (hours, status) in enumerate(
        [("8", "approved"), ("6", "approved"), ("5", "approved"), ("5", "recalled"), ("3", "approved"), ("3", "recalled")],
        start=1,
    ):  # fmt: skip
        task.send("time-entries", time_entry(revision=revision, status=status, quantity=hours))
    shown = [(line["action"], line["quantity"], line["amount"]) for line in task.out["billing"]]

    assert shown == [
        ("charge", "8", "800.00"),
        ("adjustment", "1", "-200.00"),
        ("adjustment", "1", "-100.00"),
        ("reversal", "-8", "-800.00"),
        ("reversal", "-1", "200.00"),
        ("reversal", "-1", "100.00"),
        ("charge", "3", "300.00"),
        ("reversal", "-3", "-300.00"),
    ]


RATE = pytest.param(
    time_entry(revision=2, status="approved", billable=False),
    [("reversal", "-800.00")],
    {},
    id="the-customer-no-longer-pays",
)
REVERSED = [
    RATE,
    pytest.param(
        time_entry(revision=2, status="approved", quantity="9"), [("reversal", "-800.00"), ("charge", "900.00")],
        {"contract_type": "capped", "cap": {"amount": "2000"}}, id="more-under-a-cap",
    ),
    pytest.param(
        time_entry(revision=2, status="approved", quantity="6"), [("reversal", "-800.00"), ("charge", "600.00")],
        {"contract_type": "capped", "cap": {"amount": "2000"}}, id="less-under-a-cap",
    ),
    pytest.param(
        time_entry(revision=2, status="approved", quantity="7"), [("reversal", "-500.00"), ("charge", "500.00")],
        {"contract_type": "capped", "cap": {"amount": "500"}}, id="over-the-cap",
    ),
    pytest.param(time_entry(revision=2, status="approved", role="partner"), [("reversal", "-800.00")], {}, id="the-new-price-is-unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected", "terms"), REVERSED)
def test_what_is_no_difference_to_a_whole_charge_is_reversed(
    sent: Object, expected: list[tuple[str, str]], terms: Object
) -> None:
    """Nothing to adjust to, or room under a cap to be given: reversed, and charged anew where it can be."""
    task = ready_task(engagement(**ADJUST, **terms))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.send("time-entries", sent)

    assert lines(task) == expected


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        pytest.param("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "90"}]), id="card"),
        pytest.param("engagements", engagement(revision=2, rates=[{"rate": "90"}], **ADJUST), id="terms"),
    ],
)
def test_a_rate_that_changes_back_in_time_is_a_difference_too(stream: str, sent: Object) -> None:
    """Cost is what it was and stays; the price falls by a line that names the charge, and comes back whole."""
    task = ready_task(engagement(**ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    (task.refer if stream == "rate-cards" else task.send)(stream, sent)
    assert [event["action"] for event in task.out["accruals"]] == ["accrual"]
    task.send("time-entries", time_entry(revision=2, status="deleted"))

    assert lines(task) == [
        ("charge", "800.00"),
        ("adjustment", "-80.00"),
        ("reversal", "-800.00"),
        ("reversal", "80.00"),
    ]


def test_a_charge_in_parts_is_reversed_part_by_part() -> None:
    """What a cap split is billed anew in one: a difference to two charges would have no source."""
    task = ready_task(records.capped("500", **ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    task.send("engagements", records.capped("2000", revision=2, **ADJUST))
    task.send("engagements", engagement(revision=3, **ADJUST))
    task.clear()
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))

    assert lines(task) == [("reversal", "-500.00"), ("reversal", "-300.00"), ("charge", "600.00")]


def test_a_charge_that_is_partly_held_is_reversed() -> None:
    """500 of 800 billed, then no cap and 90 an hour: 720 in one charge, not a difference to what never was billed."""
    task = ready_task(records.capped("500", **ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}], **ADJUST))

    assert lines(task) == [("reversal", "-500.00"), ("charge", "720.00")]


def test_a_correction_into_a_closed_period_is_reversed_and_waits() -> None:
    """What is wrong is taken back where that can be posted; the line that cannot be is held, and charged anew."""
    task = ready_task(engagement(rates=[{"rate": "100"}], **ADJUST))
    closed = records.year("closed", id="2025", start_date="2025-01-01", end_date="2025-12-31")
    task.refer("periods", closed)
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    assert task.send("time-entries", time_entry(revision=2, status="approved", work_date="2025-11-20")) == "held"
    assert lines(task) == [("reversal", "-800.00")]
    task.refer("periods", {**closed, "status": "open", "revision": 2})

    assert lines(task) == [("reversal", "-800.00"), ("charge", "800.00")]


@pytest.mark.parametrize("moved", [{"customer_id": "C2"}, {"legal_entity_id": "AT"}], ids=["customer", "legal-entity"])
def test_a_charge_to_somebody_else_is_reversed_where_it_was_made(moved: Object) -> None:
    """A difference would stand on the wrong account: the old charge is taken back, the new one made under new terms."""
    task = ready_task(engagement(**ADJUST))
    task.refer("periods", records.year(legal_entity_id="AT"))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.send("engagements", engagement(revision=2, **ADJUST, **moved))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))

    assert lines(task) == [("reversal", "-800.00"), ("charge", "800.00"), ("adjustment", "-200.00")]


def test_terms_that_no_longer_adjust_reverse_charge_and_adjusting_lines() -> None:
    """A new policy holds from the next correction on; what stands is taken back exactly."""
    task = ready_task(engagement(**ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))
    task.send("engagements", engagement(revision=2))
    task.clear()
    task.send("time-entries", time_entry(revision=3, status="approved", quantity="7"))

    assert lines(task) == [("reversal", "-800.00"), ("reversal", "200.00"), ("charge", "700.00")]


def test_a_correction_that_changes_no_money_has_no_line() -> None:
    """The same again in a higher revision leaves the charge alone."""
    task = ready_task(engagement(**ADJUST))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.send("time-entries", time_entry(revision=2, status="approved"))

    assert lines(task) == []


def test_an_expense_in_another_currency_is_adjusted_in_the_contracts() -> None:
    """100 USD at 0.9 billed, 80 right: -18.00 EUR; its mirror carries the exchange rate of no other line."""
    task = ready_task(engagement(**ADJUST))
    task.refer("fx-rates", fx_rate())
    task.send("expenses", expense(status="approved", currency="USD"))
    task.send("expenses", expense(revision=2, status="approved", currency="USD", amount="80"))
    task.send("approvals", approval(entry_type="expense", entry_revision=2, verdict="rejected"))

    assert lines(task) == [("charge", "90.00"), ("adjustment", "-18.00"), ("reversal", "-90.00"), ("reversal", "18.00")]
    assert [line.get("fx_rate") for line in task.out["billing"]] == ["0.9", None, "0.9", None]


def adjusted(terms: Object) -> Object:
    """The same terms, correcting by the difference."""
    return {**terms, "policies": {**terms.get("policies", {}), "correction": "adjust"}}


any_adjusted = (time_and_materials | caps | fixed_fees).map(adjusted)


@st.composite
def corrected(draw: st.DrawFn) -> History:
    """Histories in which most revisions come approved, so that many are corrections of what is billed."""
    history = draw(histories(any_adjusted, entries=2, revisions=4))
    chance = draw(chances)
    streams = {
        name: [
            {**sent, "status": chance.choice(("approved", "approved", sent["status"]))} if "status" in sent else sent
            for sent in history.streams[name]
        ]
        for name in ("time-entries", "expenses")
    }
    return History(history.terms, {**history.streams, **streams})


@LAW
@given(corrected(), chances, st.integers(0, 5))
def test_adjusting_leaves_the_money_that_is_right(history: History, chance: Random, restart_every: int) -> None:
    """Any statuses, corrections, decisions, orders and crashes: the law holds after every record (M1-M8)."""
    money_is_right(play(history.interleaved(chance), always_true, restart_every), history)


@LAW
@given(corrected(), chances, chances)
def test_both_policies_and_any_order_give_the_same_money(history: History, chance: Random, other: Random) -> None:
    """Adjusted in one order, reversed and rebilled in another: the same figures (M9).

    But for what of the bill is expenses: a cap is filled by whoever comes first.
    """
    rebilled = {**history.terms, "policies": {**history.terms["policies"], "correction": "reverse_and_rebill"}}
    streams = {**history.streams, "engagements": [rebilled]}

    one, another = play(history.interleaved(chance)), play(History(rebilled, streams).interleaved(other))
    shares = {"billed_expenses": 0} if "cap" in history.terms else {}

    assert figures(one) | shares == figures(another) | shares


@LAW
@given(corrected(), late_changes, chances, chances, st.integers(0, 5))
def test_terms_and_rates_that_change_are_adjusted_to_the_same_money(
    history: History, changes: Changes, chance: Random, other: Random, restart_every: int
) -> None:
    """Before, between or after the entries, and also where the policy itself changes (M2-M4, M7, M9)."""
    changing = history.changed(changes)
    one, another = play(changing.interleaved(chance), always_true, restart_every), play(changing.interleaved(other))
    shares = {"billed_expenses": 0} if "cap" in history.terms else {}

    assert figures(one) | shares == figures(another) | shares
