"""A billing event: one line the ERP may put on an invoice, or the exact opposite of an earlier one."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from .engagement import ContractType, Rounding
from .wire import CurrencyCode, DecimalText, Id, OptionalId

TYPE: Final = "billtide.billing.v1"

ChargeLimit = Literal["", "minimum_charge", "maximum_charge"]


class TraceStep(msgspec.Struct, frozen=True, gc=False):
    """One step of how an amount came to be: what was looked up or applied, the value, and where it stands."""

    step: str
    value: str
    source: str


class BillingEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Key is engagement_id. Immutable; a correction is a reversal and a new charge, or an adjustment.

    quantity is the billed one, which may differ from what was worked; the trace then says why.
    id is derived from the cause: `{source}:{kind}:{entry id}:{revision}:billing:{ordinal}`, a reversal's is the
    charge's with `:reversal`. quantity x rate, rounded as `rounding` says, is the amount, but for a part of a
    capped entry (`part_of` is then the whole entry's amount), and for one that `limited_by` says the rate's minimum or
    maximum charge replaced. Of a bill that several customers pay there is a line for each, its id with `:1`, `:2`, …
    at its end, its amount the customer's share and `part_of` the whole. A reversal copies rate, exchange rate and
    rounding of what it reverses and negates quantity and amount. An adjustment is a difference to the charge it
    names in `adjusts`, shown as one unit at a rate of that amount. Kind `fee` is, as `unit` says, a term of
    a retainer or subscription, a milestone of a fixed fee (`item` is then its id), or what moves a prepaid balance:
    `refill`, and below zero `drawdown` (work that it pays), `refund`, `absorbed` (work beyond it that is not paid).
    Kind `rounding` is what a group of lines lacks to their exact sum; its trace says which lines.
    """

    id: Id
    kind: Literal["time", "expense", "fee", "rounding"]
    action: Literal["charge", "reversal", "adjustment"]
    source: Id
    entry_id: Id
    revision: int
    engagement_id: Id
    customer_id: Id
    legal_entity_id: Id
    contract_type: ContractType
    work_date: dt.date
    accounting_date: dt.date
    quantity: DecimalText
    unit: str
    rate: DecimalText
    rate_unit: str
    amount: DecimalText
    currency: CurrencyCode
    rounding: Rounding
    trace: tuple[TraceStep, ...] = ()
    resource_id: OptionalId = ""
    role: OptionalId = ""
    item: OptionalId = ""
    task_id: OptionalId = ""
    part_of: DecimalText | None = None
    fx_rate: DecimalText | None = None
    reverses: OptionalId = ""
    limited_by: ChargeLimit = ""
    adjusts: OptionalId = ""
    schema_version: Literal[1] = 1
