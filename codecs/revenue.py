"""A revenue event: a balanced journal for revenue earned, with what it was measured by."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from .billing import TraceStep
from .engagement import ProgressMethod
from .journal import JournalLine
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Wire

TYPE: Final = "billtide.revenue.v1"


class RevenueEvent(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is engagement_id. method `as_billed`: earned with the billing event of the same cause.

    Other methods are the measures of a fixed fee's progress: what is missing to the revenue earned to date, after
    the cause; `earned_to_date` is then the engagement's total. By `cost_to_cost`, cost_to_date / estimated_cost is
    the progress, without uninstalled cost and waste. The amount is negative when an estimate or a correction
    takes revenue back. `ratable` is the fee of a term earned by day, for the days of one month; `breakage` a
    prepaid balance that expired, `absorbed` (negative) work beyond the balance that the customer does not pay.
    """

    id: Id
    method: Literal["as_billed", "ratable", "breakage", "absorbed"] | ProgressMethod
    source: Id
    entry_id: Id
    revision: int
    engagement_id: Id
    legal_entity_id: Id
    accounting_date: dt.date
    amount: DecimalText
    currency: CurrencyCode
    lines: tuple[JournalLine, ...]
    earned_to_date: DecimalText | None = None
    cost_to_date: DecimalText | None = None
    estimated_cost: DecimalText | None = None
    reverses: OptionalId = ""
    trace: tuple[TraceStep, ...] = ()
