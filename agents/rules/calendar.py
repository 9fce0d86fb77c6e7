"""Accounting calendar of a legal entity: what may be posted to when (M6: no closed period is posted to)."""

from __future__ import annotations

import copy
import datetime as dt
import functools
from collections.abc import Callable, Iterable
from typing import Final

from ...codecs.engagement import Policies
from ...codecs.exception import HoldReason
from ...codecs.period import Period, PeriodStatus

Waiting = tuple[HoldReason, dt.date]
"""Why something cannot be posted now, and the date it belongs to."""


class Calendar:
    """Periods of one legal entity with the contract's policy for closed ones. A value: never changed once made.

    accounting_date(date) is the date on which something of `date` is posted, or the reason why it cannot be now;
    next_start(date) the first day that is open after the closed period of `date`, None while that is not closed.
    """

    def __init__(self, periods: Iterable[Period], policies: Policies) -> None:
        """Order the periods. Answers are remembered, as entries repeat a few dates."""
        self._periods = sorted(periods, key=lambda period: period.start_date)
        self._moves = policies.closed_period != "hold"
        self._at_end = policies.accounting_date == "period_end"
        self.next_start: Final = functools.cache(self._next_start)
        self.accounting_date = functools.cache(self._accounting_date)

    def _next_start(self, date: dt.date) -> dt.date | None:
        """First day of the period after the closed one that covers a date; None where that has not begun.

        Of periods that are closed too the one after them counts.
        """
        covering = [period for period in self._periods if period.start_date <= date <= period.end_date]
        if not any(period.status == "closed" for period in covering) or any(p.status == "open" for p in covering):
            return None
        later = (period for period in self._periods if period.start_date > date and period.status != "closed")
        following = next(later, None)
        return following.start_date if following is not None and following.status == "open" else None

    def refusing(self, refusal: Callable[[dt.date], HoldReason | None]) -> Calendar:
        """The same calendar for a contract that may not be posted on some of its dates, with the reason."""
        calendar = copy.copy(self)

        def accounting_date(date: dt.date) -> dt.date | HoldReason:
            found = self._accounting_date(date)
            return found if isinstance(found, str) else refusal(found) or found

        calendar.accounting_date = functools.cache(accounting_date)
        return calendar

    def statuses(self, date: dt.date) -> set[PeriodStatus]:
        """Those of the periods that cover a date; none while no period is known that does."""
        return {period.status for period in self._periods if period.start_date <= date <= period.end_date}

    def period_of(self, date: dt.date) -> tuple[dt.date, dt.date]:
        """First and last day of the shortest period that covers a date; the date alone where none does."""
        covering = [(one.start_date, one.end_date) for one in self._periods if one.start_date <= date <= one.end_date]
        return min(covering, key=lambda days: days[1] - days[0], default=(date, date))

    def days_into_period(self, date: dt.date) -> int:
        """Days from the start of the shortest period that covers a date to that date; 0 where none does."""
        covering = [period for period in self._periods if period.start_date <= date <= period.end_date]
        return min(((date - period.start_date).days for period in covering), default=0)

    def _accounting_date(self, date: dt.date) -> dt.date | HoldReason:
        """In an open period it is the date itself, or by policy the period's last day. A future one is waited for.

        In a closed one the policy decides: wait, or take the first day of the next open period, or its last (the work
        date stays as it is).
        """
        covering = [period for period in self._periods if period.start_date <= date <= period.end_date]
        if not covering:
            return "period_unknown"
        is_open = next((period for period in covering if period.status == "open"), None)
        if is_open is not None:
            return is_open.end_date if self._at_end else date
        if any(period.status == "future" for period in covering):
            return "period_future"
        if self._moves:
            for period in self._periods:
                if period.start_date > date and period.status == "open":
                    return period.end_date if self._at_end else period.start_date
        return "period_closed"
