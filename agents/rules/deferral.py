"""Deferral: the fee of a term is revenue day by day of the term, whenever it is billed.

What is billed before it is earned waits in deferred revenue, what is earned before it is billed in the contract asset.
The days of each month are earned on the last of them, when its accounting period opens, so no clock decides. Straight
line by day: what is earned through a day is fee x days / days of the term, rounded; a month adds what is missing to
that, so that the months sum to the fee exactly. Form: IFRS 15.B14-B19 (output measured by time elapsed), ERPNext's
deferred revenue by days.
"""

from __future__ import annotations

import calendar as month_lengths
import datetime as dt
from collections.abc import Iterator

from ...codecs.billing import TraceStep
from ...codecs.currencies import format_amount
from ...codecs.journal import Account
from ...codecs.records import BilledTerm, EngagementState
from ...codecs.revenue import RevenueEvent
from .accounts import numbers_of
from .calendar import Waiting
from .contract import Contract
from .effects import Effects
from .ledger import journal
from .money import divide


def deferred_in(term: BilledTerm) -> Account:
    """Where a fee waits: billed before it is earned, or earned before it is billed."""
    return "deferred_revenue" if term.advance else "contract_asset"


def release(engagement: EngagementState, contract: Contract, term: BilledTerm, effects: Effects) -> Waiting | None:
    """Earn the days of a term as far as periods are open; returns the first day that has to wait, and why."""
    if term.earned != "served":
        return None
    through = term.released_through
    if through is not None and term.released != earned_through(term, through):
        waits = _earn(engagement, contract, term, through, effects)
        if waits is not None:
            return waits
    if not term.amount:
        return None
    for day in _month_ends(term, through):
        waits = _earn(engagement, contract, term, day, effects)
        if waits is not None:
            return waits
        term.released_through = day
    return None


def take_back(engagement: EngagementState, contract: Contract, term: BilledTerm, effects: Effects) -> Waiting | None:
    """Take all back that is earned of a term, in the books it was earned in; returns why that has to wait."""
    if term.released_through is None or not term.released:
        return None
    date = contract.calendar.accounting_date(term.released_through)
    if isinstance(date, str):
        return date, term.released_through
    _post(engagement, contract, term, -term.released, date, (), effects)
    term.released_through = None
    return None


def earned_through(term: BilledTerm, day: dt.date) -> int:
    """Minor units of the fee that are earned when a day has passed."""
    days = (min(day, term.end) - term.start).days + 1
    return divide(term.amount * days, (term.end - term.start).days + 1, term.rounding)


def _month_ends(term: BilledTerm, after: dt.date | None) -> Iterator[dt.date]:
    """The last day of the term in each month of it, from the first one after a date."""
    day = term.start if after is None else after + dt.timedelta(days=1)
    while day <= term.end:
        last = day.replace(day=month_lengths.monthrange(day.year, day.month)[1])
        yield min(last, term.end)
        if last >= term.end:
            return
        day = last + dt.timedelta(days=1)


def _earn(
    engagement: EngagementState, contract: Contract, term: BilledTerm, day: dt.date, effects: Effects
) -> Waiting | None:
    """Post what is missing to the revenue through a day that has come; a later one cannot even earn nothing."""
    date = contract.calendar.accounting_date(day)
    if isinstance(date, str):
        return date, day
    amount = earned_through(term, day) - term.released
    if not amount:
        return None
    fee = format_amount(term.amount, contract.currency)
    days, length = (min(day, term.end) - term.start).days + 1, (term.end - term.start).days + 1
    trace = (
        TraceStep("fee", fee, f"revision {term.revision} of the terms, term {term.start} to {term.end}"),
        TraceStep("days", f"{days}/{length}", f"through {day}, rounded {term.rounding} as days add up"),
        TraceStep("earned_before", format_amount(term.released, contract.currency), "of the same term"),
    )
    _post(engagement, contract, term, amount, date, trace, effects)
    return None


def _post(
    engagement: EngagementState,
    contract: Contract,
    term: BilledTerm,
    amount: int,
    date: dt.date,
    trace: tuple[TraceStep, ...],
    effects: Effects,
) -> None:
    currency, account = contract.currency, deferred_in(term)
    effects.revenue.append(
        RevenueEvent(
            id=f"{term.source}:fee:{engagement.id}:{term.start}:earned:{term.release_ordinal}",
            method="ratable",
            source=term.source,
            entry_id=engagement.id,
            revision=term.revision,
            engagement_id=engagement.id,
            legal_entity_id=term.legal_entity_id,
            accounting_date=date,
            amount=format_amount(amount, currency),
            currency=currency,
            lines=journal(
                account, "revenue", amount, currency, numbers_of((account, "revenue"), date, contract.accounts)
            ),
            trace=trace,
        )
    )
    term.release_ordinal += 1
    term.released += amount
    engagement.earned += amount
    if term.advance:
        engagement.deferred -= amount
