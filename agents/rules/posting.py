"""Posting: the last of the four states of what is charged, by the documents of the ERP that name it.

    posted       a billing event stands and no invoice names it
    invoiced     it stands on an invoice
    partly_paid  something has settled the invoices it stands on
    paid         nothing of them is owed any more
    credited     credit notes take back all that invoices have of it

It is never kept, always found again from the documents, so their order makes no difference (M9).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...codecs.posting_state import State
from ...codecs.receivable_state import InvoicedLine, InvoiceState


def posting_of(line: InvoicedLine, invoices: Sequence[InvoiceState]) -> State:
    """State of a billing event; `invoices`: those that stand and name it."""
    invoiced, credited = sum(line.invoiced.values()), sum(line.credited.values())
    if not invoices:
        return "posted"
    if credited and credited >= invoiced:
        return "credited"
    if all(is_settled(invoice) for invoice in invoices):
        return "paid"
    return "partly_paid" if any(invoice.paid for invoice in invoices) else "invoiced"


def is_settled(invoice: InvoiceState) -> bool:
    """Whether nothing of it is owed; an invoice of less than nothing is settled by a refund."""
    gross = 0 if invoice.stands is None else invoice.stands.gross
    return invoice.open <= 0 if gross >= 0 else invoice.open >= 0
