"""Roll-over: by the policy `work_in_progress: reverse_next_period` an accrual stands in one period only.

When the period of an accrual is closed and a later one is open, the accrual is reversed on the first day of the next
open period and accrued again there, as long as it is not billed: no clock decides, the calendar does. Amount, currency
and price are those of the accrual; its books stay the same, the account numbers are those of the new date.
(Accrual with automatic reversal, as in Odoo's accrued entries and the month-end accruals of other ERPs.)
"""

from __future__ import annotations

import datetime as dt

from msgspec import structs

from ...codecs.entry_state import EntryState
from . import ledger
from .accounts import category_of, numbered
from .books import Books
from .contract import Contract


def rolls_to(entry: EntryState, contract: Contract) -> tuple[dt.date, dt.date] | None:
    """Where the entry's work in progress is reversed, and where it is accrued again; None while it stays."""
    accrued = entry.work_in_progress
    if not contract.rolls_over or accrued is None or not accrued.live:
        return None
    calendar = contract.calendar_of(accrued.legal_entity_id)
    start = calendar.next_start(accrued.accounting_date)
    date = None if start is None else calendar.accounting_date(start)
    return None if start is None or date is None or isinstance(date, str) else (start, date)


def roll_over(entry: EntryState, books: Books) -> None:
    """Reverse the work in progress of a closed period and accrue it again in the next open one."""
    contract, accrued = books.contract, entry.work_in_progress
    dates = rolls_to(entry, contract)
    if dates is None or accrued is None:
        return
    start, date = dates
    stands = entry.posted or entry.latest
    ledger.reverse_accrual("work_in_progress", stands, accrued, start, books)
    again = structs.replace(accrued, ordinal=accrued.ordinal + 1, accounting_date=date, numbers=())
    pair = ledger.ACCOUNTS["work_in_progress", stands.kind]
    entry.work_in_progress = numbered(again, pair, category_of(stands), contract.accounts_of(accrued.legal_entity_id))
    ledger.accrue("work_in_progress", stands, entry.work_in_progress, books)
