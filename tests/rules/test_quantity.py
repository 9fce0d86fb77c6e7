"""Billed time: what the approver lets through, rounded as the contract says, and shown as it is billed."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.quantity import BilledQuantity
from billtide.agents.rules.valuation import Value, value_of
from billtide.codecs.decimals import RATE_PLACES, parse_scaled
from billtide.codecs.durations import HOUR
from billtide.codecs.errors import UndecodableError

from .. import builders as records
from .builders import KNOWN, MILLION, Ledger, contract, terms, version
from .sums import minor

QUARTERS_UP = {"unit_minutes": 15, "mode": "up"}
MINUTES = {"hour": 60, "minute": 1, "day": 480}


def millionths(text: str) -> int:
    return parse_scaled(text, RATE_PLACES, "$.quantity")


def line(policies: records.Object, rate: str = "100", rate_unit: str = "hour", **changes: Any) -> records.Object:
    """The billing line of one approved entry, and the steps of its trace."""
    for name in changes.keys() & {"quantity", "billable_quantity"}:
        changes[name] = millionths(changes[name])
    ledger = Ledger(contract(policies=policies, rates=[{"rate": rate, "unit": rate_unit}]))
    ledger.send(version(status="approved", **changes))
    (billed,) = ledger.effects.billing
    return {
        "billed": f"{billed.quantity} {billed.unit}",
        "amount": billed.amount,
        "trace": [(step.step, step.value) for step in billed.trace],
        "sources": [step.source for step in billed.trace],
    }


@pytest.mark.parametrize(
    ("rounding", "quantity", "unit", "billed", "amount"),
    [
        pytest.param({"mode": "up"}, "1.01", "hour", "1.25 hour", "125.00", id="up-to-the-next-quarter"),
        pytest.param({"mode": "up"}, "1.25", "hour", "1.25 hour", "125.00", id="a-whole-quarter-stays"),
        pytest.param({"mode": "down"}, "1.24", "hour", "1 hour", "100.00", id="down"),
        pytest.param({"mode": "nearest"}, "1.12", "hour", "1 hour", "100.00", id="nearest-is-below"),
        pytest.param({"mode": "nearest"}, "1.125", "hour", "1.25 hour", "125.00", id="a-tie-goes-up"),
        pytest.param({}, "1.13", "hour", "1.25 hour", "125.00", id="nearest-is-the-default"),
        pytest.param({"mode": "up"}, "61", "minute", "75 minute", "125.00", id="minutes-stay-minutes"),
        pytest.param({"mode": "up"}, "0.51", "day", "0.53125 day", "425.00", id="days-stay-days"),
        pytest.param({"mode": "up"}, "-1.01", "hour", "-1.25 hour", "-125.00", id="below-zero-is-the-opposite"),
        pytest.param({"mode": "up", "unit_minutes": 20}, "0.3", "hour", "20 minute", "33.33", id="minutes-where-hours-do-not-come-out"),
        pytest.param({"mode": "up", "minimum_minutes": 60}, "0.1", "hour", "1 hour", "100.00", id="at-least-an-hour"),
        pytest.param({"mode": "up", "minimum_minutes": 60}, "-0.1", "hour", "-1 hour", "-100.00", id="the-minimum-has-the-sign"),
        pytest.param({"mode": "down", "minimum_minutes": 20}, "0.1", "hour", "20 minute", "33.33", id="the-minimum-is-no-multiple"),
        pytest.param({"mode": "up", "minimum_minutes": 60}, "0", "hour", "0 hour", "0.00", id="nothing-stays-nothing"),
        pytest.param({"mode": "down"}, "0.2", "hour", "0 hour", "0.00", id="down-to-nothing"),
        pytest.param({"mode": "up", "factor_percent": "150"}, "1", "hour", "1.5 hour", "150.00", id="a-share-before-rounding"),
    ],
)  # fmt: skip
def test_time_is_billed_in_whole_units(
    rounding: records.Object, quantity: str, unit: str, billed: str, amount: str
) -> None:
    """The duration is rounded once, the line shows the rounded quantity, and the rate times it is the amount."""
    policies = {"time_rounding": {"unit_minutes": 15} | rounding}
    found = line(policies, quantity=quantity, unit=unit)

    assert (found["billed"], found["amount"]) == (billed, amount)


@pytest.mark.parametrize(
    ("quantity", "unit", "billed", "amount"),
    [
        pytest.param("0.5", "hour", "0.5 day", "572.50", id="any-work-is-half-a-day"),
        pytest.param("4", "hour", "0.5 day", "572.50", id="half-of-the-hours"),
        pytest.param("4.000001", "hour", "1 day", "1145.00", id="above-half-of-the-hours"),
        pytest.param("241", "minute", "1 day", "1145.00", id="minutes"),
        pytest.param("10", "hour", "1 day", "1145.00", id="a-long-day-is-a-day"),
        pytest.param("0.25", "day", "0.5 day", "572.50", id="a-quarter-day"),
        pytest.param("1.2", "day", "1.5 day", "1717.50", id="days-can-be-several"),
        pytest.param("0", "hour", "0 day", "0.00", id="nothing-worked"),
        pytest.param("-4", "hour", "-0.5 day", "-572.50", id="below-zero-is-the-opposite"),
    ],
)
def test_a_day_rate_may_be_billed_in_half_days(quantity: str, unit: str, billed: str, amount: str) -> None:
    """Up to half of a day's hours are half a day, more are a day; the rounding of time is not asked besides."""
    policies = {"day_rounding": "half_day", "time_rounding": {"unit_minutes": 60, "mode": "down"}}
    found = line(policies, "1145", "day", quantity=quantity, unit=unit)

    assert (found["billed"], found["amount"]) == (billed, amount)


