"""How far a billing event has come in the ERP: the read model for the systems that entries come from."""

from __future__ import annotations

from typing import Final, Literal

from .invoice import BillingId
from .wire import CurrencyCode, DecimalText, Id, Wire, decoder

TYPE: Final = "billtide.posting-state.v1"

State = Literal["posted", "invoiced", "partly_paid", "paid", "credited"]


class PostingState(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is billing_id; the latest record counts. A billing event without a record is `posted`.

    invoiced: what of it stands on invoices; credited: what of that credit notes take back; both without tax.
    `credited` is one that is credited whole. `paid` and `partly_paid` say how far the invoices it stands on are
    settled: payments name invoices, not lines. documents: numbers of the invoices and credit notes that name it.
    """

    billing_id: BillingId
    engagement_id: Id
    state: State
    invoiced: DecimalText
    credited: DecimalText
    currency: CurrencyCode
    documents: tuple[Id, ...] = ()


decode: Final = decoder(PostingState)
