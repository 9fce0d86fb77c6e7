"""An expense as a PSA or expense tool sends it: one receipt, one revision of it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

import msgspec

from .time_entry import EntryStatus, ProgressExcluded
from .wire import CurrencyCode, DecimalText, ExpenseUnit, Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.expense.v1"
ITEMS_MAX: Final = 200
"""Most items of one expense: a receipt has fewer."""


class ExpenseItem(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One line of an itemised expense, with a category and parts of its own. Fields as in Expense."""

    category: Id
    amount: DecimalText | None = None
    quantity: DecimalText | None = None
    unit: ExpenseUnit = "unit"
    unit_price: DecimalText | None = None
    tax_amount: DecimalText = "0"
    tax_recoverable: bool = False
    personal_amount: DecimalText = "0"


class Expense(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Money one person spent for one engagement. Identity is (source, id); key is engagement_id.

    amount is in the currency of spend, tax and personal part included; what the customer pays for it is the
    engagement's expense terms. It may be left out with a quantity (mileage, per diem): then it is quantity x
    unit_price, the expense's own or else the terms'. tax_amount: tax in what is not personal; when recoverable, it
    is neither cost nor billed. personal_amount: what the employee owes. receipt: there is one. items: lines of an
    expense with several categories or taxes; quantities, tax and personal part are then theirs, and amount, if
    sent, is their sum.
    `progress_excluded` leaves it out of a fixed fee's progress: uninstalled cost earns its cost, waste nothing.
    submitted_on: the day this revision was handed in, for contracts that charge what is spent on that day.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    resource_id: Id
    spent_on: dt.date
    category: Id
    amount: DecimalText | None = None
    currency: CurrencyCode
    status: EntryStatus
    billable: bool = True
    task_id: OptionalId = ""
    notes: str = ""
    quantity: DecimalText | None = None
    unit: ExpenseUnit = "unit"
    unit_price: DecimalText | None = None
    tax_amount: DecimalText = "0"
    tax_recoverable: bool = False
    personal_amount: DecimalText = "0"
    receipt: bool = False
    items: Annotated[tuple[ExpenseItem, ...], msgspec.Meta(max_length=ITEMS_MAX)] = ()
    progress_excluded: ProgressExcluded | None = None
    submitted_on: dt.date | None = None


decode: Final = decoder(Expense)