def test_half_days_follow_the_hours_of_the_contracts_day() -> None:
    """Half of a 7.5 hour day is 3.75 hours."""
    policies = {"day_rounding": "half_day", "hours_per_day": "7.5"}
    actual = [line(policies, "1000", "day", quantity=hours)["amount"] for hours in ("3.75", "3.76")]

    assert actual == ["500.00", "1000.00"]


def test_the_trace_tells_an_hour_that_became_a_day() -> None:
    """The same number of another unit is a rounding all the same: an hour of a one-hour day is a day."""
    found = line({"day_rounding": "half_day", "hours_per_day": "1"}, "1000", "day", quantity="1")

    assert (found["billed"], found["trace"][1]) == ("1 day", ("quantity_rounding", "1 day"))


def test_an_hourly_rate_knows_no_half_days() -> None:
    """The rule is for day rates: an hourly line stays exact, with the trace of its rate alone."""
    found = line({"day_rounding": "half_day"}, quantity="3.3")

    assert (found["billed"], found["amount"], found["trace"][1:]) == ("3.3 hour", "330.00", [])


@pytest.mark.parametrize(
    ("billable", "amount", "difference"),
    [
        pytest.param("6", "600.00", ("not_charged", "200.00 EUR"), id="written-down"),
        pytest.param("10", "1000.00", ("over_charged", "200.00 EUR"), id="written-up"),
        pytest.param("0", "0.00", ("not_charged", "800.00 EUR"), id="written-off"),
    ],
)
def test_the_customer_pays_the_billable_quantity(billable: str, amount: str, difference: tuple[str, str]) -> None:
    """Price follows the billable quantity; the trace says what is not charged, or charged beyond the work."""
    found = line({}, billable_quantity=billable)

    assert (found["billed"], found["amount"]) == (f"{billable} hour", amount)
    assert found["trace"] == [("rate", "100/hour"), ("billable_quantity", f"{billable} hour"), difference, ("rounding", "half_up")]  # fmt: skip


def test_cost_and_hours_follow_the_worked_quantity() -> None:
    """A write-down changes what the customer pays, not what the firm spent nor the hours that were worked."""
    ledger = Ledger()
    ledger.send(version(status="approved", billable_quantity=6 * MILLION))
    figures = ledger.engagement

    assert (figures.billed, figures.cost, figures.approved_time) == (60_000, 40_000, 8 * HOUR)


def test_a_billable_quantity_of_what_was_worked_changes_nothing() -> None:
    """A sender that always fills the field gets the line of one that never does."""
    assert line({}, billable_quantity="8") == line({})


def test_the_billable_quantity_is_rounded_without_the_factor() -> None:
    """Terms of the customer hold for what the approver writes, too; the factor is a share of worked time only."""
    policies = {"time_rounding": QUARTERS_UP | {"factor_percent": "200"}}
    found = line(policies, billable_quantity="6.1")

    assert (found["billed"], found["amount"]) == ("6.25 hour", "625.00")


