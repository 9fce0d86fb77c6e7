"""The bill of a term: a line, and where its fee waits or is earned; its reversal copies it."""

from __future__ import annotations

import datetime as dt

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.engagement import ContractType
from ...codecs.entry_state import Posted
from ...codecs.records import BilledTerm, EngagementState
from ...codecs.revenue import RevenueEvent
from .accounts import numbered
from .calendar import Waiting
from .contract import Contract
from .deferral import deferred_in
from .effects import Effects
from .fees import fee_date
from .funding import fund, lines_of, reversals, unfund
from .ledger import EARNED, journal
from .unit_lines import Origin, unit_line, unit_revenue


def bill(engagement: EngagementState, contract: Contract, term: BilledTerm, effects: Effects) -> Waiting | None:
    """Bill a term that is due and has no bill that stands."""
    last = term.posted
    if not term.amount or (last is not None and last.live):
        return None
    date = fee_date(contract, term.due)
    if isinstance(date, str):
        return date, term.due
    ordinal = 0 if last is None else last.ordinal + 1
    posted = Posted(
        term.revision, ordinal, term.amount, contract.currency, date, term.legal_entity_id, term.customer_id
    )
    pair = EARNED if term.earned == "billed" else ("unbilled_receivable", deferred_in(term))
    posted = numbered(posted, pair, "", contract.accounts)
    if contract.funding is not None:
        posted = fund(posted, engagement, contract.funding)
    term.posted = posted
    agreed = f"terms of {engagement.id} revision {term.revision}, term {term.start} to {term.end}"
    line = _line(engagement, term, posted)
    line = structs.replace(line, trace=(TraceStep("fee", line.amount, agreed),))
    effects.billing.extend(lines_of(line, posted, contract.funding))
    if term.earned == "billed":
        effects.revenue.append(_revenue(engagement, term, posted))
    else:
        effects.accruals.append(_deferral(engagement, term, posted))
    _count(engagement, term, posted.amount)
    return None


def reverse_bill(
    engagement: EngagementState, term: BilledTerm, posted: Posted, date: dt.date, effects: Effects
) -> None:
    """Take a bill back whole, on a date that is open."""
    amount = format_amount(-posted.amount, posted.currency)
    unfund(posted, engagement)
    effects.billing.extend(reversals(_line(engagement, term, posted), posted, date))
    if term.earned == "billed":
        earned = _revenue(engagement, term, posted)
        lines = journal(*EARNED, -posted.amount, posted.currency, posted.numbers)
        effects.revenue.append(
            structs.replace(
                earned,
                id=f"{earned.id}:reversal",
                accounting_date=date,
                amount=amount,
                lines=lines,
                reverses=earned.id,
            )
        )
    else:
        deferral = _deferral(engagement, term, posted)
        lines = journal("unbilled_receivable", deferred_in(term), -posted.amount, posted.currency, posted.numbers)
        effects.accruals.append(
            structs.replace(
                deferral,
                id=f"{deferral.id}:reversal",
                action="reversal",
                accounting_date=date,
                lines=lines,
                reverses=deferral.id,
            )
        )
    _count(engagement, term, -posted.amount)
    term.posted = structs.replace(posted, live=False)


def _count(engagement: EngagementState, term: BilledTerm, amount: int) -> None:
    engagement.fees += amount
    if term.earned == "billed":
        engagement.earned += amount
    elif term.advance:
        engagement.deferred += amount


def _line(engagement: EngagementState, term: BilledTerm, posted: Posted) -> BillingEvent:
    """The charge of a bill, from what is kept of it."""
    name = f"{term.source}:fee:{engagement.id}:{term.start}:billing:{posted.ordinal}"
    return unit_line(name, posted, _origin(engagement, term), "term", term.due)


def _revenue(engagement: EngagementState, term: BilledTerm, posted: Posted) -> RevenueEvent:
    """Revenue that is earned with its bill."""
    name = f"{term.source}:fee:{engagement.id}:{term.start}:revenue:{posted.ordinal}"
    return unit_revenue(name, posted, _origin(engagement, term))


def _origin(engagement: EngagementState, term: BilledTerm) -> Origin:
    kind: ContractType = "subscription" if term.earned == "served" else "retainer"
    return Origin(term.source, engagement.id, kind, term.rounding)


def _deferral(engagement: EngagementState, term: BilledTerm, posted: Posted) -> AccrualEvent:
    """Move a bill to the receivable from where the fee waits."""
    return AccrualEvent(
        id=f"{term.source}:fee:{engagement.id}:{term.start}:deferral:{posted.ordinal}",
        kind="deferral",
        action="accrual",
        source=term.source,
        entry_id=engagement.id,
        revision=posted.revision,
        engagement_id=engagement.id,
        legal_entity_id=posted.legal_entity_id,
        work_date=term.due,
        accounting_date=posted.accounting_date,
        currency=posted.currency,
        lines=journal("unbilled_receivable", deferred_in(term), posted.amount, posted.currency, posted.numbers),
    )
