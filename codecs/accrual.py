"""An accrual event: a balanced journal for value or cost that has arisen and is not yet billed or paid."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from .billing import TraceStep
from .journal import JournalLine
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Wire

TYPE: Final = "billtide.accrual.v1"


class AccrualEvent(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What an entry or an engagement's terms accrue, or the exact opposite of it. Key is engagement_id.

    kind `work_in_progress` is at selling price in the contract's currency and is reversed by billing; kind `cost`
    is at cost rate or spend in the currency of the cost and stays. Kind `milestone` moves what a milestone bills
    from the contract asset to the receivable; kind `loss` is what is missing to the provision for a fixed fee's
    loss. Kind `deferral` moves the fee of a term from deferred revenue (billed before it is earned) or the contract
    asset (billed after) to the receivable. Of these three entry_id is the engagement. Kind `invoice` moves what a
    document of the ERP contains from the unbilled receivable to the receivable, kind `payment` what is paid to cash;
    kind `fx_difference` is what a payment realises, in the legal entity's currency, with its rates in the trace;
    kind `write_off` takes revenue back that a credit note gives up. Of these four entry_id is the document. Kinds
    `intercompany_sale` and `intercompany_purchase` charge the work of another legal entity's person in the books of
    both, `sale_elimination` and `purchase_elimination` take that out when the firm is consolidated; counterparty_id is
    then the other entity, in an elimination the one whose journal it takes out, and fx_rate what the transfer price was
    converted at.
    """

    id: Id
    kind: Literal[
        "work_in_progress",
        "cost",
        "milestone",
        "loss",
        "deferral",
        "invoice",
        "payment",
        "fx_difference",
        "write_off",
        "intercompany_sale",
        "intercompany_purchase",
        "sale_elimination",
        "purchase_elimination",
    ]
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
    counterparty_id: OptionalId = ""
    fx_rate: DecimalText | None = None
    trace: tuple[TraceStep, ...] = ()
