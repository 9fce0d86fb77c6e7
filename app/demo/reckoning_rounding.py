"""Rounding by invoice in a reckoning: the lines of time in one accounting period come to their exact sum, rounded once.

In which period a line stands may depend on the order, where a month closes in between. So the lines are taken as they
were written, each worth its quantity x rate; what all of them are worth together is reckoned from the entries.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.time_entry import TimeEntry
from .reckoning_lookups import WaitsError, accounting_date, hours_in
from .reckoning_numbers import MINOR_UNITS, minor, number, rounded
from .reckoning_time import exact_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...codecs.billing import BillingEvent
    from ...codecs.engagement import Engagement
    from .reckoning_facts import Facts
    from .reckoning_money import Worth

_ONE_DAY: Final = dt.timedelta(days=1)


class ByInvoice(NamedTuple):
    """Terms by which lines are rounded as sums. exact: minor units each approved time entry is worth, not rounded."""

    facts: Facts
    terms: Engagement
    exact: dict[tuple[str, str], Fraction]


class Group(NamedTuple):
    """The lines of one accounting period. due: minor units of its rounding lines, None where they cannot be posted now.

    ends: its last day; posted: minor units of the rounding lines that were written.
    """

    ends: dt.date
    due: int | None
    posted: int


def by_invoice(facts: Facts, terms: Engagement, worths: Iterable[Worth]) -> ByInvoice | None:
    """What the lines of an engagement are worth together, where they are rounded as sums."""
    if terms.policies.rounding_place != "invoice":
        return None
    billed = [worth.version for worth in worths if worth.approved and worth.price is not None]
    time = [entry for entry in billed if isinstance(entry, TimeEntry)]
    exact = {(entry.source, entry.id): exact_price(facts, terms, entry) for entry in time}
    return ByInvoice(facts, terms, exact)


def groups(agreed: ByInvoice, lines: Iterable[BillingEvent]) -> Iterator[Group]:
    """Every period that has lines, and what its rounding lines have to be."""
    exact: defaultdict[dt.date, Fraction] = defaultdict(Fraction)
    billed: defaultdict[dt.date, int] = defaultdict(int)
    posted: defaultdict[dt.date, int] = defaultdict(int)
    for line, worth in _with_worths(agreed.terms, lines):
        amount = minor(line.amount, line.currency)
        if line.kind == "rounding":
            posted[line.work_date] += amount
        elif line.kind == "time":
            ends = _period_end(agreed, line.accounting_date)
            exact[ends] += worth
            billed[ends] += amount
    for ends in sorted({*exact, *posted}):
        due = rounded(exact[ends], agreed.terms.policies.rounding) - billed[ends]
        if not _is_over(agreed, ends):
            due = 0
        yield Group(ends, due if not due or _can_be_posted(agreed, ends) else None, posted[ends])


def wrong_lines(agreed: ByInvoice, lines: list[BillingEvent]) -> Iterator[str]:
    """Sentences about periods whose rounding lines are not as they must be, and lines that miss the entries' worth."""
    name = agreed.terms.id
    for group in groups(agreed, lines):
        if group.due is not None and group.due != group.posted:
            yield f"engagement {name}: rounding of the lines to {group.ends} is {group.posted} instead of {group.due}"
    shown = sum((worth for line, worth in _with_worths(agreed.terms, lines) if line.kind == "time"), Fraction(0))
    wanted = sum(agreed.exact.values(), Fraction(0))
    if shown != wanted:
        yield f"engagement {name}: lines are quantity x rate of {shown} instead of {wanted} before rounding"


def _with_worths(terms: Engagement, lines: Iterable[BillingEvent]) -> Iterator[tuple[BillingEvent, Fraction]]:
    """Each line, as they were written, with what it is worth in minor units, not rounded; other lines than time: 0.

    An adjusting line is worth what it says its entry now is, less what the entry's lines before it are.
    """
    worths: dict[str, Fraction] = {}
    entries: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for line in lines:
        worth, entry = Fraction(0), (line.source, line.entry_id)
        if line.kind == "time":
            if line.action == "adjustment":
                worth = _adjusted_to(line) - entries[entry]
            elif line.reverses in worths:
                worth = -worths[line.reverses]
            else:
                worth = _worth(terms, line)
            worths[line.id] = worth
            entries[entry] += worth
        yield line, worth


def _adjusted_to(line: BillingEvent) -> Fraction:
    """What an adjusting line says in its trace that its entry is worth: the price, and what that lacks."""
    told = {step.step: step.value for step in line.trace}
    return minor(told["price"], line.currency) + Fraction(told.get("residue", "0"))


def _worth(terms: Engagement, line: BillingEvent) -> Fraction:
    """Quantity x rate of a line in minor units, not rounded; what a limit makes of it is whole."""
    if line.limited_by:
        return Fraction(minor(line.amount, line.currency))
    hours, scale = number(line.quantity) * hours_in(line.unit, terms), 10 ** MINOR_UNITS[line.currency]
    return hours / hours_in(line.rate_unit, terms) * number(line.rate) * Fraction(scale)


def _period_end(agreed: ByInvoice, on: dt.date) -> dt.date:
    """Last day of the shortest period that covers a date."""
    periods = agreed.facts.periods.get(agreed.terms.legal_entity_id, {}).values()
    covering = [period for period in periods if period.start_date <= on <= period.end_date]
    shortest = min(covering, key=lambda period: period.end_date - period.start_date, default=None)
    return on if shortest is None else shortest.end_date


def _is_over(agreed: ByInvoice, ends: dt.date) -> bool:
    """Whether the period after has begun."""
    try:
        accounting_date(agreed.facts, agreed.terms, ends + _ONE_DAY)
    except WaitsError as wait:
        return wait.reason == "period_closed"
    return True


def _can_be_posted(agreed: ByInvoice, ends: dt.date) -> bool:
    try:
        accounting_date(agreed.facts, agreed.terms, ends)
    except WaitsError:
        return False
    return True
