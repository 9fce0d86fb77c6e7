"""What a version of an entry is worth in a reckoning, of whatever kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...codecs.time_entry import TimeEntry
from .reckoning_expense import expense_worth
from .reckoning_time import time_worth

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from .reckoning_facts import Entry, Facts


def date_of(version: Entry) -> dt.date:
    """Day of the work, or of the spending."""
    return version.work_date if isinstance(version, TimeEntry) else version.spent_on


def value_of(facts: Facts, terms: Engagement, version: Entry) -> tuple[int, int | None]:
    """Cost and price in minor units of the contract's currency; price None when nobody pays. Raises WaitsError."""
    if isinstance(version, TimeEntry):
        return time_worth(facts, terms, version)
    return expense_worth(facts, terms, version)
