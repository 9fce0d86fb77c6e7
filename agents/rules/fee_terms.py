"""Terms that are kept: begun when the period of their first day opens, billed when due, earned as their days pass.

`billed_terms: keep` lets a term that has begun stand as it was agreed, whatever later terms say; those count from the
next term on. `rebill` brings every term in line with the terms that are valid now: what has another fee, other dates,
another customer or legal entity is reversed and billed anew, and what no longer is a term is taken back. Then the order
in which terms arrive makes no difference (M9). A reversal copies the bill; one that falls into a closed period waits,
and the term stands as it was until then.
"""

from __future__ import annotations

import datetime as dt

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.entry_state import Posted
from ...codecs.exception import HoldReason
from ...codecs.records import BilledTerm, EngagementState
from ...codecs.revenue import RevenueEvent
from .contract import Contract
from .deferral import deferred_in, release, take_back
from .effects import Effects
from .fee_plan import FeePlan
from .fees import Term, fee_date, terms_after
from .funding import fund, lines_of, misfunded, reversals, unfund
from .ledger import journal

Waiting = tuple[HoldReason, dt.date]
"""Why something cannot be posted now, and the date it belongs to."""


def are_kept(engagement: EngagementState, contract: Contract) -> bool:
    """Whether fees of the engagement are kept by term. Once one is, all later ones are."""
    return bool(engagement.fee_terms) or (contract.fee_plan is not None and contract.fee_plan.keeps)


def settle_fee_terms(engagement: EngagementState, contract: Contract, effects: Effects) -> list[Waiting]:
    """Begin, bill and earn what can be; returns what cannot yet, and why."""
    if not engagement.fee_terms:
        engagement.unkept_through = engagement.fees_through
    waiting: list[Waiting] = []
    plan = contract.fee_plan
    if plan is not None:
        if plan.rebills:
            waiting += _renew(engagement, contract, plan, effects)
        else:
            waiting += _begin(engagement, contract, plan)
    for _, term in sorted(engagement.fee_terms.items()):
        waits = _bill(engagement, contract, term, effects), release(engagement, contract, term, effects)
        waiting += (found for found in waits if found is not None)
    return waiting


def _begin(engagement: EngagementState, contract: Contract, plan: FeePlan) -> list[Waiting]:
    """Begin the terms after those that have begun, in order, up to the first that cannot."""
    for term in terms_after(contract, engagement.fees_through):
        date = fee_date(contract, term.start)
        if isinstance(date, str):
            return [(date, term.start)]
        engagement.fee_terms[term.start] = _agreed(contract, plan, term)
        engagement.fees_through = term.end
    return []


def _renew(engagement: EngagementState, contract: Contract, plan: FeePlan, effects: Effects) -> list[Waiting]:
    """Bring every term in line with what is agreed now, and begin those that can."""
    waiting: list[Waiting] = []
    known, through = engagement.fee_terms, engagement.unkept_through
    valid: set[dt.date] = set()
    for term in terms_after(contract, engagement.unkept_through):
        date = None if term.start in known else fee_date(contract, term.start)
        if isinstance(date, str):
            waiting.append((date, term.start))
            break
        valid.add(term.start)
        through = term.end
        waiting += _replace(engagement, contract, _agreed(contract, plan, term), effects)
    for start, begun in sorted(known.items()):
        if start not in valid and begun.amount:
            waiting += _replace(engagement, contract, structs.replace(begun, amount=0), effects)
    engagement.fees_through = through
    return waiting


def _agreed(contract: Contract, plan: FeePlan, term: Term) -> BilledTerm:
    terms = contract.terms
    return BilledTerm(
        term.start,
        term.end,
        term.due,
        plan.amount_of(term.start),
        terms.source,
        terms.revision,
        contract.rounding,
        terms.legal_entity_id,
        terms.customer_id,
        plan.earned,
        plan.advance,
    )


