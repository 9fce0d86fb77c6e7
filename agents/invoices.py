"""Invoices and credit notes of the ERP in; receivables and posting states out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, invoice
from ..codecs.receivable_state import InvoiceState
from .entries import check_key, record_key
from .receivables import settle_invoice_of
from .rules.documents import read_invoice
from .shell import run
from .work import Outcome, Record, Slab, Work


async def invoices(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every document about the engagements of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of an invoice or a credit note; what it names may come later."""
    cloudevents.check_type(record.headers, invoice.TYPE)
    version = read_invoice(invoice.decode(record.value))
    check_key(record, version.engagement_id)
    table = work.state.invoices
    key = record_key(table.tag, version.kind, version.source, version.engagement_id, version.id)
    state = table.get(key)
    if state is None:
        state = InvoiceState(version)
        work.engagement(version.engagement_id).documents += 1
    elif version.revision <= state.latest.revision:
        return "duplicate" if version.revision == state.latest.revision else "stale"
    else:
        state.latest = version
    work.trail.about = version
    return "held" if settle_invoice_of(work, key, state) else "applied"
