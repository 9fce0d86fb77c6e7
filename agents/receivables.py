"""The ERP's documents beside what they name: settled, held or released, and told to those who wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from ..codecs.entry_state import EntryVersion
from ..codecs.receivable_state import InvoiceState, InvoiceVersion, PaymentState, PaymentVersion
from ..tables.keys import key_of, of_engagement
from ..tables.table import Table
from .holds import Holdable, hold, release
from .keys import check_key, record_key
from .posting_states import entry_key, name_lines, tell_lines
from .rules.books import Books
from .rules.contract import Contract
from .rules.documents import billed_entry
from .rules.posting import is_settled
from .rules.realised import invoice_word
from .rules.receivables import settle_invoice, settle_payment
from .rules.valuation import Missing, unknown_engagement
from .work import Record, Work

S = TypeVar("S", InvoiceState, PaymentState)


def newer(work: Work, record: Record, table: Table[S], fresh: S) -> tuple[bytes, S] | Literal["duplicate", "stale"]:
    """Key and state of a document with this revision, which `fresh` has, as the latest; or what becomes of a lower."""
    version = fresh.latest
    check_key(record, version.engagement_id)
    key = record_key(table.tag, version.kind, version.source, version.engagement_id, version.id)
    state = table.get(key)
    if state is None:
        state = fresh
        work.engagement(version.engagement_id).documents += 1
    elif version.revision <= state.latest.revision:
        return "duplicate" if version.revision == state.latest.revision else "stale"
    else:
        state.latest = version
    work.trail.about = version
    return key, state


def settle_invoice_of(work: Work, key: bytes, state: InvoiceState) -> bool:
    """Settle an invoice or a credit note with all that is known now, and what names it; says whether it waits."""
    latest, stood, waited = state.latest, state.stands, state.hold is not None
    books = _books(work, latest.engagement_id)
    if books is None:
        missing: Missing | None = unknown_engagement(latest.engagement_id)
    else:
        missing = settle_invoice(state, _invoice_waits_for(work, latest, books.contract), books)
    _keep_waiting(work, key, state, missing)
    was_known = work.state.invoices.get(key) is not None
    work.state.invoices.put(key, state)
    lines = name_lines(work, key, stood, state.stands)
    if stood is not None and state.stands is not stood:
        lines += _credit(work, stood, 0)
    if state.stands is not None and state.stands is not stood:
        lines += _credit(work, state.stands, -state.stands.gross)
    tell_lines(work, latest.engagement_id, lines)
    for hold_key in work.state.holds.waiting_on(invoice_word(latest.engagement_id, latest.source, latest.id)):
        settle_document(work, hold_key)
    if state.stands is not stood or waited != (missing is not None):
        for payment_id in sorted(state.paid):
            settle_document(work, _key("h", "payment", latest, payment_id))
    if was_known and not waited and missing is not None:
        # What does not stand may wait for its period, and for this document before that.
        _settle_every(work, latest.engagement_id, work.state.payments)
    return missing is not None


def settle_payment_of(work: Work, key: bytes, state: PaymentState) -> bool:
    """Settle a payment with all that is known now; says whether it waits."""
    latest, table = state.latest, work.state.invoices
    versions = [latest] if state.stands is None else [latest, state.stands]
    names = dict.fromkeys(part.invoice_id for version in versions for part in version.allocations)
    keys = {name: _key("i", "invoice", latest, name) for name in names}
    invoices = {name: known for name, at in keys.items() if (known := table.get(at)) is not None}
    before = {name: _progress(known) for name, known in invoices.items()}
    books = _books(work, latest.engagement_id)
    if books is None:
        missing: Missing | None = unknown_engagement(latest.engagement_id)
    else:
        missing = settle_payment(state, invoices, _payment_waits_for(latest, invoices, books.contract), books)
    _keep_waiting(work, key, state, missing)
    work.state.payments.put(key, state)
    for name, known in invoices.items():
        table.put(keys[name], known)
        if known.stands is not None and _progress(known) != before[name]:
            tell_lines(work, latest.engagement_id, [billing_id for billing_id, _ in known.stands.lines])
    return missing is not None


def settle_document(work: Work, hold_key: bytes) -> None:
    """Settle the invoice or payment again that a hold of this key is, or would be, about."""
    invoice = work.state.invoices.get(b"i" + hold_key[1:])
    payment = work.state.payments.get(b"y" + hold_key[1:])
    if invoice is not None:
        settle_invoice_of(work, b"i" + hold_key[1:], invoice)
    elif payment is not None:
        settle_payment_of(work, b"y" + hold_key[1:], payment)


def settle_documents_naming(work: Work, version: EntryVersion) -> None:
    """Settle the documents again that wait for billing events of this entry."""
    word = _billing_word(version.engagement_id, version.source, version.kind, version.id)
    for hold_key in work.state.holds.waiting_on(word):
        settle_document(work, hold_key)


def settle_documents_of(work: Work, engagement_id: str) -> None:
    """Settle every document of an engagement again, as new terms may put it into other books."""
    _settle_every(work, engagement_id, work.state.invoices)
    _settle_every(work, engagement_id, work.state.payments)


def _settle_every(work: Work, engagement_id: str, table: Table[S]) -> None:
    for key in of_engagement(table, engagement_id):
        settle_document(work, b"h" + key[1:])


def _books(work: Work, engagement_id: str) -> Books | None:
    engagement = work.engagement(engagement_id)
    contract = work.contexts.contract(engagement, work.reference)
    return None if contract is None else Books(engagement, contract, work.lookups, work.effects)


def _invoice_waits_for(work: Work, version: InvoiceVersion, contract: Contract) -> Missing | None:
    """The first thing a document names that is not known.

    A billing event is known once its entry is, in the revision it bills or a later one: that is the same whether the
    event was made before the document came or after, or taken back since (M9). Fees are the terms' own.
    """
    if version.cancelled:
        return None
    if version.currency != contract.currency:
        return _other_currency(version.number, version.currency, contract)
    for billing_id, _ in version.lines:
        named = billed_entry(billing_id)
        if named is None:
            continue
        entry = work.state.entries.get(entry_key(named, version.engagement_id))
        if entry is None or entry.latest.revision < named.revision:
            word = _billing_word(version.engagement_id, named.source, named.kind, named.id)
            what = f"revision {named.revision} of entry {named.source}:{named.kind}:{named.id} has not arrived"
            text = f"document {version.number} names {billing_id}, and {what}; send it, or correct the line"
            return Missing("billing_unknown", word, text)
    if version.invoice_id and work.state.invoices.get(_key("i", "invoice", version, version.invoice_id)) is None:
        return _no_invoice(version, version.invoice_id, "is unknown")
    return None


def _payment_waits_for(
    version: PaymentVersion, invoices: Mapping[str, InvoiceState], contract: Contract
) -> Missing | None:
    """The first invoice a payment names that is not known, or waits itself."""
    if version.reversed:
        return None
    if version.invoice_currency != contract.currency:
        return _other_currency(version.id, version.invoice_currency, contract)
    for part in version.allocations:
        known = invoices.get(part.invoice_id)
        if known is None or known.hold is not None:
            return _no_invoice(version, part.invoice_id, "is unknown" if known is None else "waits itself")
    return None


def _other_currency(name: str, currency: str, contract: Contract) -> Missing:
    terms = contract.terms
    text = f"document {name} is in {currency}, engagement {terms.id} in {terms.currency}; send it in {terms.currency}"
    return Missing("currency_differs", f"engagement:{terms.id}", text)


def _no_invoice(version: InvoiceVersion | PaymentVersion, invoice_id: str, problem: str) -> Missing:
    word = invoice_word(version.engagement_id, version.source, invoice_id)
    text = f"invoice {invoice_id} {problem}; send it, or correct the id"
    return Missing("invoice_unknown", word, text)


def _billing_word(engagement_id: str, source: str, kind: str, entry_id: str) -> str:
    """What a document waits on that names billing events of an entry."""
    return f"billing:{engagement_id}:{source}:{kind}:{entry_id}"


def _keep_waiting(work: Work, key: bytes, state: Holdable, missing: Missing | None) -> None:
    engagement = work.engagement(state.latest.engagement_id)
    if missing is not None:
        hold(work, key, state, engagement, missing)
    elif state.hold is not None:
        release(work, key, state, engagement)


def _credit(work: Work, note: InvoiceVersion, amount: int) -> list[str]:
    """Let a credit note settle so much of its invoice; returns the invoice's lines if that changes how far it is."""
    key = _key("i", "invoice", note, note.invoice_id)
    known = work.state.invoices.get(key) if note.invoice_id else None
    if known is None:
        return []
    before = _progress(known)
    known.credited[note.id] = amount
    if not amount:
        del known.credited[note.id]
    work.state.invoices.put(key, known)
    changed = known.stands is not None and _progress(known) != before
    return [billing_id for billing_id, _ in known.stands.lines] if changed and known.stands is not None else []


def _progress(invoice: InvoiceState) -> tuple[bool, bool]:
    """How far an invoice is settled: in full, at all by payments."""
    return is_settled(invoice), bool(invoice.paid)


def _key(tag: str, kind: str, beside: InvoiceVersion | PaymentVersion, document_id: str) -> bytes:
    """Key of a document of the same system and engagement, in the table with this tag."""
    return key_of(tag, kind, beside.source, beside.engagement_id, document_id)
