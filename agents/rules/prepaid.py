"""A retainer's prepaid balance in the ledgers: what moves it is posted as the difference to what is posted already.

Work that draws on the balance is billed and earned like any other, line by line. What is drawn goes off the bill again
as one line by term, against deferred revenue, where the fee waits: so the customer pays what exceeds the balance, and
revenue follows the work. Every difference is a line of its own with the trace of the sums it comes from; nothing is
rounded. What a term's balance must be follows from sums alone (drawdown.py), so a correction, new terms or a late entry
give back exactly what they no longer use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import TraceStep
from ...codecs.currencies import format_amount
from ...codecs.entry_state import EntryState, Posted, Usage
from ...codecs.journal import Account, JournalLine
from ...codecs.records import BilledTerm, EngagementState, Movements
from ...codecs.revenue import RevenueEvent
from .accounts import numbers_of
from .calendar import Waiting
from .contract import Contract
from .drawdown import Drawn, Pool, draw, ends
from .effects import Effects
from .fees import terms_after
from .ledger import journal
from .unit_lines import Origin, unit_line

NONE: Final = Drawn(0, 0, Movements())


def usage_of(entry: EntryState, contract: Contract) -> Usage | None:
    """What an entry as it stands draws on the prepaid balance."""
    drawing = None if contract.fee_plan is None else contract.fee_plan.drawing
    if drawing is None or not entry.approved_value:
        return None
    stands = entry.posted or entry.latest
    if stands.kind == "expense" and not drawing.includes_expenses:
        return None
    return Usage(entry.approved_value, stands.work_date)


def count_usage(entry: EntryState, engagement: EngagementState, contract: Contract) -> None:
    """Count what an entry draws on the balance, and no longer what it drew before."""
    before, entry.usage = entry.usage, usage_of(entry, contract)
    if before == entry.usage:
        return
    for usage, sign in ((before, -1), (entry.usage, 1)):
        if usage is not None:
            total = engagement.usage.pop(usage.work_date, 0) + sign * usage.amount
            if total:
                engagement.usage[usage.work_date] = total


def settle_prepaid(engagement: EngagementState, contract: Contract, effects: Effects) -> list[Waiting]:
    """Post what moves the balance of each term; returns what cannot be posted yet, or has not come, and why."""
    waiting: list[Waiting] = []
    drawing = None if contract.fee_plan is None else contract.fee_plan.drawing
    terms = [term for _, term in sorted(engagement.fee_terms.items()) if term.earned == "used"]
    targets: dict[dt.date, Drawn] = {}
    if drawing is not None:
        pools = list(pools_of(engagement, contract))
        targets = {pool.start: drawn for pool, drawn in zip(pools, draw(pools, drawing), strict=True)}
        for pool in pools:
            day = _after(engagement.fee_terms[pool.start], contract)
            date = contract.calendar.accounting_date(day)
            if isinstance(date, str) and not pool.over and ends(drawing, last=pool.last):
                waiting.append((date, day))
    for term in terms:
        waits = _move(engagement, contract, term, targets.get(term.start, NONE), effects)
        if waits is not None:
            waiting.append(waits)
    return waiting


def unwind(engagement: EngagementState, contract: Contract, term: BilledTerm, effects: Effects) -> Waiting | None:
    """Take back all that moved the balance of a term, where it was posted; returns why that has to wait."""
    return _move(engagement, contract, term, NONE, effects, whole=True)


def balance_of(term: BilledTerm) -> int:
    """What of a term's prepayment is neither used nor given back, in minor units; below zero where work used more.

    Roll-over is not moved from term to term: only the sum over the terms is what the customer has left.
    """
    if term.earned != "used":
        return 0
    funded = term.posted.amount if term.posted is not None and term.posted.live else 0
    moved = term.movements
    return funded + moved.refilled - moved.drawn - moved.expired - moved.refunded


def pools_of(engagement: EngagementState, contract: Contract) -> Iterator[Pool]:
    """Terms with a balance, in order, each with the value of its work.

    Work before the first term belongs to the first, work after the last to the last; work of a term that has yet to
    begin to none so far.
    """
    terms = [t for _, t in sorted(engagement.fee_terms.items()) if t.earned == "used" and not t.cancelled]
    following = next(terms_after(contract, engagement.fees_through), None)
    used = dict.fromkeys((term.start for term in terms), 0)
    for date, amount in engagement.usage.items():
        if terms and (following is None or date < following.start):
            used[max((term.start for term in terms if term.start <= date), default=terms[0].start)] += amount
    for at, term in enumerate(terms):
        funded = term.posted.amount if term.posted is not None and term.posted.live else 0
        last = following is None and at == len(terms) - 1
        ended = contract.calendar.accounting_date(_after(term, contract))
        over = isinstance(ended, dt.date) or ended == "period_closed"
        yield Pool(term.start, funded, used[term.start], over, last)


def _after(term: BilledTerm, contract: Contract) -> dt.date:
    """The day after a term, or after the engagement where that ends first."""
    end = contract.terms.end_date
    return (term.end if end is None or end < term.start else min(term.end, end)) + dt.timedelta(days=1)


def _move(
    engagement: EngagementState,
    contract: Contract,
    term: BilledTerm,
    drawn: Drawn,
    effects: Effects,
    *,
    whole: bool = False,
) -> Waiting | None:
    """Post the difference between what should move a term's balance and what has.

    What its end does waits for the day after it, and keeps nobody's work waiting: else it would depend on what came
    first whether work is drawn (M9). whole: all or nothing.
    """
    known, wanted, after = term.movements, drawn.movements, _after(term, contract)
    ended, waits = (known.expired, known.refunded) != (wanted.expired, wanted.refunded), None
    end = contract.calendar.accounting_date(after)
    if ended and isinstance(end, str):
        ended, waits = False, (end, after)
        wanted = structs.replace(wanted, expired=known.expired, refunded=known.refunded)
    if known == wanted or (whole and waits is not None):
        return waits
    worked = max((day for day in engagement.usage if term.start <= day <= term.end), default=term.start)
    days = [after if ended else worked, *([] if term.moved_on is None else [term.moved_on])]
    dates = [contract.calendar.accounting_date(day) for day in days]
    date = next((date for date in dates if isinstance(date, dt.date)), None)
    if date is None:
        return next((date, day) for date, day in zip(dates, days, strict=True) if isinstance(date, str))
    posting = _Posting(engagement, contract, term, drawn, date, effects)
    posting.deferral("refill", wanted.refilled - known.refilled)
    posting.deferral("drawdown", known.drawn - wanted.drawn)
    posting.deferral("refund", known.refunded - wanted.refunded)
    posting.absorbed(wanted.absorbed - known.absorbed)
    posting.expired(wanted.expired - known.expired)
    term.movements, term.moved_on = wanted, max(days[0], term.moved_on or days[0])
    term.movement_ordinal += 1
    return waits


class _Posting:
    """The events of one difference. Amounts in minor units; a positive one is billed, a negative one given back."""

    def __init__(
        self,
        engagement: EngagementState,
        contract: Contract,
        term: BilledTerm,
        drawn: Drawn,
        date: dt.date,
        effects: Effects,
    ) -> None:
        self.engagement, self.contract, self.term, self.drawn = engagement, contract, term, drawn
        self.date, self.effects = date, effects

    def deferral(self, unit: str, amount: int) -> None:
        """Bill what is paid before, or take what is used or given back off the bill: against deferred revenue."""
        if not amount:
            return
        self._line(unit, amount)
        self.effects.accruals.append(
            AccrualEvent(
                id=self._id(unit, "deferral"),
                kind="deferral",
                action="accrual",
                source=self.term.source,
                entry_id=self.engagement.id,
                revision=self.term.revision,
                engagement_id=self.engagement.id,
                legal_entity_id=self.term.legal_entity_id,
                work_date=self.date,
                accounting_date=self.date,
                currency=self.contract.currency,
                lines=self._journal("unbilled_receivable", "deferred_revenue", amount),
            )
        )
        self.engagement.deferred += amount

    def absorbed(self, amount: int) -> None:
        """Take what the firm bears off bill and revenue."""
        if amount:
            self._line("absorbed", -amount)
            self._revenue("absorbed", "unbilled_receivable", -amount)

    def expired(self, amount: int) -> None:
        """Earn what nobody used in time."""
        if amount:
            self._revenue("breakage", "deferred_revenue", amount)
            self.engagement.deferred -= amount

    def _id(self, unit: str, what: str) -> str:
        term = self.term
        return f"{term.source}:fee:{self.engagement.id}:{term.start}:{unit}:{what}:{term.movement_ordinal}"

    def _journal(self, debit: Account, credit: Account, amount: int) -> tuple[JournalLine, ...]:
        numbers = numbers_of((debit, credit), self.date, self.contract.accounts)
        return journal(debit, credit, amount, self.contract.currency, numbers)

    def _trace(self) -> tuple[TraceStep, ...]:
        term, drawn, currency = self.term, self.drawn, self.contract.currency
        source = f"term {term.start} to {term.end} by revision {term.revision} of the terms"
        return (
            TraceStep("available", format_amount(drawn.available, currency), f"fee, refill and roll-over, {source}"),
            TraceStep("used", format_amount(drawn.due, currency), "price of the term's approved work"),
            TraceStep("drawn", format_amount(drawn.movements.drawn, currency), "of what is available"),
        )

    def _line(self, unit: str, amount: int) -> None:
        term, currency = self.term, self.contract.currency
        posted = Posted(
            term.revision, term.movement_ordinal, amount, currency, self.date, term.legal_entity_id, term.customer_id
        )
        origin = Origin(term.source, self.engagement.id, "retainer", term.rounding)
        line = unit_line(self._id(unit, "billing"), posted, origin, unit, self.date)
        self.effects.billing.append(structs.replace(line, trace=self._trace()))
        self.engagement.fees += amount

    def _revenue(self, method: Literal["breakage", "absorbed"], debit: Account, amount: int) -> None:
        currency = self.contract.currency
        self.effects.revenue.append(
            RevenueEvent(
                id=self._id(method, "revenue"),
                method=method,
                source=self.term.source,
                entry_id=self.engagement.id,
                revision=self.term.revision,
                engagement_id=self.engagement.id,
                legal_entity_id=self.term.legal_entity_id,
                accounting_date=self.date,
                amount=format_amount(amount, currency),
                currency=currency,
                lines=self._journal(debit, "revenue", amount),
                trace=self._trace(),
            )
        )
        self.engagement.earned += amount
