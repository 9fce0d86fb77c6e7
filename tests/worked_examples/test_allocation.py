"""Published examples of allocating a price by standalone selling prices, through records in and revenue out."""

from __future__ import annotations

import pytest

from ..builders import engagement, ready_task

CASES = [
    pytest.param("EUR", "100.00", ("50", "25", "75"), ("33.33", "16.67", "50.00"), id="IFRS-15-IE33-to-the-cent"),
    # The standard prints whole units: a currency without minor units gives its figures.
    pytest.param("JPY", "100", ("50", "25", "75"), ("33", "17", "50"), id="IFRS-15-IE33-as-printed"),
]


@pytest.mark.parametrize(("currency", "price", "standalone", "earned"), CASES)
def test_a_price_is_allocated_by_standalone_prices(
    currency: str, price: str, standalone: tuple[str, ...], earned: tuple[str, ...]
) -> None:
    """IFRS 15, Example 33: A, B and C sell alone for 50, 25 and 75; the contract is 100: 33, 17 and 50 are earned.

    All of it is billed with A: what is not yet earned of it is the contract's liability.
    """
    task = ready_task()
    bills = ("98", "1", "1")
    for revision in range(4):
        milestones = [
            {"id": name, "amount": bill, "standalone_price": alone}
            | ({"reached_on": "2026-11-10"} if at < revision else {})
            for at, (name, bill, alone) in enumerate(zip("ABC", bills, standalone, strict=True))
        ]
        terms = {"amount": price, "progress": "milestone", "milestones": milestones}
        task.send(
            "engagements",
            engagement(id="E2", revision=revision + 1, currency=currency, contract_type="fixed_fee", fee=terms),
        )

    assert tuple(task.amounts("revenue")) == earned
    assert task.figures("E2")["earned"] == task.figures("E2")["fees"] == price
