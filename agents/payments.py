"""Payments of customers in, as the ERP has them; cash and realised exchange differences out."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, payment
from ..codecs.receivable_state import PaymentState
from .entries import check_key, record_key
from .receivables import settle_payment_of
from .rules.documents import read_payment
from .shell import run
from .work import Outcome, Record, Slab, Work


async def payments(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every payment for the engagements of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of a payment; the invoices it settles may come later."""
    cloudevents.check_type(record.headers, payment.TYPE)
    version = read_payment(payment.decode(record.value))
    check_key(record, version.engagement_id)
    table = work.state.payments
    key = record_key(table.tag, version.kind, version.source, version.engagement_id, version.id)
    state = table.get(key)
    if state is None:
        state = PaymentState(version)
        work.engagement(version.engagement_id).documents += 1
    elif version.revision <= state.latest.revision:
        return "duplicate" if version.revision == state.latest.revision else "stale"
    else:
        state.latest = version
    work.trail.about = version
    return "held" if settle_payment_of(work, key, state) else "applied"
