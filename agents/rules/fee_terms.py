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

from ...codecs.records import BilledTerm, EngagementState
from .calendar import Waiting
from .contract import Contract
from .deferral import release, take_back
from .effects import Effects
from .fee_bill import bill, reverse_bill
from .fee_plan import FeePlan
from .fees import Term, fee_date, terms_after
from .funding import misfunded
from .prepaid import settle_prepaid, unwind


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
            waiting += _begin(engagement, contract, plan, effects)
    for _, term in sorted(engagement.fee_terms.items()):
        waits = bill(engagement, contract, term, effects), release(engagement, contract, term, effects)
        waiting += (found for found in waits if found is not None)
    return waiting + settle_prepaid(engagement, contract, effects)


def bill_due_fees(engagement: EngagementState, contract: Contract, effects: Effects) -> list[Waiting]:
    """Bill every term that is due and not billed yet, in order; returns the first that has to wait, and why.

    These fees are earned when billed and stand whatever becomes of the terms, so that nothing of them is kept.
    """
    plan = contract.fee_plan
    if plan is None:
        return []
    for term in terms_after(contract, engagement.fees_through):
        date = fee_date(contract, term.due)
        if isinstance(date, str):
            return [(date, term.due)]
        bill(engagement, contract, _agreed(contract, plan, term, first=True), effects)
        engagement.fees_through = term.end
    return []


def _begin(engagement: EngagementState, contract: Contract, plan: FeePlan, effects: Effects) -> list[Waiting]:
    """Begin the terms after those that have begun, in order, up to the first that cannot.

    One that other terms had cancelled goes on from there, so that no number is used twice (M4).
    """
    for term in terms_after(contract, engagement.fees_through):
        date = fee_date(contract, term.start)
        if isinstance(date, str):
            return [(date, term.start)]
        agreed = _agreed(contract, plan, term, first=not _has_prepaid(engagement))
        waits = _replace(engagement, contract, agreed, effects)
        if waits:
            return waits
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
        agreed = _agreed(contract, plan, term, first=not valid)
        valid.add(term.start)
        through = term.end
        waiting += _replace(engagement, contract, agreed, effects)
    for start, begun in sorted(known.items()):
        if start not in valid and not begun.cancelled:
            waiting += _replace(engagement, contract, structs.replace(begun, amount=0, cancelled=True), effects)
    engagement.fees_through = through
    return waiting


def _has_prepaid(engagement: EngagementState) -> bool:
    return any(term.earned == "used" for term in engagement.fee_terms.values())


def _agreed(contract: Contract, plan: FeePlan, term: Term, *, first: bool) -> BilledTerm:
    terms = contract.terms
    return BilledTerm(
        term.start,
        term.end,
        term.due,
        plan.amount_of(term.start, first=first),
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
    if (*_books(known), known.customer_id) != (*_books(agreed), agreed.customer_id):
        waits = unwind(engagement, contract, known, effects)
        if waits is None and _books(known) != _books(agreed):
            waits = take_back(engagement, contract, known, effects)
        if waits is not None:
            return [waits]
    if posted is not None and isinstance(date, dt.date):
        reverse_bill(engagement, known, posted, date, effects)
    engagement.fee_terms[agreed.start] = structs.replace(
        agreed,
        posted=known.posted,
        released=known.released,
        released_through=known.released_through,
        release_ordinal=known.release_ordinal,
        movements=known.movements,
        moved_on=known.moved_on,
        movement_ordinal=known.movement_ordinal,
    )
    return []


def _books(term: BilledTerm) -> tuple[str, str, bool]:
    """In whose books a term is earned, how, and against which account."""
    return term.legal_entity_id, term.earned, term.advance


def _same(known: BilledTerm, agreed: BilledTerm) -> bool:
    return (
        known.amount == agreed.amount
        and known.cancelled == agreed.cancelled
        and known.end == agreed.end
        and known.due == agreed.due
        and known.rounding == agreed.rounding
        and known.customer_id == agreed.customer_id
        and _books(known) == _books(agreed)
    )
