"""Invoices and credit notes of the ERP in; receivables and posting states out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, invoice
from ..codecs.receivable_state import InvoiceState
from .receivables import newer, settle_invoice_of
from .rules.documents import read_invoice
from .shell import run
from .work import Outcome, Record, Slab, Work


async def invoices(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every document about the engagements of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of an invoice or a credit note; what it names may come later."""
    cloudevents.check_type(record.headers, invoice.TYPE)
    fresh = InvoiceState(read_invoice(invoice.decode(record.value)))
    known = newer(work, record, work.state.invoices, fresh)
    if isinstance(known, str):
        return known
    return "held" if settle_invoice_of(work, *known) else "applied"
