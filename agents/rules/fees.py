"""Fees of retainers and subscriptions: one for each term of the engagement, due at the start or the end of the term.

No clock decides: a fee falls due when the accounting period of its due date opens, so the calendar of the
legal entity drives billing, and a replay gives the same fees. A period that spans decades must not bill decades: fees
are billed in its first PERIOD_DAYS_MAX days only, the others wait for periods of a sensible length. Terms run from the
engagement's start date in whole months; a start on the 31st ends a shorter month on its last day. Or they are those of
the schedule. A last term that the engagement's end cuts short is due whole.
"""

from __future__ import annotations

import calendar as month_lengths
import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.entry_state import Posted
from ...codecs.exception import HoldReason
from ...codecs.records import EngagementState
from ...codecs.revenue import RevenueEvent
from .accounts import numbers_of
from .contract import Contract
from .effects import Effects
from .funding import fund, lines_of
from .ledger import EARNED, journal

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
PERIOD_DAYS_MAX: Final = 400
"""Days of one accounting period in which fees are billed: a fiscal year of 53 weeks, and some weeks more."""


class Term(NamedTuple):
    """One term, both dates included, and the date on which its fee is due."""

    start: dt.date
    end: dt.date
    due: dt.date


def bill_due_fees(engagement: EngagementState, contract: Contract, effects: Effects) -> tuple[HoldReason, Term] | None:
    """Bill every term that is due and not billed yet, in order; returns the first that has to wait, and why.

    These fees are earned when billed, and stand whatever becomes of the terms; others are kept by term (fee_terms.py).
    """
    for term in terms_after(contract, engagement.fees_through):
        date = fee_date(contract, term.due)
        if isinstance(date, str):
            return date, term
        _bill(engagement, contract, term, date, effects)
        engagement.fees_through = term.end
    return None


def fee_date(contract: Contract, date: dt.date) -> dt.date | HoldReason:
    """On which date a fee of this date is posted, or why it cannot be now."""
    posted_on = contract.calendar.accounting_date(date)
    if isinstance(posted_on, str) or contract.calendar.days_into_period(date) < PERIOD_DAYS_MAX:
        return posted_on
    return "period_too_long"


def terms_after(contract: Contract, billed_through: dt.date | None) -> Iterator[Term]:
    """Terms with a fee that end after a date, in order, up to the engagement's end; none for other contracts."""
    terms, fee, plan = contract.terms, contract.fee, contract.fee_plan
    if plan is None or fee is None:
        return
    if plan.schedule:
        for known in plan.schedule:
            if billed_through is None or known.start > billed_through:
                yield Term(known.start, known.end, known.start if plan.advance else known.end)
        return
    step = MONTHS[fee.term]
    first, number = _resume(terms.start_date, step, billed_through)
    while (start := add_months(first, number * step)) is not None:
        after = add_months(first, (number + 1) * step)
        if after is None or (terms.end_date is not None and start > terms.end_date):
            return
        end = after - dt.timedelta(days=1)
        yield Term(start, end, start if plan.advance else end)
        number += 1


def _resume(start: dt.date, step: int, billed_through: dt.date | None) -> tuple[dt.date, int]:
    """Date the terms are counted from, and the number of the first one not billed.

    A changed length of term begins on the day after what is billed, so that no day is paid for twice.
    """
    if billed_through is None:
        return start, 0
    number = 0
    while (begins := add_months(start, number * step)) is not None and begins <= billed_through:
        number += 1
    following = billed_through + dt.timedelta(days=1)
    return (start, number) if begins == following else (following, 0)


def add_months(date: dt.date, months: int) -> dt.date | None:
    """The same day some months later, or the last day of a shorter month; None after the last date there is."""
    years, month = divmod(date.month - 1 + months, 12)
    year, month = date.year + years, month + 1
    if year > dt.MAXYEAR:
        return None
    return date.replace(year=year, month=month, day=min(date.day, month_lengths.monthrange(year, month)[1]))


def _bill(engagement: EngagementState, contract: Contract, term: Term, date: dt.date, effects: Effects) -> None:
    terms, plan = contract.terms, contract.fee_plan
    if plan is None:
        raise AssertionError(f"retainer {terms.id} has no fee")
    amount = plan.amount_of(term.start)
    text = format_amount(amount, terms.currency)
    cause = f"{terms.source}:fee:{terms.id}:{term.start}"
    bill = Posted(terms.revision, 0, amount, terms.currency, date, terms.legal_entity_id, terms.customer_id)
    if contract.funding is not None:
        bill = fund(bill, engagement, contract.funding)
    line = BillingEvent(
        id=f"{cause}:billing:0",
        kind="fee",
        action="charge",
        source=terms.source,
        entry_id=terms.id,
        revision=terms.revision,
        engagement_id=terms.id,
        customer_id=terms.customer_id,
        legal_entity_id=terms.legal_entity_id,
        contract_type=terms.contract_type,
        work_date=term.due,
        accounting_date=date,
        quantity="1",
        unit="term",
        rate=text,
        rate_unit="term",
        amount=text,
        currency=terms.currency,
        rounding=terms.policies.rounding,
        trace=(
            TraceStep("fee", text, f"terms of {terms.id} revision {terms.revision}, term {term.start} to {term.end}"),
        ),
    )
    effects.billing.extend(lines_of(line, bill, contract.funding))
    effects.revenue.append(
        RevenueEvent(
            id=f"{cause}:revenue:0",
            method="as_billed",
            source=terms.source,
            entry_id=terms.id,
            revision=terms.revision,
            engagement_id=terms.id,
            legal_entity_id=terms.legal_entity_id,
            accounting_date=date,
            amount=text,
            currency=terms.currency,
            lines=journal(*EARNED, amount, terms.currency, numbers_of(EARNED, date, contract.accounts)),
        )
    )
    engagement.fees += amount
    engagement.earned += amount
