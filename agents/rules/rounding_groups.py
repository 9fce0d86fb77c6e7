"""Billing groups whose lines are rounded as a sum: what each line adds to its group."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from itertools import zip_longest

from msgspec import structs

from ...codecs.entry_state import Adjusted, Posted
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


def with_next_line(charged: Adjusted, parts: tuple[Posted, ...], residue: str | None, books: Books) -> Adjusted:
    """A charge with what its next adjusting line counts: together they then lack what the new price lacks, `residue`.

    parts: charge and adjusting lines so far. Those that were rounded alone count from now on, as the whole minor units
    they are; nothing does where neither the charge nor the new price is rounded by invoice.
    """
    if residue is None and charged.price.residue is None:
        return charged
    counted = []
    for part, known in zip_longest(parts, (charged.price.residue, *charged.residues)):
        if known is None:
            count_line(part.amount, "0", part.accounting_date, books, 1)
        counted.append(known or "0")
    adds = Fraction(residue or 0) - sum(map(Fraction, counted))
    price = structs.replace(charged.price, residue=counted[0])
    return Adjusted(charged.version, price, (*counted[1:], str(adds)))
