"""Which billing events the documents that stand name, and what is told of them when that changes."""

from __future__ import annotations

from collections.abc import Iterable

from ..codecs.currencies import format_amount
from ..codecs.posting_state import PostingState
from ..codecs.receivable_state import InvoicedLine, InvoiceState, InvoiceVersion
from ..tables.keys import key_of
from .rules.cap import has_open
from .rules.documents import BilledEntry, billed_entry
from .rules.posting import posting_of
from .work import Work


def name_lines(work: Work, key: bytes, before: InvoiceVersion | None, now: InvoiceVersion | None) -> list[str]:
    """Keep which billing events a document names now; returns those that it names or named, if that has changed."""
    if before is now:
        return []
    name = key.decode()
    if before is not None:
        for billing_id, amount in before.lines:
            line = _line(work, before.engagement_id, billing_id)
            line.invoiced.pop(name, None)
            line.credited.pop(name, None)
            _count_invoiced(work, before.engagement_id, billing_id, -before.sign * amount)
    if now is not None:
        for billing_id, amount in now.lines:
            line = _line(work, now.engagement_id, billing_id)
            (line.credited if now.document == "credit_note" else line.invoiced)[name] = amount
            _count_invoiced(work, now.engagement_id, billing_id, now.sign * amount)
    return [billing_id for version in (before, now) if version is not None for billing_id, _ in version.lines]


def tell_lines(work: Work, engagement_id: str, billing_ids: Iterable[str]) -> None:
    """Say how far these billing events have come."""
    terms = work.engagement(engagement_id).terms
    for billing_id in dict.fromkeys(billing_ids):
        if terms is None:
            raise AssertionError("a document stands and its engagement has no terms")
        line = _line(work, engagement_id, billing_id)
        invoices = [_document(work, name) for name in sorted(line.invoiced)]
        notes = [_document(work, name) for name in sorted(line.credited)]
        work.effects.posting_states.append(
            PostingState(
                billing_id=billing_id,
                engagement_id=engagement_id,
                state=posting_of(line, invoices),
                invoiced=format_amount(sum(line.invoiced.values()), terms.currency),
                credited=format_amount(sum(line.credited.values()), terms.currency),
                currency=terms.currency,
                documents=tuple(known.latest.number for known in (*invoices, *notes)),
            )
        )


def _count_invoiced(work: Work, engagement_id: str, billing_id: str, amount: int) -> None:
    """Let the entry of a billing event know what of it stands on documents: its corrections go by it."""
    named = billed_entry(billing_id)
    if named is None:
        return
    key = entry_key(named, engagement_id)
    entry = work.state.entries.get(key)
    if entry is None:
        message = f"a document stands that names {billing_id!r}, and its entry is unknown"
        raise AssertionError(message)
    entry.invoiced += amount
    if has_open(work.engagement(engagement_id)):
        work.unshared.setdefault(engagement_id, {})[key] = None
    work.state.entries.put(key, entry)


def entry_key(named: BilledEntry, engagement_id: str) -> bytes:
    """Key of the entry that a billing event names, of this engagement."""
    return key_of("e", named.kind, named.source, engagement_id, named.id)


def _line(work: Work, engagement_id: str, billing_id: str) -> InvoicedLine:
    """What is kept of a billing event, to be changed in place."""
    table = work.state.invoiced_lines
    key = f"{table.tag}{engagement_id}\x1f{billing_id}".encode()
    line = table.get(key) or InvoicedLine()
    table.put(key, line)
    return line


def _document(work: Work, name: str) -> InvoiceState:
    known = work.state.invoices.get(name.encode())
    if known is None:
        message = f"a billing event is on document {name!r}, which is not kept"
        raise AssertionError(message)
    return known
