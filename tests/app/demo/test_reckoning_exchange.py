"""The independent reckoning of what is converted, by hand-made cases whose figures are worked out beside each."""

from __future__ import annotations

import pytest

from .test_reckoning import Sent, month, one, reckoned, sent, spent, terms

DIRECT = sent("fx-rates")
"""0.9 EUR for 1 USD."""
OPPOSITE = sent("fx-rates", base="EUR", quote="USD", rate="1.6")
AVERAGE = sent("fx-rates", rate_type="average", rate="0.8")
APRIL = sent("fx-rates", valid_from="2026-04-01", valid_to="2026-04-30", rate="0.7")
OVER_POUNDS = (
    sent("fx-rates", quote="GBP", rate="0.33333"),
    sent("fx-rates", base="GBP", rate="1.49"),
)
CLOSED = (month(3, "closed"), month(4))


def converting(closed_period: str = "hold", **fx: object) -> Sent:
    """T&M in EUR that converts so."""
    return terms(policies={"fx_policy": fx, "closed_period": closed_period})


@pytest.mark.parametrize(
    ("contract", "rates", "cents"),
    [
        pytest.param(converting(), (DIRECT, AVERAGE), 90_00, id="the plain rate"),
        pytest.param(converting(rate_type="average"), (DIRECT, AVERAGE), 80_00, id="the rate of its kind"),
        pytest.param(converting(quotation="either"), (OPPOSITE,), 62_50, id="divided by 1.6"),
        pytest.param(converting(quotation="either"), (OPPOSITE, DIRECT), 90_00, id="the direct rate wins"),
        pytest.param(converting(base_currency="GBP"), (*OVER_POUNDS, DIRECT), 49_66, id="33.33 GBP in whole pennies"),
        pytest.param(converting(agreed_rates=[{"base": "USD", "rate": "0.5"}]), (DIRECT,), 50_00, id="the agreed rate"),
        pytest.param(converting("next_open_period", date="accounting_date"), (DIRECT, APRIL, *CLOSED), 70_00, id="the rate of April"),
        pytest.param(converting("next_open_period"), (DIRECT, APRIL, *CLOSED), 90_00, id="the rate of the work in March"),
    ],
)  # fmt: skip
def test_a_hundred_dollars(contract: Sent, rates: tuple[Sent, ...], cents: int) -> None:
    """100 USD that were spent in March cost and are billed as many EUR as the contract's way to convert gives."""
    got = one(contract, *rates, spent(currency="USD"))
    assert (got.billed, got.cost) == (cents, cents)


@pytest.mark.parametrize(
    ("contract", "rates"),
    [
        pytest.param(converting(rate_type="average"), (DIRECT,), id="of another kind"),
        pytest.param(converting(), (OPPOSITE,), id="the other way round"),
        pytest.param(converting(base_currency="GBP"), (OVER_POUNDS[0], DIRECT), id="without the second step"),
    ],
)
def test_a_rate_that_the_contract_does_not_take_is_waited_for(contract: Sent, rates: tuple[Sent, ...]) -> None:
    """A rate is there, and not the one that the contract names: the expense waits."""
    assert reckoned(contract, *rates, spent(currency="USD")).held == {"fx_rate_missing": 1}


@pytest.mark.parametrize("rate", [{"base": "EUR", "rate": "1"}, {"base": "USD", "rate": "0"}])
def test_rates_that_no_contract_can_mean_are_refused(rate: dict[str, str]) -> None:
    """A rate of the contract's own currency, or of nothing, is a dead letter."""
    assert reckoned(converting(agreed_rates=[rate])).dead_letters == 1
