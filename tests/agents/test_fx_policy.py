"""The fx_policy of an engagement, from records to money: lines, costs, plans, and rates that come late."""

from __future__ import annotations

import pytest

from ..builders import Object, assignment, engagement, expense, fx_rate, ready_task, resource, time_entry


def terms(currency: str = "EUR", **policy: object) -> Object:
    """An engagement that converts by this policy."""
    return engagement(currency=currency, policies={"fx_policy": policy})


def test_an_expense_shows_the_rates_it_was_converted_by() -> None:
    """100 USD over CHF: 33.33 CHF, 99.99 EUR, and a trace of both steps; the line's rate is what they come to."""
    task = ready_task(terms(base_currency="CHF", quotation="either"))
    task.refer("fx-rates", fx_rate(base="CHF", quote="USD", rate="3"), fx_rate(base="CHF", quote="EUR", rate="3"))
    task.send("expenses", expense(status="approved", currency="USD"))

    line = task.out["billing"][0]
    assert (line["amount"], line["fx_rate"], task.figures()["cost"]) == ("99.99", "1", "99.99")
    assert [(step["step"], step["value"]) for step in line["trace"]][1:4] == [
        ("exchange_rate", "3.0000000000"),
        ("converted", "33.33 CHF"),
        ("exchange_rate", "3.0000000000"),
    ]


@pytest.mark.parametrize(
    ("policy", "rates"),
    [
        pytest.param({"quotation": "either"}, [("EUR", "USD", "2")], id="the opposite quotation"),
        pytest.param({"base_currency": "CHF"}, [("CHF", "EUR", "2"), ("USD", "CHF", "0.25")], id="two steps"),
        pytest.param({"base_currency": "CHF"}, [("USD", "CHF", "0.25"), ("CHF", "EUR", "2")], id="two steps, reversed"),
    ],
)
def test_what_waits_for_a_rate_goes_on_when_the_last_one_arrives(
    policy: Object, rates: list[tuple[str, str, str]]
) -> None:
    """An expense, an hour's cost and a plan are held until their quotations are there, and then are exact."""
    task = ready_task(terms(**policy))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "50", "currency": "USD"}]))
    task.send("expenses", expense(status="approved", currency="USD"))
    task.send("time-entries", time_entry(id="2", status="approved"))
    task.send("assignments", assignment())
    assert task.figures()["held_entries"] == {"fx_rate_missing": 2}
    for base, quote, rate in rates:
        assert task.figures()["cost"] == "0.00"
        task.refer("fx-rates", fx_rate(base=base, quote=quote, rate=rate))

    assert task.figures()["held_entries"] == {}
    assert (task.figures()["cost"], task.figures()["billed"]) == ("250.00", "850.00")
    assert task.figures()["planned_cost"] == "500.00"


@pytest.mark.parametrize(
    "late",
    [
        pytest.param([("EUR", "USD", "4", "average")], id="the opposite quotation"),
        pytest.param([("USD", "EUR", "0.25", "average")], id="the pair's own"),
    ],
)
def test_a_quotation_that_changes_back_in_time_prices_anew(late: list[tuple[str, str, str, str]]) -> None:
    """The difference leaves as a reversal at the old rate, copied, and a charge at the new one."""
    task = ready_task(terms(rate_type="average", quotation="either"))
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="2", rate_type="average"))
    task.send("expenses", expense(status="approved", currency="USD"))
    for base, quote, rate, rate_type in late:
        task.refer("fx-rates", fx_rate(base=base, quote=quote, rate=rate, rate_type=rate_type, revision=2))

    assert task.amounts() == ["50.00", "-50.00", "25.00"]
    assert task.amounts(field="fx_rate") == ["0.5", "0.5", "0.25"]


def test_an_opposite_quotation_releases_in_the_order_of_the_holds() -> None:
    """M8: what was held first is billed first, though the other comes first by name."""
    terms = engagement(contract_type="capped", cap={"amount": "100"}, policies={"fx_policy": {"quotation": "either"}})
    task = ready_task(terms)
    task.send("expenses", expense(id="2", status="approved", currency="USD"))
    task.send("expenses", expense(id="1", status="approved", currency="USD"))
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="2"))

    assert [line["entry_id"] for line in task.out["billing"]] == ["2", "1"]


def test_another_kind_of_rate_changes_nothing() -> None:
    """The plain rate of the pair is not the monthly average that the terms ask for."""
    task = ready_task(terms(rate_type="average"))
    task.refer("fx-rates", fx_rate(rate="0.5", rate_type="average"), fx_rate(rate="0.9"))
    task.send("expenses", expense(status="approved", currency="USD"))
    task.refer("fx-rates", fx_rate(rate="0.7", revision=2))

    assert task.amounts() == ["50.00"]


def test_a_receipt_is_needed_above_an_amount_of_the_contracts_currency() -> None:
    """100 USD by two steps are 99.99 EUR: below a limit of 99.99 no receipt is needed, above 99.98 one is."""
    for limit, held in (("99.99", {}), ("99.98", {"receipt_missing": 1})):
        sent = terms(base_currency="CHF", quotation="either") | {"expenses": {"receipt_above": limit}}
        task = ready_task(sent)
        task.refer("fx-rates", fx_rate(base="CHF", quote="USD", rate="3"), fx_rate(base="CHF", quote="EUR", rate="3"))
        task.send("expenses", expense(status="approved", currency="USD"))

        assert task.figures()["held_entries"] == held
