"""The money of a reckoning: what one entry is worth, or what it waits for; fees of terms."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ...codecs.exception import HoldReason
from ...codecs.time_entry import ProgressExcluded, TimeEntry
from .reckoning_approval import Counted, counted, may_count
from .reckoning_facts import Entry, EntryId
from .reckoning_lookups import WaitsError, accounting_date, hours_in
from .reckoning_numbers import minor, number
from .reckoning_value import date_of, value_of

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement
    from .reckoning_facts import Facts

_TERM_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Worth:
    """A valued entry, in minor units of the contract's currency. price: None when nobody pays for it.

    posted_on: its accounting date, by the calendar as it stands in the end; waits_for: what it waits for although it is
    posted, for a decision about it does not count.
    """

    entry_id: EntryId
    version: Entry
    approved: bool
    price: int | None
    cost: int
    hours: Fraction
    posted_on: dt.date
    waits_for: HoldReason | None

    @property
    def excluded(self) -> ProgressExcluded | None:
        """Why it is no progress of a fixed fee, if it is not."""
        return self.version.progress_excluded

    @property
    def kind(self) -> str:
        """Time or expense."""
        return self.entry_id.kind


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What became of an entry: its worth, if something of it is posted, and what it waits for, if anything."""

    worth: Worth | None = None
    waits_for: HoldReason | None = None


def reckon_entry(facts: Facts, entry_id: EntryId) -> Reckoned:
    """Value an entry by all that is known in the end."""
    terms = facts.engagements.get(entry_id.engagement_id)
    if terms is None:
        return Reckoned(waits_for="engagement_unknown" if may_count(facts, entry_id) else None)
    found = counted(facts, terms, entry_id)
    if found.version is None or not (found.approved or terms.policies.accrue_at == "submission"):
        return Reckoned(waits_for=found.waits_for)
    try:
        return Reckoned(_worth(facts, terms, entry_id, found.version, found), found.waits_for)
    except WaitsError as wait:
        return Reckoned(waits_for=wait.reason)


def _worth(facts: Facts, terms: Engagement, entry_id: EntryId, version: Entry, found: Counted) -> Worth:
    posted_on = accounting_date(facts, terms, date_of(version))
    cost, price = value_of(facts, terms, version)
    hours = Fraction(0)
    if isinstance(version, TimeEntry):
        hours = number(version.quantity) * hours_in(version.unit, terms)
    return Worth(entry_id, version, found.approved, price, cost, hours, posted_on, found.waits_for)


def _months_after(first: dt.date, months: int) -> dt.date | None:
    """The same day some months later, or the last day of a shorter month; None after the year 9999."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return None
    return dt.date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def fees(facts: Facts, terms: Engagement) -> int:
    """What a retainer has billed for its terms, in order, up to the first that cannot be posted."""
    if terms.contract_type != "retainer" or terms.fee is None:
        return 0
    months = _TERM_MONTHS[terms.fee.term]
    billed = 0
    start, following = _months_after(terms.start_date, 0), _months_after(terms.start_date, months)
    terms_begun = 1
    while start and following and (terms.end_date is None or start <= terms.end_date):
        due = start if terms.fee.billed == "advance" else following - dt.timedelta(days=1)
        try:
            accounting_date(facts, terms, due)
        except WaitsError:
            break
        billed += minor(terms.fee.amount, terms.currency)
        terms_begun += 1
        start, following = following, _months_after(terms.start_date, months * terms_begun)
    return billed
