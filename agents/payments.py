"""Payments of customers in, as the ERP has them; cash and realised exchange differences out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, payment
from ..codecs.receivable_state import PaymentState
from .receivables import newer, settle_payment_of
from .rules.documents import read_payment
from .shell import run
from .work import Outcome, Record, Slab, Work


async def payments(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every payment for the engagements of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of a payment; the invoices it settles may come later."""
    cloudevents.check_type(record.headers, payment.TYPE)
    fresh = PaymentState(read_payment(payment.decode(record.value)))
    known = newer(work, record, work.state.payments, fresh)
    if isinstance(known, str):
        return known
    return "held" if settle_payment_of(work, *known) else "applied"
