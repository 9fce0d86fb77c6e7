"""What an expense is worth by the terms of its category: cost, price, trace, or what is missing. Own arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.valuation import Missing, Value, value_of
from billtide.codecs.entry_state import SpentLine
from billtide.codecs.errors import UndecodableError

from .. import builders as records
from .builders import MILLION, Known, contract, expense

if TYPE_CHECKING:
    from billtide.codecs.entry_state import EntryVersion

KNOWN = Known(fx=[records.fx_rate()])
MILEAGE = {"category": "mileage", "policy": "unit_price", "unit_price": "0.42", "unit": "kilometre"}
PER_DIEM = {"category": "per-diem", "policy": "unit_price", "unit_price": "28", "unit": "day"}
HOTEL = {"category": "hotel", "line_cap": "150"}
MEALS = {"category": "meals", "policy": "mark_up", "mark_up_percent": "10"}
DRINKS = {"category": "drinks", "policy": "non_billable"}
TICKET = {"category": "ticket", "policy": "unit_price", "unit_price": "3.20"}
PASSENGER = {"category": "passenger", "unit_price": "0.05", "unit": "kilometre"}
AGREED = {"categories": [MILEAGE, PER_DIEM, HOTEL, MEALS, DRINKS, TICKET, PASSENGER]}


def valued(*lines: SpentLine, agreed: records.Object = AGREED, **changes: object) -> Value:
    """The value of an expense with these lines, which must be known."""
    policies = changes.pop("policies", {})
    value = value_of(expense(lines=lines, **changes), contract(expenses=agreed, policies=policies), KNOWN)
    assert isinstance(value, Value), value
    return value


def price(value: Value) -> int | None:
    """What the customer pays, in cents."""
    return None if value.price is None else value.price.amount


def driven(quantity: str, unit: str = "kilometre", **changes: object) -> SpentLine:
    """A line that says how far, not how much."""
    whole, _, fraction = quantity.partition(".")
    return SpentLine("mileage", None, int(whole + fraction.ljust(6, "0")), unit, **changes)


@pytest.mark.parametrize(
    ("category", "amount", "expected"),
    [
        pytest.param("travel", 10_000, 10_000, id="default-at-cost"),
        pytest.param("meals", 10_000, 11_000, id="mark-up-of-the-category"),
        pytest.param("meals", 33, 36, id="mark-up-rounds-36.3"),
        pytest.param("drinks", 10_000, None, id="category-not-billed"),
        pytest.param("hotel", 14_999, 14_999, id="below-the-line-cap"),
        pytest.param("hotel", 15_000, 15_000, id="at-the-line-cap"),
        pytest.param("hotel", 18_000, 15_000, id="up-to-the-line-cap"),
        pytest.param("hotel", -15_000, -15_000, id="a-refund-at-the-line-cap"),
        pytest.param("hotel", -18_000, -15_000, id="a-refund-gives-back-what-was-billed"),
    ],
)
def test_a_category_has_its_own_terms(category: str, amount: int, expected: int | None) -> None:
    """An expense of one amount is priced by the terms of its category, else by the default; its cost stays whole."""
    value = valued(item=category, amount=amount)

    assert (price(value), value.cost, value.cost_value) == (expected, amount, amount)


def test_a_category_takes_nothing_from_the_default() -> None:
    """Terms of a category stand for themselves: neither the default's mark-up nor its line cap applies."""
    agreed = {"policy": "mark_up", "mark_up_percent": "10", "line_cap": "50", "categories": [{"category": "hotel"}]}

    assert price(valued(agreed=agreed, item="hotel")) == 10_000
    assert price(valued(agreed=agreed, item="travel")) == 5_000


