"""Published figures of fees over time: deferred revenue, prepaid balances. The source is named in each case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ..builders import Object, Task, engagement, period, ready_task, time_entry


@pytest.mark.parametrize(
    ("start", "end", "fee", "published", "ours"),
    [
        pytest.param(
            "2019-01-10", "2019-03-15", "100",
            [("2019-01-31", "33.85"), ("2019-02-28", "43.08"), ("2019-03-15", "23.07")],
            [("2019-01-31", "33.85"), ("2019-02-28", "43.07"), ("2019-03-15", "23.08")],
            id="ERPNext-test_sales_invoice-test_deferred_revenue",
        ),
    ],
)  # fmt: skip
def test_a_fee_is_earned_by_day(
    start: str, end: str, fee: str, published: list[tuple[str, str]], ours: list[tuple[str, str]]
) -> None:
    """Straight line by day of a service that begins and ends within months.

    ERPNext rounds each month and lets the last take the rest; here what is earned through a day is rounded, so that no
    month is ever more than half a cent off. Dates and the sum agree, a month differs by a cent at most.
    """
    schedule = [{"start_date": start, "end_date": end}]
    task = Task()
    task.refer("periods", period(id="2019", start_date="2019-01-01", end_date="2019-12-31"))
    task.send(
        "engagements",
        engagement(
            contract_type="subscription", start_date=start, end_date=end, fee={"amount": fee, "schedule": schedule}
        ),
    )
    earned = [(event["accounting_date"], event["amount"]) for event in task.out["revenue"]]

    assert earned == ours
    assert [date for date, _ in earned] == [date for date, _ in published]
    assert sum(Decimal(amount) for _, amount in published) == sum(Decimal(amount) for _, amount in earned)
    assert all(
        abs(Decimal(one) - Decimal(other)) <= Decimal("0.01")
        for (_, one), (_, other) in zip(published, earned, strict=True)
    )


@pytest.mark.parametrize(
    ("fee", "drawdown", "work", "left", "owed"),
    [
        pytest.param("600", {}, ["100"] * 1, "500.00", "600.00", id="Zuora-prepaid-drawdown-example-1-after-1-of-6-months"),
        pytest.param("600", {}, ["100"] * 6, "0.00", "600.00", id="Zuora-prepaid-drawdown-example-1-after-6-months"),
        pytest.param("600", {}, ["100"] * 7, "0.00", "700.00", id="Zuora-prepaid-drawdown-example-1-and-one-more-by-overage-bill"),
        pytest.param("600", {"overage": "absorb"}, ["100"] * 7, "0.00", "600.00", id="Zuora-prepaid-drawdown-example-1-and-one-more-by-overage-absorb"),
        pytest.param("600", {"overage": "hold"}, ["100"] * 7, "0.00", "600.00", id="Zuora-prepaid-drawdown-example-1-and-one-more-by-overage-hold"),
        pytest.param("5000", {"refill": {"threshold": "300", "amount": "5000"}}, ["4700"], "300.00", "5000.00", id="NetSuite-prepay-with-drawdown-minimum-300-reached"),
        pytest.param("5000", {"refill": {"threshold": "300", "amount": "5000"}}, ["4700", "100"], "5200.00", "10000.00", id="NetSuite-prepay-with-drawdown-below-the-minimum-5000-come"),
    ],
)  # fmt: skip
def test_a_prepaid_balance_is_drawn_down(fee: str, drawdown: Object, work: list[str], left: str, owed: str) -> None:
    """A prepayment and charges against it; where a policy decides what comes after the balance, each is shown.

    Prepayments, charges, minimum and top-up are the published ones, the balances follow from them. NetSuite fills up
    when the balance reaches its minimum, here when it falls below the threshold.
    """
    terms = engagement(
        contract_type="retainer",
        fee={"amount": fee, "term": "year", "drawdown": drawdown},
        end_date="2026-12-31",
        rates=[{"rate": "100"}],
    )
    task = ready_task(terms)
    for at, price in enumerate(work, 1):
        hours = str(Decimal(price) / 100)
        task.send("time-entries", time_entry(id=str(at), quantity=hours, status="approved"))
    figures = task.figures()

    assert figures["prepaid_balance"] == left
    assert Decimal(figures["billed"]) + Decimal(figures["fees"]) == Decimal(owed)
