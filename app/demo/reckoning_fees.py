"""Fees by term in a reckoning: what retainers and subscriptions have billed, what of it is earned, what is deferred."""

from __future__ import annotations

import calendar
import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_lookups import WaitsError, accounting_date
from .reckoning_numbers import minor, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...codecs.engagement import Engagement, Fee
    from .reckoning_facts import Facts

_TERM_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


class TermFees(NamedTuple):
    """Minor units. deferred: billed in advance and not earned yet."""

    billed: int = 0
    earned: int = 0
    deferred: int = 0


class Term(NamedTuple):
    """One term, both dates included, and its fee in minor units."""

    start: dt.date
    end: dt.date
    amount: int


def term_fees(facts: Facts, terms: Engagement) -> TermFees:
    """What the terms of a retainer or a subscription come to, in order, up to the first that cannot be posted.

    That is the first whose fee is due on a day that cannot be posted to, or, where terms are kept because they may be
    earned later or billed anew, the first that begins on such a day.
    """
    fee, served = terms.fee, terms.contract_type == "subscription"
    if fee is None or not (served or terms.contract_type == "retainer"):
        return TermFees()
    used = fee.drawdown is not None
    billed = earned = deferred = 0
    for term in _terms(terms, fee):
        due = term.start if fee.billed == "advance" else term.end
        kept = served or used or fee.billed_terms == "rebill"
        if not _is_open(facts, terms, term.start if kept else due):
            break
        paid = term.amount if _is_open(facts, terms, due) else 0
        gained = _served(facts, terms, term) if served else 0 if used else paid
        billed, earned = billed + paid, earned + gained
        if fee.billed == "advance":
            deferred += paid - gained
    return TermFees(billed, earned, deferred)


def begun_terms(facts: Facts, terms: Engagement) -> tuple[list[Term], Term | None]:
    """The terms of a prepaid balance that have begun, and the one that would be next, if there is one."""
    begun: list[Term] = []
    for term in _terms(terms, terms.fee) if terms.fee is not None else ():
        if not _is_open(facts, terms, term.start):
            return begun, term
        begun.append(term)
    return begun, None


def _served(facts: Facts, terms: Engagement, term: Term) -> int:
    """The part of a fee that the days are of the term, through the last end of a month that can be posted to."""
    days, length, day = 0, (term.end - term.start).days + 1, term.start
    while day <= term.end:
        last = min(term.end, day.replace(day=calendar.monthrange(day.year, day.month)[1]))
        if not _is_open(facts, terms, last):
            break
        days, day = (last - term.start).days + 1, last + dt.timedelta(days=1)
    return rounded(Fraction(term.amount * days, length), terms.policies.rounding)


def _is_open(facts: Facts, terms: Engagement, on: dt.date) -> bool:
    try:
        accounting_date(facts, terms, on)
    except WaitsError:
        return False
    return True


def _terms(terms: Engagement, fee: Fee) -> Iterator[Term]:
    """Every term with its fee; where a balance is refilled, only the first has one."""
    refilled = fee.drawdown is not None and fee.drawdown.refill is not None
    for at, term in enumerate(_agreed_terms(terms, fee)):
        yield term._replace(amount=0) if refilled and at else term


def _agreed_terms(terms: Engagement, fee: Fee) -> Iterator[Term]:
    """The terms that are agreed by their dates, or one after the other up to the engagement's end."""
    amount = minor(fee.amount, terms.currency)
    for known in fee.schedule:
        own = amount if known.amount is None else minor(known.amount, terms.currency)
        yield Term(known.start_date, known.end_date, own)
    if fee.schedule:
        return
    months = _TERM_MONTHS[fee.term]
    begun = 0
    while (start := _months_after(terms.start_date, months * begun)) is not None:
        begun += 1
        following = _months_after(terms.start_date, months * begun)
        if following is None or (terms.end_date is not None and start > terms.end_date):
            return
        yield Term(start, following - dt.timedelta(days=1), amount)


def _months_after(first: dt.date, months: int) -> dt.date | None:
    """The same day some months later, or the last day of a shorter month; None after the year 9999."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return None
    return dt.date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))
