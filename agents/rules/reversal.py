"""Dates of reversals: what is taken back is posted on dates that are open in the books where it stands (M6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from ...codecs.entry_state import Posted
from .contract import Contract
from .valuation import Missing, missing_period

Dates = dict[tuple[str, dt.date], dt.date]
"""Legal entity and accounting date of a posting, to the date on which it can be reversed there."""


def reversal_dates(wrong: Iterable[Posted], contract: Contract) -> Dates | Missing:
    """On which dates postings can be reversed, or what the first that cannot be waits for."""
    dates: Dates = {}
    for posted in wrong:
        entity = posted.legal_entity_id
        date = contract.calendar_of(entity).accounting_date(posted.accounting_date)
        if isinstance(date, str):
            return missing_period(date, contract, posted.accounting_date, entity)
        dates[entity, posted.accounting_date] = date
    return dates