@pytest.mark.parametrize(
    ("line", "rounding", "expected_price", "expected_cost"),
    [
        pytest.param(driven("127"), "half_up", 5_334, 5_334, id="127-km-at-0.42-are-53.34"),
        pytest.param(driven("10.25"), "half_up", 431, 431, id="10.25-km-are-4.305-half-up"),
        pytest.param(driven("10.25"), "down", 430, 431, id="price-rounds-as-the-contract-says"),
        pytest.param(SpentLine("mileage", 3_810, 127 * MILLION, "kilometre", 300_000), "half_up", 5_334, 3_810, id="reimbursed-at-0.30-billed-at-0.42"),
        pytest.param(SpentLine("mileage", 3_000, 127 * MILLION, "kilometre"), "half_up", 5_334, 3_000, id="an-amount-is-the-cost-alone"),
        pytest.param(SpentLine("passenger", None, 127 * MILLION, "kilometre"), "half_up", 635, 635, id="at-cost-of-the-agreed-price"),
        pytest.param(driven("-127"), "half_up", -5_334, -5_334, id="taken-back"),
        pytest.param(SpentLine("per-diem", None, 2_500_000, "day"), "half_up", 7_000, 7_000, id="2.5-days-at-28-are-70"),
        pytest.param(SpentLine("per-diem", 6_000, 2_500_000, "day"), "half_up", 7_000, 6_000, id="per-diem-paid-60-billed-70"),
        pytest.param(SpentLine("mileage", 4_000, 100 * MILLION, "kilometre", personal=1_000), "half_up", 3_150, 3_000, id="a-quarter-of-42-is-personal"),
        pytest.param(SpentLine("mileage", 4_000, 100 * MILLION, "kilometre", recoverable_tax=640), "half_up", 4_200, 3_360, id="tax-is-no-part-of-an-agreed-price"),
    ],
)  # fmt: skip
def test_a_unit_price_is_charged_for_the_quantity(line: SpentLine, rounding: str, expected_price: int, expected_cost: int) -> None:  # fmt: skip
    """Quantity x unit price of the terms, rounded once; without an amount the firm pays the same, half up."""
    value = valued(line, policies={"rounding": rounding})

    assert (price(value), value.cost) == (expected_price, expected_cost)


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        pytest.param([driven("127")], (420_000, "kilometre", 127 * MILLION, "kilometre"), id="unit-price"),
        pytest.param([SpentLine("ticket", None, 5 * MILLION)], (3_200_000, "unit", 5 * MILLION, "unit"), id="five-units"),
        pytest.param([SpentLine("mileage", 4_000, 127 * MILLION, "kilometre", personal=1_000)], (40_010_000, "unit", None, ""), id="a-part-is-personal"),
        pytest.param([driven("127"), driven("1")], (53_760_000, "unit", None, ""), id="two-lines"),
        pytest.param([driven("127"), SpentLine("drinks", 900)], (53_340_000, "unit", None, ""), id="two-lines-one-not-billed"),
        pytest.param([SpentLine("hotel", 10_000, 3 * MILLION, "night")], (100_000_000, "unit", None, ""), id="at-cost"),
    ],
)  # fmt: skip
def test_the_shown_rate_times_the_shown_quantity_is_the_amount(lines: list[SpentLine], shown: tuple[int, str, int | None, str]) -> None:  # fmt: skip
    """The unit price is shown where it multiplies out; everything else is one unit at its whole price."""
    price = valued(*lines).price
    assert price is not None

    assert (price.rate, price.rate_unit, price.quantity, price.unit) == shown


@pytest.mark.parametrize(
    ("line", "changes", "expected_price", "expected_cost", "expected_value"),
    [
        pytest.param(SpentLine("travel", 11_900, recoverable_tax=1_900), {}, 10_000, 10_000, 10_000, id="recoverable-tax-is-no-cost"),
        pytest.param(SpentLine("travel", 11_900), {}, 11_900, 11_900, 11_900, id="irrecoverable-tax-is-cost"),
        pytest.param(SpentLine("meals", 11_900, recoverable_tax=1_900), {}, 11_000, 10_000, 10_000, id="mark-up-without-tax"),
        pytest.param(SpentLine("travel", 10_000, personal=3_000), {}, 7_000, 7_000, 7_000, id="personal-part"),
        pytest.param(SpentLine("travel", 10_000, personal=10_000), {}, 0, 0, 0, id="all-personal"),
        pytest.param(SpentLine("hotel", 20_000, personal=3_000, recoverable_tax=1_000), {}, 15_000, 16_000, 16_000, id="all-together-and-capped"),
        pytest.param(SpentLine("drinks", 11_900, recoverable_tax=1_900, personal=5_000), {}, None, 5_000, 5_000, id="not-billed"),
        pytest.param(SpentLine("travel", -11_900, recoverable_tax=-1_900), {}, -10_000, -10_000, -10_000, id="refund"),
        pytest.param(SpentLine("travel", 11_900, recoverable_tax=1_900), {"currency": "USD"}, 9_000, 10_000, 9_000, id="spent-in-dollars"),
        pytest.param(SpentLine("travel", 11_900, recoverable_tax=1_900), {"billable": False}, None, 10_000, 10_000, id="expense-not-billable"),
    ],
)  # fmt: skip
def test_what_the_firm_gets_back_is_neither_cost_nor_billed(line: SpentLine, changes: records.Object, expected_price: int | None, expected_cost: int, expected_value: int) -> None:  # fmt: skip
    """Recoverable tax and the personal part leave cost and price; the cost stays in the currency of spend."""
    value = valued(line, **changes)

    assert (price(value), value.cost, value.cost_value) == (expected_price, expected_cost, expected_value)


