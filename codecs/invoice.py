"""An invoice or a credit note as the ERP sends it: which billing events are on it, with which amounts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from .wire import CurrencyCode, DecimalText, Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.invoice.v1"
LINES_MAX: Final = 10_000
"""Most lines of one document."""

BillingId = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, description="Id of a billing event")]


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A billing event on a document. amount: what of it stands there, without tax, in the document's currency."""

    billing_id: BillingId
    amount: DecimalText


class Invoice(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What one document says about one engagement. Identity is (source, id, engagement_id); key is engagement_id.

    A document over several engagements is sent once for each. An `invoice` has the amounts of the billing events, so
    reversals and adjustments stand on it below zero. A `credit_note` is a credit the ERP gives by itself: it names the
    lines of the invoice `invoice_id` that it credits, whole or in part, with amounts above zero.
    tax_amount: what the customer owes on top of the lines. fx_rate: units of base_currency, the legal entity's own,
    for one unit of currency; both or none. A cancelled document counts for nothing.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    kind: Literal["invoice", "credit_note"] = "invoice"
    status: Literal["issued", "cancelled"] = "issued"
    number: Id
    issued_on: dt.date
    currency: CurrencyCode
    lines: Annotated[tuple[InvoiceLine, ...], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    tax_amount: DecimalText = "0"
    fx_rate: DecimalText | None = None
    base_currency: CurrencyCode | None = None
    invoice_id: OptionalId = ""


decode: Final = decoder(Invoice)
