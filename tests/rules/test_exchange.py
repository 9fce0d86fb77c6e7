"""Exchange: which quotation a contract converts by, over which steps, and what is rounded on the way."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.exchange import Conversion, Exchange, NoRate
from billtide.codecs.decimals import FX_PLACES
from billtide.codecs.errors import UndecodableError

from ..builders import fx_rate
from .builders import DAY, Known, terms

if TYPE_CHECKING:
    from ..builders import Object


def exchange(currency: str = "EUR", **policy: object) -> Exchange:
    """The conversions of a contract with this policy."""
    agreed = terms(currency=currency, policies={"fx_policy": policy})
    assert agreed.policies.fx_policy is not None
    return Exchange(agreed, agreed.policies.fx_policy)


def rate(base: str, quote: str, value: str, rate_type: str = "") -> Object:
    """A rate of November 2026."""
    return fx_rate(base=base, quote=quote, rate=value, rate_type=rate_type)


def converted(how: Exchange, spent: str, amount: int, *rates: Object, into: str = "EUR") -> int | NoRate:
    """An amount in minor units of the contract's currency."""
    found = how.conversion(spent, into, DAY, Known(fx=rates))
    return found.of(amount) if isinstance(found, Conversion) else found


CASES: list[Any] = [
    pytest.param({}, "USD", [rate("USD", "EUR", "0.9")], 10_001, 9_001, id="the pair's own rate"),
    pytest.param(
        {"quotation": "either"}, "USD", [rate("EUR", "USD", "3")], 10_000, 3_333, id="divided by the opposite"
    ),
    pytest.param(
        {"quotation": "either"},
        "USD",
        [rate("EUR", "USD", "3"), rate("USD", "EUR", "0.5")],
        10_000,
        5_000,
        id="the pair's own rate is found before the opposite",
    ),
    pytest.param({}, "USD", [rate("EUR", "USD", "3")], 10_000, "USD/EUR", id="by default never divided"),
    pytest.param(
        {"base_currency": "CHF"},
        "USD",
        [rate("USD", "CHF", "0.333"), rate("CHF", "EUR", "3"), rate("USD", "EUR", "7")],
        101,
        102,
        id="two steps, the first rounded to 0.34: not 1.01 as in one step",
    ),
    pytest.param(
        {"base_currency": "CHF"}, "USD", [rate("USD", "CHF", "0.333")], 101, "CHF/EUR", id="the second step is missing"
    ),
    pytest.param(
        {"base_currency": "CHF"}, "USD", [rate("CHF", "EUR", "3")], 101, "USD/CHF", id="the first step is missing"
    ),
    pytest.param({"base_currency": "USD"}, "USD", [rate("USD", "EUR", "0.9")], 100, 90, id="from the base: one step"),
    pytest.param({"base_currency": "EUR"}, "USD", [rate("USD", "EUR", "0.9")], 100, 90, id="into the base: one step"),
    pytest.param(
        {"base_currency": "USD", "quotation": "either"},
        "JPY",
        [rate("USD", "JPY", "150"), rate("EUR", "USD", "1.25")],
        1_000,
        534,
        id="1,000 JPY: 6.67 USD: 5.34 EUR, exponents 0 and 2",
    ),
    pytest.param(
        {"rate_type": "average"},
        "USD",
        [rate("USD", "EUR", "0.9"), rate("USD", "EUR", "0.8", "average")],
        100,
        80,
        id="the kind of rate asked for",
    ),
    pytest.param(
        {"rate_type": "average"}, "USD", [rate("USD", "EUR", "0.9")], 100, "USD/EUR", id="no rate of that kind"
    ),
    pytest.param(
        {"agreed_rates": [{"base": "USD", "rate": "0.95"}], "base_currency": "CHF"},
        "USD",
        [rate("USD", "EUR", "0.9")],
        100,
        95,
        id="fixed by the terms, whatever is quoted",
    ),
    pytest.param(
        {"agreed_rates": [{"base": "GBP", "rate": "0.95"}]},
        "USD",
        [rate("USD", "EUR", "0.9")],
        100,
        90,
        id="fixed for another currency",
    ),
    pytest.param(
        {"quotation": "either"}, "USD", [rate("EUR", "USD", "0.0000000001")], 100, "USD/EUR", id="no line could show it"
    ),
]


@pytest.mark.parametrize(("policy", "spent", "rates", "amount", "expected"), CASES)
def test_the_policy_says_by_which_quotations(
    policy: Object, spent: str, rates: list[Object], amount: int, expected: int | str
) -> None:
    """An amount of another currency by each policy; what is missing is named, never taken as one."""
    found = converted(exchange(**policy), spent, amount, *rates)

    assert expected == (f"{found.base}/{found.quote}" if isinstance(found, NoRate) else found)


@given(
    amount=st.integers(-(10**11), 10**11),
    value=st.integers(1, 10**17),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    divides=st.booleans(),
)
def test_one_step_is_the_exact_quotient_rounded_once(*, amount: int, value: int, currency: str, divides: bool) -> None:
    """Multiplied or divided, no amount is further from the exact one than half a minor unit."""
    scaled = f"{value // 10**FX_PLACES}.{value % 10**FX_PLACES:010}"
    pair = (currency, "USD") if divides else ("USD", currency)
    exact_rate = Fraction(10**FX_PLACES, value) if divides else Fraction(value, 10**FX_PLACES)
    places = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    found = converted(exchange(currency, quotation="either"), "USD", amount, rate(*pair, scaled), into=currency)

    if isinstance(found, NoRate):
        assert exact_rate >= 10**7 - 1
    else:
        assert abs(found - Fraction(amount, 100) * exact_rate * 10**places) <= Fraction(1, 2)


def test_the_trace_tells_every_step_and_what_was_rounded() -> None:
    """Two quotations, one of them divided by, and the amount between them."""
    how = exchange(base_currency="CHF", quotation="either", rate_type="average")
    rates = Known(fx=[rate("CHF", "USD", "3", "average"), rate("CHF", "EUR", "1.1", "average")])
    found = how.conversion("USD", "EUR", DAY, rates)

    assert isinstance(found, Conversion)
    assert found.rate == 3_666_666_667
    assert [(step.step, step.value, step.source) for step in found.trace(10_000)] == [
        ("exchange_rate", "3.0000000000", "average CHF/USD on 2026-11-20, the amount divided by it"),
        ("converted", "33.33 CHF", "half up to the minor unit of CHF"),
        ("exchange_rate", "1.1000000000", "average CHF/EUR on 2026-11-20"),
    ]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        pytest.param({"base_currency": "XXQ"}, "base_currency", id="no currency"),
        pytest.param({"agreed_rates": [{"base": "XXQ", "rate": "1"}]}, "agreed_rates[0].base", id="fixed for none"),
        pytest.param({"agreed_rates": [{"base": "EUR", "rate": "1"}]}, "agreed_rates[0].base", id="its own currency"),
        pytest.param(
            {"agreed_rates": [{"base": "USD", "rate": "1"}] * 2}, "agreed_rates[1].base", id="the same currency twice"
        ),
        pytest.param({"agreed_rates": [{"base": "USD", "rate": "0"}]}, "agreed_rates[0].rate", id="nothing for it"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy: Object, field: str) -> None:
    """The refusal names the field."""
    with pytest.raises(UndecodableError) as refused:
        exchange(**policy)

    assert refused.value.field == f"$.policies.fx_policy.{field}"