def _replace(engagement: EngagementState, contract: Contract, agreed: BilledTerm, effects: Effects) -> list[Waiting]:
    """Make a term what is agreed: reverse its bill and what other books have earned of it, if it differs."""
    known = engagement.fee_terms.get(agreed.start)
    if known is None:
        engagement.fee_terms[agreed.start] = agreed
        return []
    posted = known.posted if known.posted is not None and known.posted.live else None
    split = () if posted is None else (posted,)
    if _same(known, agreed) and not misfunded(split, engagement, contract.funding):
        return []
    date = None if posted is None else contract.calendar.accounting_date(posted.accounting_date)
    if posted is not None and isinstance(date, str):
        return [(date, posted.accounting_date)]
    if _books(known) != _books(agreed):
        waits = take_back(engagement, contract, known, effects)
        if waits is not None:
            return [waits]
    if posted is not None and isinstance(date, dt.date):
        _reverse(engagement, known, posted, date, effects)
    engagement.fee_terms[agreed.start] = structs.replace(
        agreed,
        posted=known.posted,
        released=known.released,
        released_through=known.released_through,
        release_ordinal=known.release_ordinal,
    )
    return []


def _books(term: BilledTerm) -> tuple[str, str, bool]:
    """In whose books a term is earned, how, and against which account."""
    return term.legal_entity_id, term.earned, term.advance


def _same(known: BilledTerm, agreed: BilledTerm) -> bool:
    return (
        known.amount == agreed.amount
        and known.end == agreed.end
        and known.due == agreed.due
        and known.customer_id == agreed.customer_id
        and _books(known) == _books(agreed)
    )


def _bill(engagement: EngagementState, contract: Contract, term: BilledTerm, effects: Effects) -> Waiting | None:
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


def _reverse(engagement: EngagementState, term: BilledTerm, posted: Posted, date: dt.date, effects: Effects) -> None:
    """Take a bill back whole, on a date that is open."""
    amount = format_amount(-posted.amount, posted.currency)
    unfund(posted, engagement)
    effects.billing.extend(reversals(_line(engagement, term, posted), posted, date))
    if term.earned == "billed":
        earned = _revenue(engagement, term, posted)
        lines = journal("unbilled_receivable", "revenue", -posted.amount, posted.currency)
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
        lines = journal("unbilled_receivable", deferred_in(term), -posted.amount, posted.currency)
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
    text = format_amount(posted.amount, posted.currency)
    return BillingEvent(
        id=f"{term.source}:fee:{engagement.id}:{term.start}:billing:{posted.ordinal}",
        kind="fee",
        action="charge",
        source=term.source,
        entry_id=engagement.id,
        revision=posted.revision,
        engagement_id=engagement.id,
        customer_id=posted.customer_id,
        legal_entity_id=posted.legal_entity_id,
        contract_type="subscription" if term.earned == "served" else "retainer",
        work_date=term.due,
        accounting_date=posted.accounting_date,
        quantity="1",
        unit="term",
        rate=text,
        rate_unit="term",
        amount=text,
        currency=posted.currency,
        rounding=term.rounding,
    )


def _revenue(engagement: EngagementState, term: BilledTerm, posted: Posted) -> RevenueEvent:
    """Revenue that is earned with its bill."""
    return RevenueEvent(
        id=f"{term.source}:fee:{engagement.id}:{term.start}:revenue:{posted.ordinal}",
        method="as_billed",
        source=term.source,
        entry_id=engagement.id,
        revision=posted.revision,
        engagement_id=engagement.id,
        legal_entity_id=posted.legal_entity_id,
        accounting_date=posted.accounting_date,
        amount=format_amount(posted.amount, posted.currency),
        currency=posted.currency,
        lines=journal("unbilled_receivable", "revenue", posted.amount, posted.currency),
    )


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
        lines=journal("unbilled_receivable", deferred_in(term), posted.amount, posted.currency),
    )
