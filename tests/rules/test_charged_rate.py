"""What kind and date of the work, and the discount, make of a rate; how the line and its trace show it."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs.errors import UndecodableError

from .. import builders as records
from .builders import MILLION, Known, Ledger, contract, person, version
from .sums import minor

FRIDAY, SATURDAY, CHRISTMAS = dt.date(2026, 11, 20), dt.date(2026, 11, 21), dt.date(2026, 12, 25)
AGREED = {
    "by_work_type": {"overtime": "1.25", "travel": "0.5", "gift": "0"},
    "weekend": "1.5",
    "holiday": "2",
    "holidays": ["2026-12-25", "2026-12-26"],
}


def ledger(multipliers: records.Object | None, **changes: Any) -> Ledger:
    """A ledger whose analyst is 100 an hour, before any multiplier."""
    return Ledger(
        contract(policies={"multipliers": multipliers}, **changes), Known(person(), rates={"A": 80 * MILLION})
    )


def line(multipliers: records.Object | None, terms: records.Object, **changes: Any) -> tuple[str, str]:
    """Rate and amount of one hour."""
    books = ledger(multipliers, **terms)
    books.send(version(status="approved", quantity=MILLION, **changes))
    (billed,) = books.effects.billing
    return billed.rate, billed.amount


@pytest.mark.parametrize(
    ("policy", "work_type", "date", "rate"),
    [
        pytest.param({}, "", FRIDAY, "100", id="a-plain-day"),
        pytest.param({}, "overtime", FRIDAY, "125", id="work-type"),
        pytest.param({}, "unheard-of", FRIDAY, "100", id="a-type-without-multiplier"),
        pytest.param({}, "travel", FRIDAY, "50", id="less-than-the-rate"),
        pytest.param({}, "gift", FRIDAY, "0", id="free-of-charge"),
        pytest.param({}, "", SATURDAY, "150", id="weekend"),
        pytest.param({}, "", CHRISTMAS, "200", id="holiday"),
        pytest.param({}, "overtime", SATURDAY, "150", id="the-largest-counts"),
        pytest.param({}, "travel", SATURDAY, "150", id="also-over-one-below-the-rate"),
        pytest.param({}, "", dt.date(2026, 12, 26), "200", id="holiday-at-a-weekend"),
        pytest.param({"stacking": "multiply"}, "overtime", SATURDAY, "187.5", id="two-multiplied"),
        pytest.param({"stacking": "multiply"}, "overtime", dt.date(2026, 12, 26), "375", id="three-multiplied"),
        pytest.param({"stacking": "multiply"}, "travel", CHRISTMAS, "100", id="a-half-of-the-double"),
        pytest.param({"weekend_days": ["friday"]}, "", FRIDAY, "150", id="weekends-as-agreed"),
        pytest.param({"weekend_days": ["friday"]}, "", SATURDAY, "100", id="not-a-weekend-here"),
        pytest.param({"weekend": None}, "travel", SATURDAY, "50", id="no-multiplier-does-not-compete"),
        pytest.param({"holiday": None}, "", CHRISTMAS, "100", id="holidays-without-a-multiplier"),
    ],
)
def test_kind_and_date_of_the_work_change_its_rate(
    policy: records.Object, work_type: str, date: dt.date, rate: str
) -> None:
    """The line shows the charged rate, and an hour costs it."""
    charged, amount = line(AGREED | policy, {}, work_type=work_type, work_date=date)

    assert (charged, minor(amount)) == (rate, Fraction(rate) * 100)


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        pytest.param({"rate": 70 * MILLION}, "70", id="the-entrys-own-rate-is-agreed-for-this-work"),
        pytest.param({"assignment_id": "A"}, "120", id="an-assignments-rate-is-multiplied"),
    ],
)
def test_whose_rate_is_multiplied(changes: dict[str, Any], rate: str) -> None:
    """A rate on the entry names the price of this very work; every other is a rate of plain hours."""
    assert line(AGREED, {}, work_date=SATURDAY, **changes)[0] == rate


@pytest.mark.parametrize(
    ("discount", "changes", "rate"),
    [
        pytest.param("10", {}, "90", id="off-a-card"),
        pytest.param("10", {"rate": 70 * MILLION}, "63", id="off-the-entrys-own-rate"),
        pytest.param("10", {"work_date": SATURDAY}, "135", id="off-the-multiplied-rate"),
        pytest.param("0.0001", {}, "99.9999", id="four-places"),
        pytest.param("100", {}, "0", id="all-of-it"),
        pytest.param("0", {}, "100", id="none"),
    ],
)
def test_a_discount_is_taken_off_every_rate_of_time(discount: str, changes: dict[str, Any], rate: str) -> None:
    """Before the line is rounded, after the multiplier."""
    assert line(AGREED, {"discount_percent": discount}, **changes)[0] == rate


def test_a_discount_needs_no_multipliers() -> None:
    """It is a term of its own."""
    assert line(None, {"discount_percent": "10"}) == ("90", "90.00")


def test_expenses_are_billed_without_the_discount() -> None:
    """It is off the price of time: an expense stays at cost."""
    task = records.ready_task(records.engagement(discount_percent="10"))
    task.send("expenses", records.expense(status="approved"))

    assert task.amounts() == ["100.00"]


@pytest.mark.parametrize(
    ("mode", "rate", "amount"),
    [
        pytest.param("half_up", "33.333334", "333.33", id="half-up"),
        pytest.param("up", "33.333334", "333.34", id="up"),
        pytest.param("down", "33.333333", "333.33", id="down"),
    ],
)
def test_a_rate_with_too_many_places_is_rounded_as_the_contract_says(mode: str, rate: str, amount: str) -> None:
    """To the millionth, once, and shown so: 66.666667 x 0.5."""
    policies = {"multipliers": AGREED, "rounding": mode}
    books = Ledger(contract(policies=policies, rates=[{"rate": "66.666667"}]))
    books.send(version(status="approved", work_type="travel", quantity=10 * MILLION))
    (billed,) = books.effects.billing

    assert (billed.rate, billed.amount) == (rate, amount)


def test_the_trace_tells_every_step_in_order() -> None:
    """Rate, multiplier, discount, quantity, rounding of the quantity, minimum charge, rounding of the amount."""
    terms = {
        "discount_percent": "7.5",
        "rates": [{"rate": "99.97", "minimum_charge": "200"}],
        "policies": {"multipliers": AGREED, "time_rounding": {"unit_minutes": 15, "mode": "up"}},
    }
    books = Ledger(contract(**terms))
    sent = version(status="approved", work_type="overtime", work_date=SATURDAY, quantity=2 * MILLION)
    books.send(records.msgspec.structs.replace(sent, billable_quantity=1_100_000))
    (billed,) = books.effects.billing

    assert (billed.quantity, billed.rate, billed.amount, billed.limited_by) == ("1.25", "138.708375", "200.00", "minimum_charge")  # fmt: skip
    assert [(step.step, step.value, step.source) for step in billed.trace[1:]] == [
        ("multiplier", "1.5", "work type overtime 1.25, weekend 2026-11-21 1.5, the largest counts: terms of E1 revision 1"),
        ("discount_percent", "7.5", "terms of E1 revision 1"),
        ("charged_rate", "138.708375/hour", "half_up to 6 places"),
        ("billable_quantity", "1.1 hour", "the entry's own, 2 hour worked"),
        ("not_charged", "124.84 EUR", "2 hour less 1.1 hour"),
        ("quantity_rounding", "1.25 hour", "1.1 hour, up to 15 minutes: policies of E1 revision 1"),
        ("minimum_charge", "200.00 EUR", "1.25 hour x 138.708375/hour would be 173.39 EUR"),
        ("rounding", "half_up", "1.25 hour x 138.708375/hour: policies of E1 revision 1"),
    ]  # fmt: skip


def test_work_on_a_plain_day_has_a_plain_trace() -> None:
    """Terms that do not touch an entry leave its line as it was without them."""
    lines = []
    for multipliers in (AGREED, None):
        books = ledger(multipliers)
        books.send(version(status="approved"))
        lines += books.effects.billing

    assert lines[0] == lines[1]


def test_another_work_type_is_reversed_and_rebilled() -> None:
    """The reversal has the rate that was charged; the correction has its own."""
    books = ledger(AGREED)
    books.send(version(status="approved", work_type="overtime"))
    books.send(version(status="approved", work_type="travel", revision=2))

    assert [(event.rate, event.amount) for event in books.effects.billing] == [("125", "1000.00"), ("125", "-1000.00"), ("50", "400.00")]  # fmt: skip


@pytest.mark.parametrize(
    ("later", "charge"),
    [
        pytest.param({"policies": {"multipliers": AGREED}}, ("8", "125", "1000.00"), id="multiplier"),
        pytest.param({"discount_percent": "10"}, ("8", "90", "720.00"), id="discount"),
        pytest.param({"policies": {"time_rounding": {"unit_minutes": 600, "mode": "up"}}}, ("10", "100", "1000.00"), id="rounding"),
        pytest.param({"rates": [{"rate": "100", "maximum_charge": "500"}]}, ("8", "100", "500.00"), id="maximum-charge"),
    ],
)  # fmt: skip
def test_what_is_agreed_later_prices_what_is_posted_anew(later: records.Object, charge: tuple[str, ...]) -> None:
    """The old line is reversed as it was; the new one is what terms sent first would have given (M9)."""
    sent = records.time_entry(status="approved", work_type="overtime")
    afterwards, first = records.ready_task(), records.ready_task(records.engagement(revision=2, **later))
    afterwards.send("time-entries", sent)
    afterwards.send("engagements", records.engagement(revision=2, **later))
    first.send("time-entries", sent)
    lines, (only,) = ([(e["quantity"], e["rate"], e["amount"]) for e in task.out["billing"]] for task in (afterwards, first))  # fmt: skip

    assert lines == [("8", "100", "800.00"), ("-8", "100", "-800.00"), charge]
    assert only == charge


def test_multipliers_do_not_change_the_cost() -> None:
    """They are what the customer pays: a person's overtime costs the firm the person's cost rate."""
    books = ledger(AGREED)
    books.send(version(status="approved", work_type="overtime"))

    assert (books.engagement.cost, books.engagement.billed) == (40_000, 100_000)


def test_a_day_rate_is_multiplied_too() -> None:
    """A Saturday at 1,000 a day is 1,500."""
    books = ledger(AGREED, rates=[{"rate": "1000", "unit": "day"}])
    books.send(version(status="approved", work_date=SATURDAY))
    (billed,) = books.effects.billing

    assert (billed.rate, billed.rate_unit, billed.amount) == ("1500", "day", "1500.00")


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        pytest.param({"weekend": "150"}, "$.policies.multipliers.weekend", "'150' does not lie between 0 and 10", id="percent-for-multiplier"),
        pytest.param({"holiday": "-1"}, "$.policies.multipliers.holiday", "'-1' does not lie between 0 and 10", id="below-zero"),
        pytest.param({"by_work_type": {"overtime": "1.00001"}}, "$.policies.multipliers.by_work_type.overtime", "'1.00001' has more than 4 decimal places", id="too-many-places"),
        pytest.param({"by_work_type": {"overtime": 1.15}}, "$.policies.multipliers.by_work_type", "Expected `str`, got `float`", id="a-binary-number"),
        pytest.param({"by_work_type": {"": "1"}}, "$.policies.multipliers.by_work_type", "a multiplier of work without a type", id="no-work-type"),
        pytest.param({"weekend_days": ["sun"]}, "$.policies.multipliers.weekend_days[0]", "'sun'", id="unknown-day"),
        pytest.param({"holidays": ["25.12."]}, "$.policies.multipliers.holidays[0]", "Invalid RFC3339 encoded date", id="no-date"),
        pytest.param({"stacking": "add"}, "$.policies.multipliers.stacking", "'add'", id="unknown-stacking"),
    ],
)  # fmt: skip
def test_multipliers_that_make_no_sense_are_refused(changes: records.Object, field: str, problem: str) -> None:
    """The field is named with what is wrong."""
    with pytest.raises(UndecodableError) as refused:
        contract(policies={"multipliers": changes})

    assert refused.value.field.startswith(field)
    assert problem in refused.value.problem


@pytest.mark.parametrize("percent", ["-1", "100.0001", "115"])
def test_a_discount_lies_between_nothing_and_all(percent: str) -> None:
    """Neither a mark-up nor more than the price."""
    with pytest.raises(UndecodableError) as refused:
        contract(discount_percent=percent)

    assert (refused.value.field, refused.value.problem) == ("$.discount_percent", f"{percent!r} does not lie between 0 and 100")  # fmt: skip


def test_the_largest_rate_with_the_largest_multipliers_is_kept() -> None:
    """A rate of a billion, multiplied by a thousand, still fits the changelog, even where no time was worked."""
    agreed = {"by_work_type": {"overtime": "10"}, "weekend": "10", "holiday": "10", "holidays": ["2026-11-21"], "stacking": "multiply"}  # fmt: skip
    terms = records.engagement(rates=[{"rate": "999999999.999999"}], policies={"multipliers": agreed})
    task = records.ready_task(terms)
    task.send("time-entries", records.time_entry(status="approved", quantity="0", work_type="overtime", work_date="2026-11-21"))  # fmt: skip
    task.restart()

    assert task.amounts(field="rate") == ["999999999999.999"]


RATES = st.integers(0, 10**10).map(lambda rate: f"{rate // MILLION}.{rate % MILLION:06}")
FACTORS = st.integers(0, 30_000).map(lambda factor: f"{factor // 10_000}.{factor % 10_000:04}")


@given(
    RATES,
    st.tuples(FACTORS, FACTORS, FACTORS),
    st.integers(0, 1_000_000),
    st.sampled_from(["largest", "multiply"]),
    st.sampled_from(["half_up", "half_even", "up", "down"]),
    st.integers(-24 * MILLION, 24 * MILLION),
)
def test_the_charged_rate_is_within_a_millionth_and_multiplies_out(
    rate: str, factors: tuple[str, str, str], discount: int, stacking: str, mode: str, quantity: int
) -> None:
    """The shown rate is the exact one, rounded once; the shown quantity x the shown rate is the shown amount (M1)."""
    work_type, weekend, holiday = factors
    agreed = {"by_work_type": {"x": work_type}, "weekend": weekend, "holiday": holiday, "holidays": [str(SATURDAY)], "stacking": stacking}  # fmt: skip
    off = f"{discount // 10_000}.{discount % 10_000:04}"
    policies = {"multipliers": agreed, "rounding": mode}
    books = Ledger(contract(policies=policies, discount_percent=off, rates=[{"rate": rate}]))
    books.send(version(status="approved", work_type="x", work_date=SATURDAY, quantity=quantity))
    (billed,) = books.effects.billing
    one, two, three = map(Fraction, factors)
    multiplier = max(one, two, three) if stacking == "largest" else one * two * three
    exact_rate = Fraction(rate) * multiplier * (1 - Fraction(discount, 1_000_000))
    away = [(Fraction(billed.rate) - exact_rate) * MILLION, abs(minor(billed.amount)) - abs(Fraction(billed.quantity) * Fraction(billed.rate) * 100)]  # fmt: skip

    for rest in away:
        assert {"half_up": abs(rest) * 2 <= 1, "half_even": abs(rest) * 2 <= 1, "up": 0 <= rest < 1, "down": -1 < rest <= 0}[mode]  # fmt: skip
