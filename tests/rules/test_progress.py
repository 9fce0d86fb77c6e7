"""Revenue of a fixed fee by cost to cost: the standard's own figures, estimates that change, no drift."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.books import Books
from billtide.agents.rules.effects import Effects
from billtide.agents.rules.progress import earned_to_date, recognise
from billtide.codecs.records import EngagementState

from .builders import DAY, KNOWN, MILLION, Known, Ledger, contract, expense, person, version


def fixed(amount: str = "1000000", estimated_cost: str = "700000", **changes: object) -> object:
    """A fixed fee contract."""
    return contract(contract_type="fixed_fee", fee={"amount": amount, "estimated_cost": estimated_cost}, **changes)


@pytest.mark.parametrize(
    ("fee", "estimate", "cost", "expected"),
    [
        pytest.param("1000000", "700000", "420000", "600000.00", id="ifrs-15-example-8"),
        pytest.param("1350000", "820000", "420000", "691463.41", id="after-the-modification"),
        pytest.param("1350000", "820000", "502000", "826463.41", id="82000-more-cost"),
        pytest.param("1350000", "850000", "502000", "797294.12", id="the-estimate-rises"),
        pytest.param("1000000", "800000", "400000", "500000.00", id="wip-schedule-example-23"),
        pytest.param("200000", "100", "60", "120000.00", id="60-percent-done-example-19"),
        pytest.param("300", "100", "10", "30.00", id="10-percent-example-17"),
        pytest.param("300", "100", "15", "45.00", id="15-percent-example-17"),
        pytest.param("1000", "700", "0", "0.00", id="nothing-done"),
        pytest.param("1000", "700", "700", "1000.00", id="done"),
        pytest.param("1000", "700", "900", "1000.00", id="beyond-the-estimate-earns-the-fee"),
        pytest.param("1000", "700", "-5", "0.00", id="net-credit-earns-nothing"),
        pytest.param("0.01", "3", "2", "0.01", id="rounds-half-up"),
    ],
)
def test_revenue_to_date_is_fee_times_cost_over_estimate(fee: str, estimate: str, cost: str, expected: str) -> None:
    """Published figures come out to the cent (worked examples 17, 19, 20, 23)."""
    cents = round(float(cost) * 100)
    earned = earned_to_date(fixed(fee, estimate), EngagementState("E1", approved_cost=cents))

    assert expected == f"{earned // 100}.{earned % 100:02}"


def test_a_changed_estimate_catches_up_at_once() -> None:
    """600,000 recognised, modification to 1,350,000 and 820,000: 91,463.41 more; the next estimate takes back."""
    engagement, effects = EngagementState("E1", approved_cost=42_000_000), Effects()
    for fee, estimate, cost in (("1000000", "700000", 42_000_000), ("1350000", "820000", 42_000_000), ("1350000", "820000", 50_200_000), ("1350000", "850000", 50_200_000)):  # fmt: skip
        engagement.approved_cost = cost
        recognise(
            "crm:engagement:E1:1:progress:0", "E1", 1, DAY, Books(engagement, fixed(fee, estimate), KNOWN, effects)
        )

    assert [event.amount for event in effects.revenue] == ["600000.00", "91463.41", "135000.00", "-29169.29"]
    assert [event.earned_to_date for event in effects.revenue] == ["600000.00", "691463.41", "826463.41", "797294.12"]
    assert engagement.recognised == engagement.earned == 79_729_412


def test_revenue_taken_back_changes_the_sides_of_its_journal() -> None:
    """Amounts of journal lines stay positive; a negative event debits revenue."""
    engagement, effects = EngagementState("E1", approved_cost=10_000, recognised=90_000), Effects()
    recognise("a:b:c:1:progress:0", "c", 1, DAY, Books(engagement, fixed("1000", "1000"), KNOWN, effects))
    (event,) = effects.revenue

    assert event.amount == "-800.00"
    assert [(line.account, line.side, line.amount) for line in event.lines] == [
        ("revenue", "debit", "800.00"),
        ("contract_asset", "credit", "800.00"),
    ]


def test_nothing_is_posted_for_nothing() -> None:
    """Recognising again what is recognised leaves no event and uses no number."""
    engagement, effects = EngagementState("E1", approved_cost=10_000), Effects()
    books = Books(engagement, fixed("1000", "1000"), KNOWN, effects)
    used = [recognise("a:b:c:1:progress:0", "c", 1, DAY, books) for _ in range(2)]

    assert used == [True, False]
    assert len(effects.revenue) == 1


def test_approved_time_earns_and_is_not_billed() -> None:
    """Fixed price: time posts cost and, once approved, revenue; the customer sees no line (worked example 4)."""
    ledger = Ledger(fixed("5000", "4000"), Known(person(cost_rates=[{"rate": "100", "currency": "EUR"}])))
    ledger.send(version())
    assert ledger.effects.revenue == []
    ledger.decide("approved")

    assert [(event.method, event.amount) for event in ledger.effects.revenue] == [("cost_to_cost", "1000.00")]
    assert ledger.accrued() == [("cost", "accrual", "800.00 project_cost")]
    assert ledger.billed() == []


def test_a_withdrawn_entry_takes_its_progress_back() -> None:
    """Approved cost and recognised revenue follow the entry out, under an id of its own."""
    ledger = Ledger(fixed("5000", "4000"))
    ledger.send(version(status="approved"))
    ledger.send(version(revision=2, status="deleted"))
    ids = [event.id for event in ledger.effects.revenue]

    assert [event.amount for event in ledger.effects.revenue] == ["500.00", "-500.00"]
    assert len(set(ids)) == len(ids)
    assert (ledger.engagement.approved_cost, ledger.engagement.recognised, ledger.engagement.earned) == (0, 0, 0)


def test_the_cost_of_expenses_is_progress() -> None:
    """An expense's cost counts to cost to date, whatever the customer pays for it."""
    ledger = Ledger(fixed("5000", "4000", expenses={"policy": "non_billable"}))
    ledger.send(expense(status="approved", amount=40_000))

    assert [event.amount for event in ledger.effects.revenue] == ["500.00"]


@given(st.lists(st.integers(-50, 2_000), min_size=1, max_size=12), st.integers(1, 9_999), st.integers(1, 9_999))
def test_rounding_never_adds_up(quantities: list[int], fee: int, estimate: int) -> None:
    """However many entries there are, recognised revenue is one rounding away from the exact share of the fee."""
    under = fixed(str(fee), str(estimate))
    ledger = Ledger(under)
    for at, quantity in enumerate(quantities):
        ledger.send(version(id=str(at), status="approved", quantity=quantity * MILLION // 100))

    assert ledger.engagement.recognised == earned_to_date(under, ledger.engagement)
    assert ledger.engagement.approved_cost == ledger.engagement.cost