def test_lines_are_priced_by_their_own_categories_and_summed() -> None:
    """A hotel bill of 310: the room is capped at 150, breakfast is marked up, the bar is not billed, the film is personal."""
    room = SpentLine("hotel", 21_400, recoverable_tax=1_400)
    breakfast, bar = SpentLine("meals", 3_600), SpentLine("drinks", 4_000)
    film = SpentLine("travel", 2_000, personal=2_000)
    value = valued(room, breakfast, bar, film)

    assert (price(value), value.cost) == (15_000 + 3_960, 20_000 + 3_600 + 4_000)
    assert [(step.value, step.source) for step in value.trace if step.step == "line"] == [
        ("150.00 EUR", "line 1 of expense psa:1"),
        ("39.60 EUR", "line 2 of expense psa:1"),
        ("0.00 EUR", "line 4 of expense psa:1"),
    ]


@given(
    st.lists(
        st.builds(
            SpentLine,
            st.sampled_from(["travel", "meals", "hotel", "drinks", "mileage", "per-diem"]),
            st.integers(1_000, 10**6),
            st.integers(0, 10**9),
            st.just("unit"),
            recoverable_tax=st.integers(0, 500),
            personal=st.integers(0, 500),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from(["half_up", "half_even", "up", "down"]),
)
def test_the_price_of_lines_is_the_sum_of_their_prices(lines: list[SpentLine], currency: str, rounding: str) -> None:
    """However an expense is split into lines, not a cent appears or vanishes: each line alone makes the same sum."""
    categories = [own | {"unit": "unit"} for own in AGREED["categories"]]
    terms: records.Object = {"agreed": {"categories": categories}, "policies": {"rounding": rounding}}
    whole = valued(*lines, currency=currency, **terms)
    alone = [valued(line, currency=currency, **terms) for line in lines]

    assert (price(whole) or 0) == sum(price(value) or 0 for value in alone)
    assert whole.cost == sum(value.cost for value in alone)


@pytest.mark.parametrize(
    ("lines", "changes", "steps"),
    [
        pytest.param([SpentLine("hotel", 21_400, recoverable_tax=1_400)], {},
                     ["spent 214.00 EUR", "recoverable_tax 14.00 EUR", "mark_up_percent 0.0000", "line_cap 150.00 EUR"], id="capped"),
        pytest.param([SpentLine("meals", 21_400, personal=1_400)], {"currency": "USD"},
                     ["spent 214.00 USD", "personal_part 14.00 USD", "exchange_rate 0.9000000000", "mark_up_percent 10.0000"], id="personal-in-dollars"),
        pytest.param([driven("127")], {}, ["spent 53.34 EUR", "quantity 127 kilometre", "unit_price 0.42/kilometre"], id="mileage"),
        pytest.param([SpentLine("travel", 3_810, 127 * MILLION, "kilometre", 300_000)], {},
                     ["spent 38.10 EUR", "quantity 127 kilometre", "unit_price 0.3/kilometre", "mark_up_percent 0.0000"], id="its-own-unit-price"),
        pytest.param([SpentLine("drinks", 1_000), SpentLine("travel", 2_000)], {},
                     ["spent 10.00 EUR", "policy non_billable", "spent 20.00 EUR", "mark_up_percent 0.0000", "line 20.00 EUR"], id="two-lines"),
    ],
)  # fmt: skip
def test_the_trace_tells_every_step(lines: list[SpentLine], changes: records.Object, steps: list[str]) -> None:
    """What was spent, what of it is no cost, and each term that made the price, in the order they were applied."""
    assert steps == [f"{step.step} {step.value}" for step in valued(*lines, **changes).trace]


def test_the_trace_says_what_the_line_cap_leaves_to_the_firm() -> None:
    """Over a cap of 150 the rest of 180 is named as the firm's own cost, with the terms that say so; so is a refund's."""
    step, back = (valued(item="hotel", amount=amount).trace[-1] for amount in (18_000, -18_000))
    terms = "expense terms of E1 revision 1, category hotel"

    assert (step.value, step.source) == ("150.00 EUR", f"{terms}; 30.00 EUR over it are the firm's own cost")
    assert (back.value, back.source) == ("-150.00 EUR", f"{terms}; -30.00 EUR over it are the firm's own cost")


def test_an_agreed_price_has_no_exchange_rate() -> None:
    """A unit price is in the contract's currency: dollars spent convert the cost alone."""
    value = valued(SpentLine("mileage", 4_000, 100 * MILLION, "kilometre"), currency="USD")
    assert value.price is not None

    assert (value.price.amount, value.price.fx_rate, value.cost_value) == (4_200, None, 3_600)


@pytest.mark.parametrize(
    ("sent", "agreed", "what"),
    [
        pytest.param(expense(lines=(driven("127", "mile"),)), AGREED, "in EUR per mile is known for category mileage", id="another-unit"),
        pytest.param(expense(lines=(SpentLine("mileage", 4_000, MILLION, "mile", 100_000),)), AGREED, "in EUR per mile is known for category mileage", id="agreed-in-another-unit"),
        pytest.param(expense(lines=(SpentLine("passenger", None, MILLION, "mile"),)), AGREED, "in EUR per mile is known for category passenger", id="cost-in-another-unit"),
        pytest.param(expense(lines=(SpentLine("taxi", None, MILLION, "mile"),)), AGREED, "in EUR per mile is known for category taxi", id="no-terms"),
        pytest.param(expense(lines=(driven("127"),), currency="USD"), AGREED, "in USD per kilometre is known for category mileage", id="cost-in-another-currency"),
        pytest.param(expense(item="mileage"), AGREED, "in EUR per unit is known for category mileage", id="quantity-not-sent"),
        pytest.param(expense(item="taxi"), {"policy": "unit_price"}, "in EUR per unit is known for category taxi", id="no-unit-price-anywhere"),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_known_is_waited_for(sent: EntryVersion, agreed: records.Object, what: str) -> None:
    """A unit price counts for its own unit and currency; what has none is held until terms or the expense bring it."""
    fix = "send one with the expense terms, or the expense with its quantity, unit and unit price"
    expected = Missing("unit_price_missing", "engagement:E1", f"no unit price {what}; {fix}")

    assert expected == value_of(sent, contract(expenses=agreed), KNOWN)


def test_a_unit_price_of_the_expense_serves_where_none_is_agreed() -> None:
    """Under `unit_price` without an agreed one the expense's own price is charged, without its recoverable tax."""
    line = SpentLine("parking", 5_950, 5 * MILLION, "day", 11_900_000, recoverable_tax=950)

    assert price(valued(line, agreed={"policy": "unit_price"})) == 5_000


@pytest.mark.parametrize(
    ("agreed", "field"),
    [
        pytest.param({"line_cap": "-1"}, "$.expenses.line_cap", id="negative-cap"),
        pytest.param({"line_cap": "1.005"}, "$.expenses.line_cap", id="half-a-cent"),
        pytest.param({"receipt_above": "-1"}, "$.expenses.receipt_above", id="negative-limit"),
        pytest.param({"categories": [HOTEL, HOTEL]}, "$.expenses.categories[1].category", id="twice"),
        pytest.param({"categories": [HOTEL | {"line_cap": "x"}]}, "$.expenses.categories[0].line_cap", id="no-number"),
        pytest.param({"categories": [MILEAGE | {"unit_price": "-0.42"}]}, "$.expenses.categories[0].unit_price", id="negative-price"),
        pytest.param({"categories": [MEALS | {"mark_up_percent": "1.23456"}]}, "$.expenses.categories[0].mark_up_percent", id="mark-up-too-fine"),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused_by_field(agreed: records.Object, field: str) -> None:
    """The sender is told which field of which category is wrong."""
    with pytest.raises(UndecodableError) as refused:
        contract(expenses=agreed)

    assert refused.value.field == field
