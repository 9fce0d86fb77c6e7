"""The independent reckoning of work by people of another legal entity, by hand-made cases worked out beside each."""

from __future__ import annotations

import pytest

from billtide.app.demo.reckoning_intercompany import Transfer, legs

from .test_reckoning import Sent, card, one, reckoned, sent, spent, terms, time
from .test_reckoning_accounts import account_map

AMERICAN = sent(
    "resources",
    legal_entity_id="US",
    cost_rates=[{"rate": "50", "currency": "USD", "effective_from": "2026-01-01"}],
)
RATES = (sent("fx-rates"), sent("fx-rates", base="EUR", quote="USD", rate="1.1"))
"""0.9 EUR for 1 USD, and 1.1 USD for 1 EUR."""
BOTH = (sent("periods"), sent("periods", legal_entity_id="US"))
"""March is open in both books."""
CARDS = (
    card(),
    card(id="us", scope="intercompany", scope_id="US", lines=[{"rate": "65"}, {"rate": "70.005", "role": "dev"}]),
    card(id="pair", scope="intercompany", scope_id="US/DE", currency="USD", lines=[{"rate": "480", "unit": "day"}]),
    card(id="us-usd", scope="intercompany", scope_id="US", currency="USD", lines=[{"rate": "1"}]),
)


def lent(transfer_price: str = "cost", *, fx: dict[str, object] | None = None, **agreed: object) -> Sent:
    """T&M of DE in EUR that is charged for people of other entities."""
    return terms(policies={"intercompany": {"transfer_price": transfer_price, **agreed}, "fx_policy": fx})


@pytest.mark.parametrize(
    ("contract", "entry", "sale", "purchase"),
    [
        pytest.param(lent(), {}, 400_00, 360_00, id="cost: 400 USD"),
        pytest.param(lent("cost_plus", percent="7.5"), {}, 430_00, 387_00, id="cost and 7.5 %"),
        pytest.param(lent("percent_of_sale", percent="70"), {}, 616_00, 560_00, id="70 % of 800 EUR"),
        pytest.param(lent("percent_of_sale", percent="70"), {"billable": False}, 400_00, 360_00, id="not sold: at cost"),
        pytest.param(lent("rate_card"), {}, 616_04, 560_04, id="8 hours at 70.005 EUR"),
        pytest.param(lent("rate_card"), {"role": "analyst"}, 572_00, 520_00, id="8 hours at 65 EUR"),
        pytest.param(lent("rate_card", currency="USD"), {}, 480_00, 432_00, id="a day at 480 USD, by the pair's card"),
        pytest.param(lent("rate_card"), {"billable_quantity": "2"}, 616_04, 560_04, id="what was worked"),
        pytest.param(lent(fx={"agreed_rates": [{"base": "USD", "rate": "0.5"}]}), {}, 400_00, 200_00, id="a fixed rate"),
    ],
)  # fmt: skip
def test_hours_of_another_entity(contract: Sent, entry: dict[str, object], sale: int, purchase: int) -> None:
    """8 hours of US at 50 USD an hour, sold by DE at 100 EUR: charged in USD there and in EUR here."""
    (worth,) = one(contract, AMERICAN, *RATES, *BOTH, *CARDS, time(**entry)).worths
    assert worth.transfer == Transfer("US", sale, "USD", purchase)


def test_expenses_are_passed_on_at_cost() -> None:
    """100 EUR that a person of US spent are 100 EUR in both books, whatever hours are charged."""
    (worth,) = one(lent("cost_plus", percent="7.5"), AMERICAN, *RATES, *BOTH, spent()).worths
    assert worth.transfer == Transfer("US", 100_00, "EUR", 100_00)


@pytest.mark.parametrize("contract", [lent(), terms()])
def test_nobody_is_charged_for_own_people(contract: Sent) -> None:
    """A person of DE, or no transfer price: no charge."""
    person = () if contract.value and b"intercompany" in contract.value else (AMERICAN,)
    (worth,) = one(contract, *person, *RATES, time()).worths
    assert worth.transfer is None


@pytest.mark.parametrize(
    ("contract", "records", "reason"),
    [
        pytest.param(lent("rate_card"), (card(), *RATES), "rate_missing", id="no transfer card"),
        pytest.param(lent("percent_of_sale", percent="1"), RATES[:1], "fx_rate_missing", id="no rate into US books"),
    ],
)
def test_an_unknown_transfer_price_is_waited_for(contract: Sent, records: tuple[Sent, ...], reason: str) -> None:
    """Without the transfer price nothing of the entry is posted, though what the customer pays is known."""
    assert reckoned(contract, AMERICAN, *BOTH, *records, time()).held == {reason: 1}


@pytest.mark.parametrize(
    ("books", "reason"),
    [
        pytest.param((), "period_unknown", id="no period"),
        pytest.param((sent("periods", legal_entity_id="US", status="closed"),), "period_closed", id="closed"),
        pytest.param((BOTH[1],), "account_unmapped", id="no numbers for sales"),
    ],
)
def test_both_books_are_waited_for(books: tuple[Sent, ...], reason: str) -> None:
    """What the other entity cannot post yet, for want of an open period or of a number, is posted nowhere."""
    hold = "hold" if reason == "account_unmapped" else "abstract_name"
    contract = terms(policies={"intercompany": {}, "unmapped_account": hold})
    maps = (account_map(), account_map("intercompany_revenue", legal_entity_id="US"))
    got = reckoned(contract, AMERICAN, *RATES, sent("periods"), *books, *maps, time())
    assert got.held == {reason: 1}


def test_every_charge_is_taken_out_again() -> None:
    """Sales and purchases by entity and currency, and their opposites in the books where the firm is consolidated."""
    got = one(lent(elimination_entity_id="GROUP"), AMERICAN, *RATES, *BOTH, time())
    assert got.terms is not None
    assert legs(got.terms, [Transfer("US", 3, "USD", 2), Transfer("US", 4, "USD", 3)]) == {
        ("intercompany_sale", "US", "DE", "USD"): 7,
        ("sale_elimination", "GROUP", "US", "USD"): -7,
        ("intercompany_purchase", "DE", "US", "EUR"): 5,
        ("purchase_elimination", "GROUP", "DE", "EUR"): -5,
    }


@pytest.mark.parametrize(
    "agreed",
    [
        {"transfer_price": "cost", "percent": "1"},
        {"transfer_price": "cost_plus"},
        {"transfer_price": "percent_of_sale", "percent": "-1"},
    ],
)
def test_percentages_that_no_contract_can_mean_are_refused(agreed: dict[str, str]) -> None:
    """A percentage of what takes none, none of what takes one, and one below zero are dead letters."""
    assert reckoned(terms(policies={"intercompany": agreed})).dead_letters == 1