def test_work_that_is_not_billable_stays_so() -> None:
    """A billable quantity does not make an entry billable."""
    value = value_of(version(billable=False, billable_quantity=MILLION), contract(), KNOWN)

    assert isinstance(value, Value)
    assert value.price is None


def test_the_trace_tells_each_step_in_order() -> None:
    """Rate, what is billable, what is not charged, rounding of the quantity, rounding of the amount."""
    found = line({"time_rounding": QUARTERS_UP | {"minimum_minutes": 30}}, "99.99", billable_quantity="6.1")

    assert found["trace"] == [
        ("rate", "99.99/hour"),
        ("billable_quantity", "6.1 hour"),
        ("not_charged", "189.98 EUR"),
        ("quantity_rounding", "6.25 hour"),
        ("rounding", "half_up"),
    ]
    assert found["sources"][1:] == [
        "the entry's own, 8 hour worked",
        "8 hour less 6.1 hour",
        "6.1 hour, up to 15 minutes, at least 30: policies of E1 revision 1",
        "6.25 hour x 99.99/hour: policies of E1 revision 1",
    ]


def test_a_corrected_billable_quantity_is_reversed_and_rebilled() -> None:
    """The reversal shows the quantity that was billed; the cost, which did not change, is posted again with it."""
    ledger = Ledger()
    ledger.send(version(status="approved", billable_quantity=6 * MILLION))
    ledger.send(version(status="approved", billable_quantity=7 * MILLION, revision=2))
    actual = [(event.action, event.quantity, event.amount) for event in ledger.effects.billing]

    assert actual == [("charge", "6", "600.00"), ("reversal", "-6", "-600.00"), ("charge", "7", "700.00")]
    assert ledger.engagement.cost == 40_000


def test_later_terms_do_not_change_what_a_reversal_shows() -> None:
    """A charge of a rounded quantity is reversed with that quantity, whatever the policies say by then."""
    ledger = Ledger(contract(policies={"time_rounding": QUARTERS_UP}))
    ledger.send(version(status="approved", quantity=millionths("1.1")))
    ledger.contract = contract(revision=2)
    ledger.send(version(status="recalled", quantity=millionths("1.1"), revision=2))
    reversal = ledger.effects.billing[-1]

    assert (reversal.action, reversal.quantity, reversal.amount) == ("reversal", "-1.25", "-125.00")


def test_the_capped_rest_shows_the_billed_quantity() -> None:
    """A part that is billed when room appears is a part of the same rounded line."""
    capped = {"contract_type": "capped", "policies": {"time_rounding": QUARTERS_UP}}
    ledger = Ledger(contract(cap={"amount": "100"}, **capped))
    ledger.send(version(status="approved", quantity=millionths("1.1")))
    ledger.contract = contract(cap={"amount": "200"}, revision=2, **capped)
    ledger.settle()
    actual = [(event.quantity, event.amount, event.part_of) for event in ledger.effects.billing]

    assert actual == [("1.25", "100.00", "125.00"), ("1.25", "25.00", "125.00")]


def test_any_order_of_arrival_gives_the_same_lines() -> None:
    """Terms, rates, entry and approval in every order: the same money (M9)."""
    sent = (
        ("engagements", records.engagement(policies={"time_rounding": QUARTERS_UP})),
        ("rate-cards", records.rate_card()),
        ("resources", records.resource()),
        ("time-entries", records.time_entry(billable_quantity="6.1")),
        ("approvals", records.approval()),
    )
    found = set()
    for order in permutations(sent):
        task = records.Task()
        task.refer("periods", records.year())
        for stream, value in order:
            (task.send if stream in records.AGENTS else task.refer)(stream, value)
        found.add(tuple(task.amounts() + task.amounts(field="quantity")))

    assert found == {("625.00", "6.25")}


