"""Receivables in a reckoning: what the ERP's documents make of one engagement, from their latest revisions alone.

A cancelled document and a reversed payment count for nothing; what names something unknown waits, and counts for
nothing either.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from .reckoning_documents import DocumentId, billed_revision, taken_of
from .reckoning_facts import EntryId
from .reckoning_lookups import WaitsError, accounting_date
from .reckoning_numbers import FX_PLACES, MINOR_UNITS, in_minor_units, minor, number

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from ...codecs.invoice import Invoice
    from ...codecs.payment import Payment
    from .reckoning_facts import Facts


class Answered(NamedTuple):
    """How far one billing event has come: minor units on invoices, and in credit notes; numbers of all of them."""

    state: str = "posted"
    invoiced: int = 0
    credited: int = 0
    documents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receivables:
    """Sums in minor units of the contract's currency, without tax but for `receivable` and `cash`.

    invoiced is less credits; fx: realised differences by currency of the legal entity; lines: by billing event.
    """

    documents: int = 0
    invoiced: int = 0
    credited: int = 0
    written_off: int = 0
    receivable: int = 0
    cash: int = 0
    fx: dict[str, int] = field(default_factory=dict)
    lines: dict[str, Answered] = field(default_factory=dict)


def waiting_documents(facts: Facts) -> Counter[HoldReason]:
    """Documents that wait, by reason; those of engagements without terms among them."""
    waiting = [_invoice_waits_for(facts, document) for document in facts.invoices.values()]
    waiting += [_payment_waits_for(facts, document) for document in facts.payments.values()]
    return Counter(reason for reason in waiting if reason is not None)


def receivables(facts: Facts, terms: Engagement) -> Receivables:
    """Add up the documents of an engagement."""
    bills = [known for known in facts.invoices.values() if known.engagement_id == terms.id]
    paid = [known for known in facts.payments.values() if known.engagement_id == terms.id]
    standing = [one for one in bills if one.status == "issued" and _invoice_waits_for(facts, one) is None]
    received = [one for one in paid if one.status == "received" and _payment_waits_for(facts, one) is None]
    notes = [one for one in standing if one.kind == "credit_note"]
    credited = sum(map(_net, notes))
    fx: Counter[str] = Counter()
    for payment in received:
        for base, amount in _realised(facts, payment).items():
            fx[base] += amount
    cash = sum(_settled(payment) for payment in received)
    return Receivables(
        documents=len(bills) + len(paid),
        invoiced=sum(_sign(one) * _net(one) for one in standing),
        credited=credited,
        written_off=credited if terms.policies.credit == "write_off" else 0,
        receivable=sum(_sign(one) * _gross(one) for one in standing) - cash,
        cash=cash,
        fx={base: amount for base, amount in fx.items() if amount},
        lines=_lines(terms.currency, standing, received),
    )


def _invoice_waits_for(facts: Facts, document: Invoice) -> HoldReason | None:
    """What keeps a document from being posted, the first thing first."""
    terms = facts.engagements.get(document.engagement_id)
    if terms is None:
        return "engagement_unknown"
    if document.status == "cancelled":
        return None
    try:
        _check_names(facts, terms, document)
        accounting_date(facts, terms, document.issued_on)
    except WaitsError as wait:
        return wait.reason
    return None


def _check_names(facts: Facts, terms: Engagement, document: Invoice) -> None:
    """What a document names is known: raises WaitsError for the first thing that is not."""
    if document.currency != terms.currency:
        raise WaitsError("currency_differs")
    for line in document.lines:
        billed = billed_revision(line.billing_id)
        if billed is not None:
            versions = facts.versions.get(EntryId(billed.kind, billed.source, terms.id, billed.entry_id))
            if not versions or versions[-1].revision < billed.revision:
                raise WaitsError("billing_unknown")
    if document.invoice_id and DocumentId(document.source, terms.id, document.invoice_id) not in facts.invoices:
        raise WaitsError("invoice_unknown")


def _payment_waits_for(facts: Facts, document: Payment) -> HoldReason | None:
    """What keeps a payment from being posted, the first thing first."""
    terms = facts.engagements.get(document.engagement_id)
    if terms is None:
        return "engagement_unknown"
    if document.status == "reversed":
        return None
    if (document.invoice_currency or document.currency) != terms.currency:
        return "currency_differs"
    for part in document.allocations:
        invoice = facts.invoices.get(DocumentId(document.source, terms.id, part.invoice_id))
        if invoice is None or _invoice_waits_for(facts, invoice) is not None:
            return "invoice_unknown"
    try:
        _realised(facts, document)
        accounting_date(facts, terms, document.received_on)
    except WaitsError as wait:
        return wait.reason
    return None


def _realised(facts: Facts, payment: Payment) -> dict[str, int]:
    """What a payment gains by exchange rates, in minor units by currency of the legal entity."""
    owed, base = payment.invoice_currency or payment.currency, payment.base_currency
    gained = 0
    for part in payment.allocations:
        invoice = facts.invoices[DocumentId(payment.source, payment.engagement_id, part.invoice_id)]
        stands = invoice.status == "issued"
        is_foreign = stands and invoice.base_currency is not None and invoice.base_currency != invoice.currency
        if base is None:
            if payment.currency != owed or is_foreign:
                raise WaitsError("fx_rate_missing")
            continue
        now = number(payment.invoice_fx_rate or payment.fx_rate or "1", FX_PLACES)
        then = _rate_of(invoice, base) if stands else now
        amount = Fraction(minor(part.amount, owed), 10 ** MINOR_UNITS[owed])
        carried, settled = in_minor_units(amount * then, base), in_minor_units(amount * now, base)
        received = settled
        if payment.currency != owed:
            paid = Fraction(taken_of(part, payment.currency), 10 ** MINOR_UNITS[payment.currency])
            received = in_minor_units(paid * number(payment.fx_rate or "1", FX_PLACES), base)
        gained += settled - carried + received - settled
    return {} if base is None else {base: gained}


def _rate_of(invoice: Invoice, base: str) -> Fraction:
    """What one unit of an invoice's currency was in the legal entity's."""
    if invoice.currency == base:
        return Fraction(1)
    if invoice.base_currency != base or invoice.fx_rate is None:
        raise WaitsError("fx_rate_missing")
    return number(invoice.fx_rate, FX_PLACES)


def _lines(currency: str, standing: list[Invoice], received: list[Payment]) -> dict[str, Answered]:
    """Every billing event that documents name which stand."""
    found: dict[str, Answered] = {}
    for name in dict.fromkeys(line.billing_id for document in standing for line in document.lines):
        naming = [one for one in standing if name in {line.billing_id for line in one.lines}]
        invoices, notes = [one for one in naming if not one.invoice_id], [one for one in naming if one.invoice_id]
        invoiced, credited = (
            sum(minor(line.amount, currency) for one in group for line in one.lines if line.billing_id == name)
            for group in (invoices, notes)
        )
        numbers = frozenset(one.number for one in naming)
        found[name] = Answered(_state(invoiced, credited, invoices, standing, received), invoiced, credited, numbers)
    return found


def _state(
    invoiced: int, credited: int, invoices: list[Invoice], standing: list[Invoice], received: list[Payment]
) -> str:
    """How far a billing event has come, by the invoices it stands on."""
    if not invoices:
        return "posted"
    if credited and credited >= invoiced:
        return "credited"
    paid = {one.id: [payment for payment in received if _allocated(payment, one)] for one in invoices}
    left = {
        one.id: _gross(one)
        - sum(amount for payment in paid[one.id] for amount in _allocated(payment, one))
        - sum(_gross(note) for note in standing if note.invoice_id == one.id and note.source == one.source)
        for one in invoices
    }
    if all((left[one.id] <= 0) if _gross(one) >= 0 else (left[one.id] >= 0) for one in invoices):
        return "paid"
    return "partly_paid" if any(paid.values()) else "invoiced"


def _allocated(payment: Payment, invoice: Invoice) -> list[int]:
    """What a payment settles of an invoice, minor units; nothing where it does not name it."""
    if payment.source != invoice.source:
        return []
    return [minor(part.amount, invoice.currency) for part in payment.allocations if part.invoice_id == invoice.id]


def _settled(payment: Payment) -> int:
    owed = payment.invoice_currency or payment.currency
    return sum(minor(part.amount, owed) for part in payment.allocations)


def _net(document: Invoice) -> int:
    return sum(minor(line.amount, document.currency) for line in document.lines)


def _gross(document: Invoice) -> int:
    return _net(document) + minor(document.tax_amount, document.currency)


def _sign(document: Invoice) -> int:
    """A credit note takes back."""
    return -1 if document.kind == "credit_note" else 1
