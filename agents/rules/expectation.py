"""What an assignment foretells: hours and labour cost by week; and what all of them make of a person's week."""

from __future__ import annotations

import datetime as dt

from ...codecs.assignment import Assignment
from ...codecs.currencies import EXPONENTS, format_amount
from ...codecs.decimals import RATE_PLACES, format_scaled
from ...codecs.durations import HOUR, format_hours, parse_duration
from ...codecs.errors import UndecodableError
from ...codecs.forecast import AssignmentForecast, Utilisation
from ...codecs.records import PlannedCost, WeekState
from .contract import Contract
from .money import divide
from .valuation import Lookups, Missing, beyond_limit, conversion_of, within_limit

PERCENT_PLACES = 2
_MONDAY = 0


def planned_hours(assignment: Assignment) -> dict[dt.date, int]:
    """Planned time by Monday, in microseconds; raises UndecodableError. A cancelled assignment plans nothing."""
    weeks: dict[dt.date, int] = {}
    for at, planned in enumerate(assignment.weeks):
        if planned.week.weekday() != _MONDAY:
            raise UndecodableError(
                "invalid_field", f"$.weeks[{at}].week", f"{planned.week} is not a Monday", "send the Monday of the week"
            )
        if planned.week in weeks:
            raise UndecodableError(
                "invalid_field", f"$.weeks[{at}].week", f"{planned.week} is planned twice", "send each week once"
            )
        weeks[planned.week] = parse_duration(planned.hours, "hour", HOUR, f"$.weeks[{at}].hours")
    return weeks if assignment.status == "active" else {}


def expect(
    assignment: Assignment, contract: Contract, lookups: Lookups
) -> tuple[tuple[PlannedCost, ...], Missing | None]:
    """Cost every planned week at the person's cost rate of its Monday, in the contract's currency.

    A week whose rate is unknown keeps its hours and has no cost; what it waits for is returned.
    """
    planned: list[PlannedCost] = []
    missing: Missing | None = None
    for week, time in planned_hours(assignment).items():
        cost = _cost(assignment, week, time, contract, lookups)
        if not isinstance(cost, Missing) and not within_limit(cost):
            cost = beyond_limit(contract)
        if isinstance(cost, Missing):
            missing = missing or cost
        planned.append(PlannedCost(week, time, None if isinstance(cost, Missing) else cost, contract.terms.currency))
    return tuple(planned), missing


def _cost(assignment: Assignment, week: dt.date, time: int, contract: Contract, lookups: Lookups) -> int | Missing:
    name = assignment.resource_id
    resource = lookups.resource(name)
    if resource is None:
        return Missing(
            "resource_unknown", f"resource:{name}", f"resource {name} is unknown; send it with its cost rates"
        )
    rate = next((rate for rate in resource.cost_rates if rate.effective_from <= week), None)
    if rate is None:
        return Missing(
            "cost_rate_missing",
            f"resource:{name}",
            f"resource {name} has no cost rate on {week}; send one that is effective then",
        )
    cost = divide(time * rate.rate * 10 ** EXPONENTS[rate.currency], HOUR * 10**RATE_PLACES, "half_up")
    currency = contract.terms.currency
    if rate.currency == currency:
        return cost
    conversion = conversion_of(rate.currency, contract, week, lookups)
    return conversion if isinstance(conversion, Missing) else conversion.of(cost)


def forecast(assignment: Assignment, planned: PlannedCost | None, week: dt.date) -> AssignmentForecast:
    """Tell what an assignment now plans for a week; None takes the week back."""
    cost = None if planned is None else planned.cost
    return AssignmentForecast(
        assignment_source=assignment.source,
        assignment_id=assignment.id,
        revision=assignment.revision,
        engagement_id=assignment.engagement_id,
        resource_id=assignment.resource_id,
        week=week,
        hours=format_hours(0 if planned is None else planned.time),
        booking=assignment.booking,
        expected_cost=None if cost is None or planned is None else format_amount(cost, planned.currency),
        currency=None if cost is None or planned is None else planned.currency,
    )


def utilisation(resource_id: str, week: dt.date, state: WeekState) -> Utilisation:
    """A person's planned week against their capacity; without one there is no percentage."""
    capacity = state.capacity
    hard = sum(share.time for share in state.shares.values() if share.hard)
    soft = sum(share.time for share in state.shares.values() if not share.hard)
    percent = None if not capacity else divide((hard + soft) * 100 * 10**PERCENT_PLACES, capacity, "half_up")
    return Utilisation(
        resource_id=resource_id,
        week=week,
        hard_hours=format_hours(hard),
        soft_hours=format_hours(soft),
        capacity_hours=None if capacity is None else format_hours(capacity),
        percent=None if percent is None else format_scaled(percent, PERCENT_PLACES),
    )
