"""What an entry of a reckoning refers to: the calendar, and how long a unit of time is."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .reckoning_accounts import waits_for_number
from .reckoning_numbers import number

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from .reckoning_facts import Facts


class WaitsError(Exception):
    """An entry or a fee that has no money yet."""

    def __init__(self, reason: HoldReason) -> None:
        """Keep what it waits for."""
        super().__init__(reason)
        self.reason: HoldReason = reason


def accounting_date(facts: Facts, terms: Engagement, on: dt.date, entity: str = "") -> dt.date:
    """Where something of this date is posted for a legal entity, the engagement's if not said; or raises WaitsError."""
    entity = entity or terms.legal_entity_id
    date = _in_calendar(facts, terms, on, entity)
    if waits_for_number(facts, terms, date, entity):
        raise WaitsError("account_unmapped")
    return date


def _in_calendar(facts: Facts, terms: Engagement, on: dt.date, entity: str) -> dt.date:
    """The same by the periods alone."""
    periods = facts.periods.get(entity, {}).values()
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


def is_closed(facts: Facts, terms: Engagement, on: dt.date) -> bool:
    """Whether the engagement's legal entity has closed every period of this date, of which it has any."""
    periods = facts.periods.get(terms.legal_entity_id, {}).values()
    return {period.status for period in periods if period.start_date <= on <= period.end_date} == {"closed"}


def hours_in(unit: str, terms: Engagement) -> Fraction:
    """Length of a unit of time in hours."""
    if unit == "day":
        return number(terms.policies.hours_per_day)
    return {"hour": Fraction(1), "minute": Fraction(1, 60)}[unit]
