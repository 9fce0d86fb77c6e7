"""Caps: split to the cent, hold whole entries, release in order when room appears."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import MILLION, Ledger, contract, expense, version

if TYPE_CHECKING:
    from .. import builders as records


def capped(amount: str, mode: str = "split", **cap: object) -> Ledger:
    """A ledger under a cap."""
    return Ledger(contract(contract_type="capped", cap={"amount": amount, "mode": mode, **cap}))


def hours(ledger: Ledger, *quantities: int) -> list[str]:
    """Send approved entries of these hours; what each of them waits for."""
    sent = [
        version(id=str(at), status="approved", quantity=quantity * MILLION) for at, quantity in enumerate(quantities, 1)
    ]
    waits = [ledger.send(one) for one in sent]
    return ["" if missing is None else missing.reason for missing in waits]


@pytest.mark.parametrize(
    ("mode", "amount", "quantities", "billed", "held"),
    [
        pytest.param("split", "1000", (4, 6), ["400.00", "600.00"], 0, id="just-enough"),
        pytest.param("split", "1000", (8, 8), ["800.00", "200.00"], 60_000, id="split"),
        pytest.param("split", "1000.01", (8, 8), ["800.00", "200.01"], 59_999, id="split-to-the-cent"),
        pytest.param("split", "1000", (10, 8, 8), ["1000.00"], 160_000, id="no-room"),
        pytest.param("split", "0", (8,), [], 80_000, id="nothing-at-all"),
        pytest.param("hold", "1000", (8, 8), ["800.00"], 80_000, id="hold-whole"),
        pytest.param("hold", "1000", (8, 8, 2), ["800.00", "200.00"], 80_000, id="a-smaller-one-fits"),
        pytest.param("hold", "300", (1, 1, 1, 2), ["100.00", "100.00", "100.00"], 20_000, id="worked-example-11"),
        pytest.param("split", "1000", (10, -2, 1), ["1000.00", "-200.00", "100.00"], 0, id="negative-time-makes-room"),
        pytest.param("split", "1000", (10, 0), ["1000.00", "0.00"], 0, id="nothing-worked-needs-no-room"),
    ],
)
def test_a_cap_is_never_exceeded(
    mode: str, amount: str, quantities: tuple[int, ...], billed: list[str], held: int
) -> None:
    """What fits is billed, the rest is held and said to be (M6, M7)."""
    ledger = capped(amount, mode)
    hours(ledger, *quantities)
    engagement = ledger.engagement

    assert billed == [event.amount for event in ledger.effects.billing]
    assert held == engagement.held
    assert engagement.approved_value == engagement.billed + engagement.held


def test_what_lies_over_the_cap_waits_with_its_amount() -> None:
    """The message says how much is over and what can be done."""
    ledger = capped("1000")
    hours(ledger, 8)
    missing = ledger.send(version(id="2", status="approved"))

    assert missing is not None
    assert (missing.reason, missing.waits_on) == ("cap_reached", "cap:E1")
    assert missing.message == "600.00 EUR lie over the cap of engagement E1; raise the cap, or take something else back"


def test_a_part_says_what_it_is_part_of() -> None:
    """Both lines of a split entry carry its whole amount, whole quantity and rate; the parts add up."""
    ledger = capped("500")
    hours(ledger, 8)
    ledger.contract = contract(contract_type="capped", cap={"amount": "2000"}, revision=2)
    assert ledger.settle() is None
    lines = ledger.effects.billing

    assert [(line.amount, line.part_of, line.rate) for line in lines] == [
        ("500.00", "800.00", "100"),
        ("300.00", "800.00", "100"),
    ]
    assert [line.id for line in lines] == ["psa:time:1:1:billing:0", "psa:time:1:1:billing:1"]


def test_the_trace_of_a_later_part_belongs_to_its_rate() -> None:
    """The rest of an entry is billed at the price of its first part, and the trace explains that price.

    New terms that come to the same amount in another way do not take back what is billed.
    """
    ledger = capped("500")
    hours(ledger, 8)
    by_day = [{"rate": "800", "unit": "day"}]
    ledger.contract = contract(contract_type="capped", cap={"amount": "2000"}, rates=by_day, revision=2)
    ledger.settle()
    line = ledger.effects.billing[-1]

    assert (line.rate, [step.value for step in line.trace if step.step == "rate"]) == ("100", ["100/hour"])


def test_a_new_rate_prices_every_part_anew() -> None:
    """A part billed at the old rate is taken back whole, and billed with the rest at the new one."""
    ledger = capped("500")
    hours(ledger, 8)
    ledger.clear()
    ledger.contract = contract(contract_type="capped", cap={"amount": "2000"}, rates=[{"rate": "120"}], revision=2)
    ledger.settle()

    assert ledger.billed() == [("reversal", "-500.00"), ("charge", "960.00")]
    assert (ledger.engagement.billed, ledger.engagement.held, ledger.engagement.approved_value) == (96_000, 0, 96_000)


def test_both_parts_are_reversed() -> None:
    """A withdrawn entry takes every part of its bill back, and its room in the cap."""
    ledger = capped("500")
    hours(ledger, 8)
    ledger.contract = contract(contract_type="capped", cap={"amount": "600"}, revision=2)
    ledger.settle()
    ledger.clear()
    ledger.send(version(revision=2, status="deleted"))
    engagement = ledger.engagement

    assert ledger.billed() == [("reversal", "-500.00"), ("reversal", "-100.00")]
    assert [event.part_of for event in ledger.effects.billing] == ["-800.00", "-800.00"]
    assert (engagement.billed, engagement.held, engagement.billed_expenses, engagement.approved_value) == (0, 0, 0, 0)


def test_an_entry_without_room_keeps_its_cost_and_no_accrual() -> None:
    """Approved and held: its work in progress is closed, its cost stays, its value is held."""
    ledger = capped("0")
    ledger.send(version())
    ledger.decide("approved")

    assert [(kind, action) for kind, action, _ in ledger.accrued()] == [
        ("cost", "accrual"),
        ("work_in_progress", "accrual"),
        ("work_in_progress", "reversal"),
    ]
    assert (ledger.engagement.unbilled, ledger.engagement.held, ledger.engagement.cost) == (0, 80_000, 40_000)


@pytest.mark.parametrize(
    ("includes_expenses", "billed"),
    [pytest.param(True, ["800.00", "200.00"], id="inside"), pytest.param(False, ["800.00", "1000.00"], id="outside")],
)
def test_expenses_count_to_the_cap_when_the_contract_says_so(includes_expenses: bool, billed: list[str]) -> None:  # noqa: FBT001
    """A cap on time alone lets expenses through."""
    ledger = capped("1000", includes_expenses=includes_expenses)
    hours(ledger, 8)
    ledger.send(expense(id="2", status="approved", amount=100_000))

    assert billed == [event.amount for event in ledger.effects.billing]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"contract_type": "time_and_materials"}, {"contract_type": "capped", "cap": {"amount": "1000"}}, id="cap-agreed-later"),
        pytest.param({"contract_type": "capped", "cap": {"amount": "9000", "includes_expenses": False}}, {"contract_type": "capped", "cap": {"amount": "1000"}}, id="expenses-taken-in"),
    ],
)  # fmt: skip
def test_what_was_billed_before_a_cap_counts_to_it(before: records.Object, after: records.Object) -> None:
    """A cap is what the customer pays in all: changing the terms does not forget what is billed already (M6)."""
    ledger = Ledger(contract(**before))
    ledger.send(expense(id="0", status="approved", amount=80_000))
    ledger.contract = contract(revision=2, **after)
    ledger.send(version(id="1", status="approved"))

    assert ledger.engagement.billed <= 100_000


def test_a_reversal_gives_back_only_the_room_it_took() -> None:
    """An entry billed before there was a cap makes no room by being withdrawn (M6)."""
    ledger = Ledger(contract())
    ledger.send(version(id="0", status="approved"))
    ledger.contract = contract(revision=2, contract_type="capped", cap={"amount": "1000"})
    ledger.send(version(id="0", revision=2, status="deleted"))
    hours(ledger, 8, 8)

    assert ledger.engagement.billed == 100_000


def test_a_cap_below_what_is_billed_lets_nothing_more_through() -> None:
    """There is no negative room: the next entry is held whole."""
    ledger = capped("1000")
    hours(ledger, 8)
    ledger.contract = contract(contract_type="capped", cap={"amount": "500"}, revision=2)
    ledger.clear()
    ledger.send(version(id="2", status="approved"))

    assert ledger.billed() == []
    assert ledger.engagement.held == 80_000


def test_without_a_cap_any_more_the_rest_is_billed() -> None:
    """Terms without a cap let everything through that was held by it."""
    ledger = capped("500")
    hours(ledger, 8)
    ledger.contract = contract(revision=2)

    assert ledger.settle() is None
    assert [event.amount for event in ledger.effects.billing] == ["500.00", "300.00"]
