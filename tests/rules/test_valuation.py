"""What an entry is worth, and every reason why that is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billtide.agents.rules.valuation import Missing, Value, value_of
from billtide.codecs.decimals import format_plain

from .. import builders as records
from .builders import DAY, KNOWN, MILLION, YEAR, Known, contract, expense, period, person, version

if TYPE_CHECKING:
    from billtide.codecs.entry_state import EntryVersion, Price

DOLLARS = Known(person(cost_rates=[{"rate": "60", "currency": "USD"}]), fx=[records.fx_rate()])


def valued(sent: EntryVersion, known: Known = KNOWN, **changes: object) -> Value:
    """The value, which must be known."""
    value = value_of(sent, contract(**changes), known)
    assert isinstance(value, Value), value
    return value


def priced(sent: EntryVersion, known: Known = KNOWN, **changes: object) -> Price:
    """The price, which must be there."""
    price = valued(sent, known, **changes).price
    assert price is not None
    return price


@pytest.mark.parametrize(
    ("quantity", "unit", "rate", "rounding", "expected"),
    [
        pytest.param("8", "hour", "100", "half_up", 80_000, id="hours"),
        pytest.param("7.25", "hour", "119.99", "half_up", 86_993, id="hours-round-half-up"),
        pytest.param("7.25", "hour", "119.99", "down", 86_992, id="hours-round-down"),
        pytest.param("20", "minute", "100", "half_up", 3_333, id="a-third-of-an-hour"),
        pytest.param("20", "minute", "100", "up", 3_334, id="a-third-of-an-hour-up"),
        pytest.param("40", "minute", "100", "half_even", 6_667, id="two-thirds"),
        pytest.param("435", "minute", "119.99", "half_up", 86_993, id="minutes-are-worth-their-hours"),
        pytest.param("1", "day", "100", "half_up", 80_000, id="a-day-at-an-hourly-rate"),
        pytest.param("0.5", "day", "100", "half_up", 40_000, id="half-a-day"),
        pytest.param("0.005", "hour", "1", "half_up", 1, id="tie-half-up"),
        pytest.param("0.005", "hour", "1", "half_even", 0, id="tie-half-even"),
        pytest.param("-0.005", "hour", "1", "half_up", -1, id="negative-tie-is-the-opposite"),
        pytest.param("0", "hour", "100", "up", 0, id="nothing-worked"),
    ],
)
def test_time_is_worth_quantity_times_rate(quantity: str, unit: str, rate: str, rounding: str, expected: int) -> None:
    """Quantity x rate, rounded once as the contract says."""
    sent = version(quantity=int(float(quantity) * MILLION), unit=unit)
    price = priced(sent, rates=[{"rate": rate}], policies={"rounding": rounding})

    assert (expected, "EUR", rounding) == (price.amount, price.currency, price.rounding)


@pytest.mark.parametrize(
    ("quantity", "unit", "hours_per_day", "expected"),
    [
        pytest.param(MILLION, "day", "8", 114_500, id="a-day"),
        pytest.param(8 * MILLION, "hour", "8", 114_500, id="its-hours"),
        pytest.param(4 * MILLION, "hour", "8", 57_250, id="half-a-day-is-572.50"),
        pytest.param(240 * MILLION, "minute", "8", 57_250, id="in-minutes"),
        pytest.param(MILLION, "hour", "7.5", 15_267, id="an-hour-of-a-7.5-hour-day"),
        pytest.param(MILLION, "day", "7.5", 114_500, id="a-day-is-a-day-however-long"),
    ],
)
def test_a_day_rate_prices_days_of_the_contract(quantity: int, unit: str, hours_per_day: str, expected: int) -> None:
    """A day rate of 1,145 is divided by the contract's hours of a day (worked example 15)."""
    own = [{"rate": "1145", "unit": "day"}]
    price = priced(version(quantity=quantity, unit=unit), rates=own, policies={"hours_per_day": hours_per_day})

    assert (expected, "day") == (price.amount, price.rate_unit)


@pytest.mark.parametrize(
    ("currency", "rate", "expected"),
    [
        pytest.param("JPY", "12500.5", 90_629, id="yen-have-no-minor-unit"),
        pytest.param("KWD", "31.1255", 225_660, id="dinars-have-three-places"),
        pytest.param("EUR", "31.1255", 22_566, id="euros-have-two"),
    ],
)
def test_amounts_are_minor_units_of_the_currency(currency: str, rate: str, expected: int) -> None:
    """7.25 hours in each currency, rounded to its own smallest unit."""
    known = Known(person(cost_rates=[{"rate": "1", "currency": currency}]))
    price = priced(version(quantity=7_250_000), known, currency=currency, rates=[{"rate": rate}])

    assert expected == price.amount


