"""Documents of the ERP in a reckoning: what no invoice, credit note or payment can mean is refused a second time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_numbers import FX_PLACES, minor, number, refuse_when

if TYPE_CHECKING:
    from ...codecs.invoice import Invoice
    from ...codecs.payment import Allocation, Payment

_BILLED: Final = re.compile(r"([^:]+):(time|expense):(.+):([0-9]+):billing:.*")


class DocumentId(NamedTuple):
    """What a document is: two records with equal ids are revisions of one document."""

    source: str
    engagement_id: str
    id: str


class BilledRevision(NamedTuple):
    """The revision of an entry that the id of a billing event names."""

    source: str
    kind: str
    entry_id: str
    revision: int


def billed_revision(billing_id: str) -> BilledRevision | None:
    """What a billing event bills; None for fees and milestones."""
    match = _BILLED.fullmatch(billing_id)
    return None if match is None else BilledRevision(match[1], match[2], match[3], int(match[4]))


def check_invoice(sent: Invoice) -> None:
    """An invoice or a credit note can be read and does not contradict itself; raises UnreadableError."""
    refuse_when(":" in sent.id, "id")
    refuse_when((sent.kind == "credit_note") != bool(sent.invoice_id), "a credit note of no invoice")
    names = [line.billing_id for line in sent.lines]
    refuse_when(len(set(names)) < len(names), "a billing event twice")
    refuse_when(any(":billing:" not in name for name in names), "no billing event")
    amounts = [minor(line.amount, sent.currency) for line in sent.lines]
    refuse_when(sent.kind == "credit_note" and min(amounts) <= 0, "credits nothing")
    minor(sent.tax_amount, sent.currency)
    _check_rate(sent.currency, sent.base_currency, sent.fx_rate)


def check_payment(sent: Payment) -> None:
    """A payment can be read and does not contradict itself; raises UnreadableError."""
    refuse_when(":" in sent.id, "id")
    owed = sent.invoice_currency or sent.currency
    amount = minor(sent.amount, sent.currency)
    spent = 0
    for part in sent.allocations:
        minor(part.amount, owed)
        refuse_when((part.paid_amount is None) == (owed != sent.currency), "paid amount")
        spent += taken_of(part, sent.currency)
    names = [part.invoice_id for part in sent.allocations]
    refuse_when(len(set(names)) < len(names), "an invoice twice")
    refuse_when(abs(spent) > abs(amount) or spent * amount < 0, "more than was paid")
    _check_rate(sent.currency, sent.base_currency, sent.fx_rate)
    if owed == sent.currency:
        refuse_when(sent.invoice_fx_rate is not None, "two rates of one currency")
    else:
        _check_rate(owed, sent.base_currency, sent.invoice_fx_rate)


def taken_of(part: Allocation, currency: str) -> int:
    """What an allocation takes of a payment in its currency, minor units."""
    return minor(part.amount if part.paid_amount is None else part.paid_amount, currency)


def _check_rate(currency: str, base: str | None, rate: str | None) -> None:
    refuse_when((base is None) != (rate is None), "a rate without a currency")
    if base is not None and rate is not None:
        minor("0", base)
        known = number(rate, FX_PLACES)
        refuse_when(known <= 0 or (base == currency and known != 1), "rate")
