"""Published figures about expenses, by their number in the collection of worked examples, from records to money."""

from __future__ import annotations

import pytest

from ..builders import engagement, expense, fx_rate, ready_task

DIVIDED = {"base": "EUR", "quote": "USD", "rate": "0.5"}
"""Two EUR for one USD, as the source publishes it, written as the units of USD for one EUR."""

CASES = [
    pytest.param({}, "350.00", "350.00", id="27: 700 EUR where EUR 2 are USD 1 (odoo PR #74844): at cost 350 USD"),
    pytest.param(
        {"policy": "mark_up", "mark_up_percent": "10"}, "385.00", "350.00", id="27: the same with a mark-up of 10 %"
    ),
    pytest.param({"line_cap": "300"}, "300.00", "350.00", id="27: the same, at most 300 USD a line"),
]


@pytest.mark.parametrize(("policy", "billed", "cost"), CASES)
def test_an_expense_in_another_currency_is_divided_not_multiplied(policy: dict[str, str], billed: str, cost: str) -> None:  # fmt: skip
    """700 of the other currency are 350 of the contract's; 700 or 1,400 would be the bug. The cost is 350 throughout."""
    task = ready_task(engagement(currency="USD", expenses=policy))
    task.refer("fx-rates", fx_rate(**DIVIDED))
    task.send("expenses", expense(status="approved", amount="700"))

    assert task.amounts() == [billed]
    assert task.figures()["cost"] == cost