def test_cost_is_at_the_rate_in_force_when_the_work_was_done() -> None:
    """Of dated cost rates the latest that is not after the work date counts."""
    dated = [{"rate": "70", "currency": "EUR", "effective_from": "2026-11-21"}, {"rate": "60", "currency": "EUR", "effective_from": "2026-11-20"}, {"rate": "50", "currency": "EUR"}]  # fmt: skip
    known = Known(person(cost_rates=dated))
    actual = [valued(version(work_date=DAY.replace(day=day)), known).cost for day in (19, 20, 21)]

    assert actual == [40_000, 48_000, 56_000]


def test_cost_in_another_currency_is_kept_and_converted() -> None:
    """The cost stays in the currency of the person; its value for the engagement is converted once."""
    value = valued(version(), DOLLARS)

    assert (value.cost, value.cost_currency, value.cost_value) == (48_000, "USD", 43_200)


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        pytest.param({"billable": False}, {}, id="entry-not-billable"),
        pytest.param({}, {"contract_type": "non_billable"}, id="contract-not-billable"),
        pytest.param({}, {"contract_type": "internal"}, id="internal"),
        pytest.param({}, {"contract_type": "fixed_fee", "fee": {"amount": "1", "estimated_cost": "1"}}, id="fixed-fee"),
        pytest.param({}, {"contract_type": "retainer", "fee": {"amount": "1"}}, id="retainer"),
    ],
)
def test_what_the_customer_does_not_pay_by_time_has_a_cost_and_no_price(
    changes: records.Object, terms: records.Object
) -> None:
    """No rate is looked up where none is needed: work without any rate card is valued."""
    value = valued(version(**changes), cards=(), **terms)

    assert (value.price, value.cost) == (None, 40_000)


@pytest.mark.parametrize(
    ("terms", "amount", "currency", "expected_price", "expected_cost"),
    [
        pytest.param({}, 10_000, "EUR", 10_000, 10_000, id="at-cost"),
        pytest.param(
            {"expenses": {"policy": "mark_up", "mark_up_percent": "10"}}, 10_000, "EUR", 11_000, 10_000, id="mark-up"
        ),
        pytest.param(
            {"expenses": {"policy": "mark_up", "mark_up_percent": "2.5"}},
            10_010,
            "EUR",
            10_260,
            10_010,
            id="mark-up-rounds",
        ),
        pytest.param(
            {"expenses": {"policy": "mark_up", "mark_up_percent": "10"}},
            10_000,
            "USD",
            9_900,
            9_000,
            id="mark-up-with-fx",
        ),
        pytest.param(
            {"expenses": {"policy": "mark_up", "mark_up_percent": "12.5"}},
            333,
            "USD",
            337,
            300,
            id="one-rounding-not-two",
        ),
        pytest.param(
            {"expenses": {"policy": "at_cost", "mark_up_percent": "10"}},
            10_000,
            "EUR",
            10_000,
            10_000,
            id="at-cost-has-no-mark-up",
        ),
        pytest.param({"expenses": {"policy": "non_billable"}}, 10_000, "EUR", None, 10_000, id="non-billable-policy"),
        pytest.param({"contract_type": "internal"}, 10_000, "EUR", None, 10_000, id="internal"),
    ],
)
def test_an_expense_is_worth_what_its_terms_say(terms: records.Object, amount: int, currency: str, expected_price: int | None, expected_cost: int) -> None:  # fmt: skip
    """Nothing, its cost, or its cost and a mark-up; converted and marked up with one rounding."""
    value = valued(expense(amount=amount, currency=currency), DOLLARS, **terms)
    price = None if value.price is None else value.price.amount

    assert (expected_price, expected_cost) == (price, value.cost_value)


def test_700_eur_at_two_eur_a_dollar_are_350_usd() -> None:
    """An expense is divided, not multiplied, by the rate of the other direction (worked example 27)."""
    known = Known(fx=[records.fx_rate(base="EUR", quote="USD", rate="0.5")])
    price = priced(expense(amount=70_000), known, currency="USD")

    assert (price.amount, price.fx_rate) == (35_000, 5_000_000_000)


