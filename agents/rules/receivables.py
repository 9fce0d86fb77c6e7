"""Receivables: what the ERP's invoices, credit notes and payments make of what is billed.

As with entries, the question is what stands of a document against what should: its latest revision, unless it is
cancelled or waits for something. The difference is posted as a reversal and a new posting, so the order in which
documents arrive makes no difference to the money (M9). Each posting is a balanced journal:

    invoice        debit receivable, credit unbilled receivable and tax payable; a credit note the opposite
    payment        debit cash, credit receivable, in the invoices' currency
    write_off      debit revenue, credit unbilled receivable: what a credit note takes back, by policy
    fx_difference  receivable or cash against a gain or a loss, in the legal entity's currency: see realised

A reversal copies amounts and dates of what it reverses; rates are not looked at again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import TraceStep
from ...codecs.currencies import format_amount
from ...codecs.entry_state import Posted
from ...codecs.journal import Account, JournalLine
from ...codecs.receivable_state import (
    FxDifference,
    InvoiceState,
    InvoiceVersion,
    PaymentState,
    PaymentVersion,
)
from .accounts import DOCUMENT, document_numbers
from .books import Books
from .ledger import next_ordinal
from .realised import Realised, realise
from .valuation import Missing, missing_period

Kind = Literal["invoice", "payment", "fx_difference", "write_off"]
_WHAT: Final[dict[Kind, str]] = {
    "invoice": "receivable",
    "payment": "cash",
    "fx_difference": "fx_difference",
    "write_off": "write_off",
}
Parts = Iterable[tuple[Account, int]]
"""Accounts with what is debited to them, in minor units; credits are below zero."""


def settle_invoice(state: InvoiceState, waits_for: Missing | None, books: Books) -> Missing | None:
    """Post a document as its latest revision says; returns what it waits for, if anything."""
    latest, stands, posted = state.latest, state.stands, state.posted
    wanted = None if latest.cancelled or waits_for is not None else latest
    if stands is not None and posted is not None:
        if (
            wanted is not None
            and _same(stands, posted, wanted, books)
            and _written_off(wanted, books) == state.written_off
        ):
            if wanted.number != stands.number:
                state.stands = wanted
            return None
        date = books.contract.calendar.accounting_date(posted.accounting_date)
        if isinstance(date, str):
            return missing_period(date, books.contract, posted.accounting_date)
        _emit("invoice", stands, posted, _owed(stands), books, reversed_on=date)
        _write_off(stands, posted, state.written_off, books, reversed_on=date)
        _count_invoice(stands, books, -1)
        state.stands, state.written_off = None, 0
    if wanted is None:
        return waits_for
    date = books.contract.calendar.accounting_date(wanted.issued_on)
    if isinstance(date, str):
        return missing_period(date, books.contract, wanted.issued_on)
    state.stands = wanted
    posted = state.posted = _posted(posted, wanted.revision, wanted.gross, wanted.currency, date, books)
    _emit("invoice", wanted, posted, _owed(wanted), books)
    state.written_off = _written_off(wanted, books)
    _write_off(wanted, posted, state.written_off, books)
    _count_invoice(wanted, books, 1)
    return None


def settle_payment(
    state: PaymentState, invoices: Mapping[str, InvoiceState], waits_for: Missing | None, books: Books
) -> Missing | None:
    """Post a payment as its latest revision says; returns what it waits for, if anything.

    invoices: those it settles and those it settled, by id; what they are paid is changed in place.
    """
    latest, stands, posted = state.latest, state.stands, state.posted
    realised = Realised()
    if waits_for is None and not latest.reversed:
        found = realise(latest, invoices, books.contract)
        realised, waits_for = (realised, found) if isinstance(found, Missing) else (found, None)
    wanted = None if latest.reversed or waits_for is not None else latest
    if stands is not None and posted is not None:
        if wanted and _same(stands, posted, wanted, books) and state.fx_difference == realised.difference:
            return None
        date = books.contract.calendar.accounting_date(posted.accounting_date)
        if isinstance(date, str):
            return missing_period(date, books.contract, posted.accounting_date)
        _take_back(state, stands, posted, invoices, date, books)
    if wanted is None:
        return waits_for
    date = books.contract.calendar.accounting_date(wanted.received_on)
    if isinstance(date, str):
        return missing_period(date, books.contract, wanted.received_on)
    state.stands, state.fx_difference = wanted, realised.difference
    posted = state.posted = _posted(posted, wanted.revision, wanted.amount, wanted.invoice_currency, date, books)
    _emit("payment", wanted, posted, _received(wanted), books)
    if realised.difference is not None:
        _emit_difference(wanted, posted, realised.difference, books, trace=realised.trace)
    _count_payment(wanted, realised.difference, books, 1)
    for part in wanted.allocations:
        invoices[part.invoice_id].paid[wanted.id] = part.amount
    return None


def _same(
    stands: InvoiceVersion | PaymentVersion, posted: Posted, wanted: InvoiceVersion | PaymentVersion, books: Books
) -> bool:
    """Whether what stands is what should: a number or a revision alone is no money."""
    plain = structs.replace(wanted, revision=stands.revision)
    if isinstance(plain, InvoiceVersion) and isinstance(stands, InvoiceVersion):
        plain = structs.replace(plain, number=stands.number)
    return plain == stands and posted.legal_entity_id == books.contract.terms.legal_entity_id


def _take_back(
    state: PaymentState,
    stands: PaymentVersion,
    posted: Posted,
    invoices: Mapping[str, InvoiceState],
    date: dt.date,
    books: Books,
) -> None:
    _emit("payment", stands, posted, _received(stands), books, reversed_on=date)
    difference = state.fx_difference
    if difference is not None:
        _emit_difference(stands, posted, difference, books, reversed_on=date)
    _count_payment(stands, difference, books, -1)
    for part in stands.allocations:
        invoices[part.invoice_id].paid.pop(stands.id, None)
    state.stands = state.fx_difference = None


def _posted(last: Posted | None, revision: int, amount: int, currency: str, date: dt.date, books: Books) -> Posted:
    terms = books.contract.terms
    ordinal = next_ordinal(last, revision)
    posted = Posted(revision, ordinal, amount, currency, date, terms.legal_entity_id, terms.customer_id)
    accounts = books.contract.accounts
    return posted if accounts is None else structs.replace(posted, numbers=document_numbers(date, accounts))


def _owed(version: InvoiceVersion) -> Parts:
    return (
        ("receivable", version.gross),
        ("unbilled_receivable", -version.net),
        ("tax_payable", -version.sign * version.tax),
    )


def _written_off(version: InvoiceVersion, books: Books) -> int:
    """What of a document is lost revenue: all that a credit note takes back, if it is not to be invoiced again."""
    return -version.net if version.document == "credit_note" and books.contract.writes_off else 0


def _write_off(
    version: InvoiceVersion, posted: Posted, amount: int, books: Books, *, reversed_on: dt.date | None = None
) -> None:
    parts: Parts = ("revenue", amount), ("unbilled_receivable", -amount)
    _emit("write_off", version, posted, parts, books, reversed_on=reversed_on)
    engagement, signed = books.engagement, amount if reversed_on is None else -amount
    engagement.written_off += signed
    engagement.earned -= signed


def _received(version: PaymentVersion) -> Parts:
    return ("cash", version.amount), ("receivable", -version.amount)


def _gained(difference: FxDifference) -> Parts:
    """Each difference is a pair of its own: gains and losses are shown apart."""
    pairs: tuple[tuple[Account, int], ...] = ("receivable", difference.invoice_rate), ("cash", difference.payment)
    for account, amount in pairs:
        yield account, amount
        yield "fx_gain" if amount > 0 else "fx_loss", -amount


def _count_invoice(version: InvoiceVersion, books: Books, sign: int) -> None:
    engagement = books.engagement
    engagement.invoiced += sign * version.net
    engagement.invoiced_tax += sign * version.sign * version.tax
    if version.document == "credit_note":
        engagement.credited -= sign * version.net


def _count_payment(version: PaymentVersion, difference: FxDifference | None, books: Books, sign: int) -> None:
    engagement = books.engagement
    engagement.cash += sign * version.amount
    if difference is not None:
        sums, base = engagement.fx_differences, difference.currency
        sums[base] = sums.get(base, 0) + sign * (difference.invoice_rate + difference.payment)


def _emit_difference(
    version: PaymentVersion,
    posted: Posted,
    difference: FxDifference,
    books: Books,
    *,
    trace: tuple[TraceStep, ...] = (),
    reversed_on: dt.date | None = None,
) -> None:
    in_base = structs.replace(posted, currency=difference.currency)
    _emit(
        "fx_difference",
        version,
        in_base,
        _gained(difference),
        books,
        trace=trace,
        reversed_on=reversed_on,
    )


def _emit(
    kind: Kind,
    version: InvoiceVersion | PaymentVersion,
    posted: Posted,
    parts: Parts,
    books: Books,
    *,
    trace: tuple[TraceStep, ...] = (),
    reversed_on: dt.date | None = None,
) -> None:
    """Append a journal, or the exact opposite of one; one without an amount says nothing and is left out."""
    sign = 1 if reversed_on is None else -1
    numbers = dict(zip(DOCUMENT, posted.numbers, strict=False))
    lines = tuple(
        JournalLine(
            account,
            "debit" if sign * amount > 0 else "credit",
            format_amount(abs(amount), posted.currency),
            numbers.get(account, ""),
        )
        for account, amount in parts
        if amount
    )
    if not lines:
        return
    cause = f"{version.source}:{version.kind}:{version.id}:{version.engagement_id}:{posted.revision}"
    name = f"{cause}:{_WHAT[kind]}:{posted.ordinal}"
    books.effects.accruals.append(
        AccrualEvent(
            id=name if reversed_on is None else f"{name}:reversal",
            kind=kind,
            action="accrual" if reversed_on is None else "reversal",
            source=version.source,
            entry_id=version.id,
            revision=posted.revision,
            engagement_id=version.engagement_id,
            legal_entity_id=posted.legal_entity_id,
            work_date=version.on,
            accounting_date=posted.accounting_date if reversed_on is None else reversed_on,
            currency=posted.currency,
            lines=lines,
            reverses="" if reversed_on is None else name,
            trace=trace,
        )
    )
