"""What a version of an entry is worth in a reckoning, of whatever kind it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...codecs.time_entry import TimeEntry
from .reckoning_expense import expense_worth
from .reckoning_intercompany import transfer_of
from .reckoning_time import time_worth

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from .reckoning_facts import Entry, Facts


def date_of(version: Entry) -> dt.date:
    """Day of the work, or of the spending."""
    return version.work_date if isinstance(version, TimeEntry) else version.spent_on


def value_of(facts: Facts, terms: Engagement, version: Entry, fx_on: dt.date | None = None) -> tuple[int, int | None]:
    """Cost and price in minor units of the contract's currency; price None when nobody pays. Raises WaitsError.

    fx_on: the day whose exchange rates count, the entry's own if not said.
    """
    on = fx_on or date_of(version)
    if isinstance(version, TimeEntry):
        cost, price = time_worth(facts, terms, version, on)
    else:
        cost, price = expense_worth(facts, terms, version, on)
    transfer_of(facts, terms, version, price, on)  # a version whose transfer price is unknown waits for it
    return cost, price


def weight_of(facts: Facts, terms: Engagement, version: Entry) -> tuple[int, int | None]:
    """Cost and price that a version is judged by: those it would have if nothing else reached a tier."""
    return value_of(replace(facts, volumes={}) if facts.volumes else facts, terms, version)
