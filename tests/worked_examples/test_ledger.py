"""Published figures about currencies and accruals, by their number in the collection of worked examples."""

from __future__ import annotations

import pytest

from ..builders import Object, engagement, expense, fx_rate, ready_task

QUOTED = [
    pytest.param({"quotation": "either"}, "350.00", id="27: EUR 2 per USD 1 as it is quoted (odoo PR #74844): 350 USD"),
    pytest.param(
        {"agreed_rates": [{"base": "EUR", "rate": "0.5"}]}, "350.00", id="27: the same, fixed by the terms: 350 USD"
    ),
    pytest.param(None, None, id="27: by default the pair's own rate is waited for, 700 is never billed"),
]


@pytest.mark.parametrize(("policy", "billed"), QUOTED)
def test_an_amount_is_divided_by_the_opposite_quotation(policy: Object | None, billed: str | None) -> None:
    """700 EUR where one USD is 2 EUR."""
    task = ready_task(engagement(currency="USD", policies={"fx_policy": policy}))
    task.refer("fx-rates", fx_rate(base="USD", quote="EUR", rate="2"))
    task.send("expenses", expense(status="approved", amount="700"))

    assert task.amounts() == ([] if billed is None else [billed])
    assert task.figures()["held_entries"] == ({"fx_rate_missing": 1} if billed is None else {})
