"""Published figures of fees over time: deferred revenue. The source is named in each case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ..builders import Task, engagement, period


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
