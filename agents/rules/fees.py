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

from ...codecs.exception import HoldReason
from .contract import Contract

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
PERIOD_DAYS_MAX: Final = 400
"""Days of one accounting period in which fees are billed: a fiscal year of 53 weeks, and some weeks more."""


class Term(NamedTuple):
    """One term, both dates included, and the date on which its fee is due."""

    start: dt.date
    end: dt.date
    due: dt.date


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