@pytest.mark.parametrize(
    ("policies", "field", "problem"),
    [
        pytest.param({"time_rounding": {"unit_minutes": 0}}, "$.policies.time_rounding.unit_minutes", ">= 1", id="no-unit"),
        pytest.param({"time_rounding": {"unit_minutes": 15, "minimum_minutes": 1441}}, "$.policies.time_rounding.minimum_minutes", "<= 1440", id="minimum-above-a-day"),
        pytest.param({"time_rounding": {"unit_minutes": 15, "mode": "ceil"}}, "$.policies.time_rounding.mode", "'ceil'", id="unknown-mode"),
        pytest.param({"time_rounding": {"unit_minutes": 15, "factor_percent": "0"}}, "$.policies.time_rounding.factor_percent", "'0' is not above zero", id="factor-of-nothing"),
        pytest.param({"day_rounding": "quarter"}, "$.policies.day_rounding", "'quarter'", id="unknown-day-rounding"),
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(policies: records.Object, field: str, problem: str) -> None:
    """The field is named with what is wrong."""
    with pytest.raises(UndecodableError) as refused:
        contract(policies=policies)

    assert refused.value.field == field
    assert problem in refused.value.problem


def test_a_billable_quantity_has_the_sign_of_the_work() -> None:
    """Work cannot be billed as its own correction: the record is put aside with field and fix."""
    task = records.ready_task()

    assert task.send("time-entries", records.time_entry(billable_quantity="-6")) == "dead_lettered"
    headers = task.dead_letters[0][2]
    assert b"$.billable_quantity" in headers.values()


ROUNDINGS = st.fixed_dictionaries(
    {
        "unit_minutes": st.integers(1, 1440),
        "mode": st.sampled_from(["nearest", "up", "down"]),
        "minimum_minutes": st.integers(0, 1440),
        "factor_percent": st.sampled_from(["100", "50", "87.5", "200"]),
    }
)
QUANTITIES = st.integers(-100 * MILLION, 100 * MILLION)


@given(ROUNDINGS, QUANTITIES, st.sampled_from(sorted(MINUTES)))
def test_rounded_time_is_whole_units_close_to_the_work(rounding: records.Object, quantity: int, unit: str) -> None:
    """It is a multiple of the unit or the minimum, within a unit of the share of the work, on the side the mode says.

    Its opposite is rounded to the opposite.
    """
    agreed = BilledQuantity(terms(policies={"time_rounding": rounding}), 8 * HOUR)
    rounded, rounded_unit, _ = agreed.of(version(quantity=quantity, unit=unit), "hour")
    opposite = agreed.of(version(quantity=-quantity, unit=unit), "hour")
    step, minimum = rounding["unit_minutes"], rounding["minimum_minutes"]
    worked = abs(Fraction(quantity, MILLION) * MINUTES[unit] * Fraction(rounding["factor_percent"]) / 100)
    billed = abs(Fraction(rounded, MILLION) * MINUTES[rounded_unit])

    assert (opposite[0], opposite[1]) == (-rounded, rounded_unit)
    assert rounded * quantity >= 0
    if billed != minimum:
        assert billed % step == 0
        assert {"up": 0 <= billed - worked < step, "down": -step < billed - worked <= 0, "nearest": abs(billed - worked) * 2 <= step}[rounding["mode"]]  # fmt: skip
    assert quantity == 0 or billed >= minimum


@given(
    ROUNDINGS | st.none(),
    st.sampled_from(["exact", "half_day"]),
    QUANTITIES,
    st.sampled_from(sorted(MINUTES)),
    st.sampled_from(["99.97/hour", "1043.21/day"]),
    st.sampled_from(["half_up", "half_even", "up", "down"]),
)
def test_the_shown_quantity_times_the_shown_rate_is_the_shown_amount(
    rounding: records.Object | None, days: str, quantity: int, unit: str, rate: str, mode: str
) -> None:
    """Every line multiplies out, however its quantity came to be (M1)."""
    text, per = rate.split("/")
    policies = {"time_rounding": rounding, "day_rounding": days, "rounding": mode}
    ledger = Ledger(contract(policies=policies, rates=[{"rate": text, "unit": per}]))
    ledger.send(version(quantity=quantity, unit=unit, status="approved"))
    (billed,) = ledger.effects.billing
    exact = Fraction(billed.quantity) * MINUTES[billed.unit] * Fraction(billed.rate) / MINUTES[billed.rate_unit] * 100
    away = abs(minor(billed.amount)) - abs(exact)

    assert {"half_up": abs(away) * 2 <= 1, "half_even": abs(away) * 2 <= 1, "up": 0 <= away < 1, "down": -1 < away <= 0}[mode]  # fmt: skip
