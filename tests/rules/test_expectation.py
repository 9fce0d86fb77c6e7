"""What assignments foretell: weeks, their cost, and a person's utilisation."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from billtide.agents.rules.expectation import expect, forecast, planned_hours, utilisation
from billtide.codecs import assignment as assignments
from billtide.codecs.durations import HOUR
from billtide.codecs.errors import UndecodableError
from billtide.codecs.records import PlannedCost, Share, WeekState

from .. import builders as records
from .builders import KNOWN, Known, contract, person

MONDAY = dt.date(2026, 11, 23)


def assignment(**changes: object) -> assignments.Assignment:
    """20 hours of R1 in the week of 23 November."""
    return assignments.decode(msgspec.json.encode(records.assignment(**changes)))


def test_hours_are_planned_by_monday() -> None:
    """Each planned week is kept in microseconds; a cancelled assignment plans nothing."""
    weeks = [{"week": "2026-11-23", "hours": "20"}, {"week": "2026-11-30", "hours": "7.5"}]

    assert planned_hours(assignment(weeks=weeks)) == {MONDAY: 20 * HOUR, dt.date(2026, 11, 30): 15 * HOUR // 2}
    assert planned_hours(assignment(weeks=weeks, status="cancelled")) == {}


@pytest.mark.parametrize(
    ("weeks", "field"),
    [
        pytest.param([{"week": "2026-11-24", "hours": "1"}], "$.weeks[0].week", id="not-a-monday"),
        pytest.param([{"week": "2026-11-23", "hours": "1"}] * 2, "$.weeks[1].week", id="twice"),
        pytest.param([{"week": "2026-11-23", "hours": "1h"}], "$.weeks[0].hours", id="no-number"),
    ],
)
@pytest.mark.parametrize("status", ["active", "cancelled"])
def test_senseless_weeks_are_refused_by_field(weeks: list[records.Object], field: str, status: str) -> None:
    """The error names the week, of a cancelled assignment too."""
    with pytest.raises(UndecodableError) as caught:
        planned_hours(assignment(weeks=weeks, status=status))

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("known", "cost", "reason"),
    [
        pytest.param(KNOWN, 100_000, None, id="own-currency"),
        pytest.param(Known(person(cost_rates=[{"rate": "60", "currency": "USD"}]), fx=[records.fx_rate()]), 108_000, None, id="converted"),
        pytest.param(Known(), None, "resource_unknown", id="person-unknown"),
        pytest.param(Known(person(cost_rates=[])), None, "cost_rate_missing", id="no-cost-rate"),
        pytest.param(Known(person(cost_rates=[{"rate": "60", "currency": "USD"}])), None, "fx_rate_missing", id="no-exchange-rate"),
    ],
)  # fmt: skip
def test_a_week_costs_its_hours_or_says_what_it_waits_for(known: Known, cost: int | None, reason: str | None) -> None:
    """Hours are planned whatever is missing; an unknown cost is absent, not zero."""
    planned, missing = expect(assignment(), contract(), known)

    assert planned == (PlannedCost(MONDAY, 20 * HOUR, cost, "EUR"),)
    assert reason == (None if missing is None else missing.reason)


def test_each_week_has_the_rate_of_its_monday() -> None:
    """A rate that rises on a Tuesday counts from the next Monday."""
    rises = [{"rate": "50", "currency": "EUR"}, {"rate": "60", "currency": "EUR", "effective_from": "2026-11-24"}]
    weeks = [{"week": week, "hours": "1"} for week in ("2026-11-23", "2026-11-30")]
    planned, _ = expect(assignment(weeks=weeks), contract(), Known(person(cost_rates=rises)))

    assert [week.cost for week in planned] == [5_000, 6_000]


def test_a_forecast_tells_hours_cost_and_currency() -> None:
    """It carries the assignment's revision and booking, so that readers can replace what they knew."""
    told = forecast(assignment(booking="soft"), PlannedCost(MONDAY, 20 * HOUR, 100_000, "EUR"), MONDAY)

    assert (told.hours, told.expected_cost, told.currency, told.booking, told.revision) == (
        "20",
        "1000.00",
        "EUR",
        "soft",
        1,
    )


@pytest.mark.parametrize(
    ("planned", "hours"),
    [
        pytest.param(None, "0", id="week-taken-back"),
        pytest.param(PlannedCost(MONDAY, 20 * HOUR, None, "EUR"), "20", id="cost-unknown"),
    ],
)
def test_a_forecast_without_a_cost_has_no_currency(planned: PlannedCost | None, hours: str) -> None:
    """Taken back, or not costed yet."""
    told = forecast(assignment(), planned, MONDAY)

    assert (told.hours, told.expected_cost, told.currency) == (hours, None, None)


@pytest.mark.parametrize(
    ("hard", "soft", "capacity", "expected"),
    [
        pytest.param((20,), (), 40, ("20", "0", "40", "50.00"), id="half"),
        pytest.param((20, 12), (8,), 40, ("32", "8", "40", "100.00"), id="full-with-soft"),
        pytest.param((50,), (), 40, ("50", "0", "40", "125.00"), id="overbooked"),
        pytest.param((1,), (), 3, ("1", "0", "3", "33.33"), id="rounds-down"),
        pytest.param((2,), (), 3, ("2", "0", "3", "66.67"), id="rounds-half-up"),
        pytest.param((), (), 40, ("0", "0", "40", "0.00"), id="idle"),
        pytest.param((20,), (), None, ("20", "0", None, None), id="capacity-unknown"),
        pytest.param((20,), (), 0, ("20", "0", "0", None), id="no-capacity"),
    ],
)
def test_utilisation_is_planned_hours_of_capacity(hard: tuple[int, ...], soft: tuple[int, ...], capacity: int | None, expected: tuple[str | None, ...]) -> None:  # fmt: skip
    """100 x (hard + soft) / capacity to two places; without a capacity there is no percentage."""
    shares = {f"h{at}": Share(1, hours * HOUR, hard=True) for at, hours in enumerate(hard)}
    shares |= {f"s{at}": Share(1, hours * HOUR, hard=False) for at, hours in enumerate(soft)}
    told = utilisation("R1", MONDAY, WeekState(shares, None if capacity is None else capacity * HOUR))

    assert expected == (told.hard_hours, told.soft_hours, told.capacity_hours, told.percent)