def test_the_trace_of_an_expense_tells_how_its_price_came_to_be() -> None:
    """What was spent, the exchange rate and its date, the mark-up and the terms that ask for it."""
    terms = {"expenses": {"policy": "mark_up", "mark_up_percent": "10"}}
    value = valued(expense(currency="USD"), DOLLARS, **terms)
    actual = [(step.step, step.value) for step in value.trace]

    assert actual == [("spent", "100.00 USD"), ("exchange_rate", "0.9000000000"), ("mark_up_percent", "10.0000")]


NOBODY = Known()
MISSING = [
    pytest.param(version(), {"calendar": ()}, KNOWN, "period_unknown", "period:DE",
                 "no accounting period of DE covers 2026-11-20; send the period", id="period-unknown"),
    pytest.param(version(), {"calendar": [period(status="closed")]}, KNOWN, "period_closed", "period:DE",
                 "the accounting period of DE that covers 2026-11-20 is closed; reopen it, or move the date", id="period-closed"),
    pytest.param(version(), {"calendar": [period(status="future")]}, KNOWN, "period_future", "period:DE",
                 "the accounting period of DE that covers 2026-11-20 has not begun; it is posted when the period opens", id="period-future"),
    pytest.param(version(), {}, NOBODY, "resource_unknown", "resource:R1",
                 "resource R1 is unknown; send it with its cost rates", id="resource-unknown"),
    pytest.param(version(), {}, Known(person(cost_rates=[])), "cost_rate_missing", "resource:R1",
                 "resource R1 has no cost rate on 2026-11-20; send one that is effective then", id="cost-rate-missing"),
    pytest.param(version(), {}, Known(person(cost_rates=[{"rate": "1", "currency": "USD"}])), "fx_rate_missing", "fx:USD/EUR",
                 "no exchange rate from USD to EUR on 2026-11-20; send one that covers the date", id="cost-fx-missing"),
    pytest.param(version(assignment_id="A"), {}, KNOWN, "assignment_unknown", "assignment:psa:A",
                 "assignment psa:A is unknown on this engagement; send it", id="assignment-unknown"),
    pytest.param(version(), {"cards": ()}, KNOWN, "rate_missing", "rates:EUR",
                 "no rate card in EUR prices role analyst, grade -, item - on 2026-11-20; send a card version, or a rate with the engagement", id="rate-missing"),
    pytest.param(expense(currency="USD"), {}, KNOWN, "fx_rate_missing", "fx:USD/EUR",
                 "no exchange rate from USD to EUR on 2026-11-20; send one that covers the date", id="expense-fx-missing"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "terms", "known", "reason", "waits_on", "message"), MISSING)
def test_what_is_unknown_is_named_with_its_fix(sent: EntryVersion, terms: records.Object, known: Known, reason: str, waits_on: str, message: str) -> None:  # fmt: skip
    """Nothing unknown is taken as zero: the reason, the word that wakes the entry, and what the user has to send."""
    assert Missing(reason, waits_on, message) == value_of(sent, contract(**terms), known)


def test_reasons_are_looked_for_in_a_fixed_order() -> None:
    """With everything missing, each fact that arrives uncovers the next reason."""
    sent = version(assignment_id="A")
    dollars = person(cost_rates=[{"rate": "1", "currency": "USD"}])
    fx = [records.fx_rate()]
    facts = [
        ((), NOBODY),
        ((YEAR,), NOBODY),
        ((YEAR,), Known(person(cost_rates=[]))),
        ((YEAR,), Known(dollars)),
        ((YEAR,), Known(dollars, fx=fx)),
        ((YEAR,), Known(dollars, fx=fx, rates={"A": None})),
    ]
    expected = [
        "period_unknown",
        "resource_unknown",
        "cost_rate_missing",
        "fx_rate_missing",
        "assignment_unknown",
        "rate_missing",
    ]
    actual = [value_of(sent, contract(calendar=calendar, cards=()), known)[0] for calendar, known in facts]

    assert expected == actual


def test_the_shown_rate_times_one_is_the_shown_amount_of_an_expense() -> None:
    """An expense is one unit at its price, so that the line multiplies out."""
    price = priced(expense(amount=12_345))

    assert (format_plain(price.rate, 6), price.rate_unit) == ("123.45", "unit")
