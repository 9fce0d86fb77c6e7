"""Reversals: what is taken back is posted on dates that are open in the books where it stands (M6), whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from msgspec import structs

from ...codecs.entry_state import EntryState, EntryVersion, Posted
from . import ledger
from .books import Books
from .cap import close_open, count_billed
from .contract import Contract
from .correction import as_billed
from .funding import unfund
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


def reversed_on(posted: Posted, dates: Dates) -> dt.date:
    """The date of a posting's reversal."""
    return dates[posted.legal_entity_id, posted.accounting_date]


def reversed_posting(posted: Posted) -> Posted:
    """What remains of a reversed posting: its number, so that it is not used again."""
    return structs.replace(posted, live=False)


def standing_parts(parts: tuple[Posted, ...]) -> tuple[Posted, ...]:
    """The parts of a bill that are not reversed."""
    return tuple(part for part in parts if part.live)


def reverse_charges(entry: EntryState, books: Books, stands: EntryVersion, dates: Dates) -> None:
    """Take back every part of an entry's bill, as it was billed."""
    engagement = books.engagement
    for part in standing_parts(entry.charges):
        ledger.reverse_charge(*as_billed(entry, part, stands), part, reversed_on(part, dates), books)
        unfund(part, engagement)
        engagement.billed -= part.amount
        engagement.earned -= part.amount
        count_billed(-part.amount, stands, engagement, books.contract)
        if stands.kind == "expense":
            engagement.billed_expenses -= part.amount
    if entry.charges:
        entry.charges = (reversed_posting(entry.charges[-1]),)
    entry.adjusted = None
    engagement.approved_value -= entry.approved_value
    close_open(entry, engagement)
    entry.approved_value = 0


def reverse_work_in_progress(
    entry: EntryState, books: Books, stands: EntryVersion, accrued: Posted, date: dt.date
) -> None:
    """Close the accrual of what is billed, changed or withdrawn."""
    ledger.reverse_accrual("work_in_progress", stands, accrued, date, books)
    entry.work_in_progress = reversed_posting(accrued)
    books.engagement.unbilled -= accrued.amount


def reverse_cost(entry: EntryState, books: Books, stands: EntryVersion, cost: Posted, date: dt.date) -> None:
    """Take back what an entry cost."""
    ledger.reverse_accrual("cost", stands, cost, date, books)
    entry.cost = reversed_posting(cost)
    books.engagement.cost -= entry.cost_value
    entry.cost_value = 0
