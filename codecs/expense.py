"""An expense line as a PSA or expense tool sends it: one receipt's line, one revision of it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .time_entry import EntryStatus, ProgressExcluded
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.expense.v1"


class Expense(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Money one person spent for one engagement. Identity is (source, id); key is engagement_id.

    amount is in the currency of spend; what the customer pays for it is the engagement's expense terms.
    `progress_excluded` leaves it out of a fixed fee's progress: uninstalled cost earns its cost, waste nothing.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    resource_id: Id
    spent_on: dt.date
    category: Id
    amount: DecimalText
    currency: CurrencyCode
    status: EntryStatus
    billable: bool = True
    task_id: OptionalId = ""
    notes: str = ""
    progress_excluded: ProgressExcluded | None = None


decode: Final = decoder(Expense)
