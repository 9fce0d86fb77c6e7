"""A payment of a customer as the ERP sends it: what came in, and which invoices it settles."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from .wire import CurrencyCode, DecimalText, Id, Revision, Wire, decoder

TYPE: Final = "billtide.payment.v1"
ALLOCATIONS_MAX: Final = 1_000
"""Most invoices one payment settles."""


class Allocation(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What of a payment settles one invoice. amount: tax included, in the invoice's currency.

    paid_amount: the same in the payment's currency, where that is another.
    """

    invoice_id: Id
    amount: DecimalText
    paid_amount: DecimalText | None = None


class Payment(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What one payment brings one engagement. Identity is (source, id, engagement_id); key is engagement_id.

    What is not allocated settles nothing yet. A refund is below zero. invoice_currency: the invoices' currency, where
    the payment has another. fx_rate and invoice_fx_rate: units of base_currency, the legal entity's own, for one unit
    of currency and of invoice_currency on the day of the payment; they turn the difference to the invoice's rate into
    a realised gain or loss. A reversed payment counts for nothing.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    status: Literal["received", "reversed"] = "received"
    received_on: dt.date
    amount: DecimalText
    currency: CurrencyCode
    allocations: Annotated[tuple[Allocation, ...], msgspec.Meta(max_length=ALLOCATIONS_MAX)] = ()
    fx_rate: DecimalText | None = None
    base_currency: CurrencyCode | None = None
    invoice_currency: CurrencyCode | None = None
    invoice_fx_rate: DecimalText | None = None


decode: Final = decoder(Payment)
