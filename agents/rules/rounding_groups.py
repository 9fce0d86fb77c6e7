"""Billing groups whose lines are rounded as a sum: what each line adds to its group."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from ...codecs.records import RoundingGroup
from .books import Books


def count_line(amount: int, residue: str, date: dt.date, books: Books, sign: int) -> None:
    """Count a line of time, or with a sign of -1 its reversal, to the group of its accounting date.

    amount: of the line it is or reverses, in minor units; residue: what that lacks to the exact value.
    """
    groups = books.engagement.rounding
    start, end = books.contract.calendar.period_of(date)
    group = groups.get(start)
    if group is None:
        group = groups[start] = RoundingGroup(end)
    group.lines += 1
    group.billed += sign * amount
    group.residue = str(Fraction(group.residue) + sign * Fraction(residue))
