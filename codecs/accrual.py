"""An accrual event: a balanced journal for value or cost that has arisen and is not yet billed or paid."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from .journal import JournalLine
from .wire import CurrencyCode, Id, OptionalId, Wire

TYPE: Final = "billtide.accrual.v1"


class AccrualEvent(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What one entry accrues, or the exact opposite of it. Key is engagement_id.

    kind `work_in_progress` is at selling price in the contract's currency and is reversed by billing; kind `cost`
    is at cost rate or spend in the currency of the cost and stays.
    """

    id: Id
    kind: Literal["work_in_progress", "cost"]
    action: Literal["accrual", "reversal"]
    source: Id
    entry_id: Id
    revision: int
    engagement_id: Id
    legal_entity_id: Id
    resource_id: OptionalId = ""
    work_date: dt.date
    accounting_date: dt.date
    currency: CurrencyCode
    lines: tuple[JournalLine, ...]
    reverses: OptionalId = ""
