"""What an entry of a reckoning refers to: the calendar, exchange rates, and what an hour of somebody costs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .reckoning_numbers import FX_PLACES, MINOR_UNITS, in_minor_units, number

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from ...codecs.resource import Resource
    from .reckoning_facts import Facts


class WaitsError(Exception):
    """An entry or a fee that has no money yet."""

    def __init__(self, reason: HoldReason) -> None:
        """Keep what it waits for."""
        super().__init__(reason)
        self.reason: HoldReason = reason


def accounting_date(facts: Facts, terms: Engagement, on: dt.date) -> dt.date:
    """Where something of this date is posted for the engagement's legal entity; raises WaitsError when nowhere."""
    periods = facts.periods.get(terms.legal_entity_id, {}).values()
    at_end = terms.policies.accounting_date == "period_end"
    covering = {period.status: period for period in periods if period.start_date <= on <= period.end_date}
    if not covering:
        raise WaitsError("period_unknown")
    if "open" in covering:
        return covering["open"].end_date if at_end else on
    if "future" in covering:
        raise WaitsError("period_future")
    opens_later = [period for period in periods if period.status == "open" and period.start_date > on]
    if terms.policies.closed_period == "hold" or not opens_later:
        raise WaitsError("period_closed")
    first = min(opens_later, key=lambda period: period.start_date)
    return first.end_date if at_end else first.start_date


def exchange(facts: Facts, base: str, quote: str, on: dt.date) -> Fraction:
    """Units of `quote` for one unit of `base` on a date."""
    if base == quote:
        return Fraction(1)
    ranges = facts.fx.get((base, quote), {})
    covering = [start for start, fx in ranges.items() if start <= on <= (fx.valid_to or start)]
    if not covering:
        raise WaitsError("fx_rate_missing")
    return number(ranges[max(covering)].rate, FX_PLACES)


def converted(facts: Facts, terms: Engagement, amount: int, currency: str, on: dt.date) -> int:
    """Minor units of any currency as minor units of the contract's."""
    exact = Fraction(amount, 10 ** MINOR_UNITS[currency]) * exchange(facts, currency, terms.currency, on)
    return in_minor_units(exact, terms.currency)


def hours_in(unit: str, terms: Engagement) -> Fraction:
    """Length of a unit of time in hours."""
    if unit == "day":
        return number(terms.policies.hours_per_day)
    return {"hour": Fraction(1), "minute": Fraction(1, 60)}[unit]


def labour_cost(facts: Facts, terms: Engagement, person: Resource, hours: Fraction, on: dt.date) -> int:
    """Cost of hours of a person: rounded in the currency of the cost, then in the contract's."""
    in_force = [cost for cost in person.cost_rates if cost.effective_from <= on]
    if not in_force:
        raise WaitsError("cost_rate_missing")
    cost_rate = max(in_force, key=lambda cost: cost.effective_from)
    spent = in_minor_units(hours * number(cost_rate.rate), cost_rate.currency)
    return converted(facts, terms, spent, cost_rate.currency, on)
