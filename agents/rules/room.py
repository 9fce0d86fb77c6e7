"""Room under caps: which approved work has how much of it, by what the work is, never by when it came (M9).

    credits            count whole, before all others: what they give back is room, whatever their date
    what is invoiced   keeps its room, as far as it stands on invoices: an invoice is a fact
    all others         in the order of work date, then key text, each as far as every cap that covers it lets it through

What one finds no room for under a cap that holds whole, a later and smaller one may have. A part of an entry never
takes up a tolerance, only an entry that fits whole; and a cap that holds whole keeps an invoiced entry whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from ...codecs.entry_state import EntryState
from .limits import Limit

Under: TypeAlias = tuple[Limit, str]
"""A cap that covers an entry, and the name under which it counts it."""


class Claim(NamedTuple):
    """What an approved entry asks for, in minor units. invoiced: what stands of it on invoices, net of credits."""

    date: dt.date
    key: bytes
    amount: int
    invoiced: int
    under: tuple[Under, ...]


class Share(NamedTuple):
    """What of an entry is billed, in minor units. through: what caps that stop let through; the rest of it is held."""

    billed: int
    through: int


def claim_of(key: bytes, entry: EntryState, limits: Iterable[Limit]) -> Claim:
    """What an entry asks for that is approved, priced and posted."""
    version = entry.posted or entry.latest
    under = tuple([(limit, limit.account(version.work_date)) for limit in limits if limit.covers(version)])
    return Claim(version.work_date, key, entry.approved_value, entry.invoiced, under)


def keeps(claim: Claim, used: dict[str, int]) -> int:
    """What an entry has before all others, as it is a credit or stands on invoices, and count it to what is used."""
    if claim.amount <= 0:
        kept = claim.amount
    elif claim.invoiced >= claim.amount or any(not limit.split for limit, _ in claim.under):
        kept, _ = _let_through(claim.amount, claim.under, used)
    else:
        rooms = [limit.amount - used.get(account, 0) for limit, account in claim.under]
        kept = max(0, min([claim.invoiced, *rooms]))
    _use(kept, claim.under, used)
    return kept


def share_of(claim: Claim, kept: int, under: Sequence[Under], used: dict[str, int]) -> Share:
    """What an entry has in its turn, with what it has kept already, and count it to what is used.

    under: those of its caps that may matter, for more is asked of them than they have.
    """
    asked = claim.amount - kept
    if not under or asked <= 0:
        return Share(claim.amount, claim.amount)
    more, through = _let_through(asked, under, used)
    _use(more, under, used)
    return Share(kept + more, kept + through)


def _let_through(asked: int, under: Sequence[Under], used: dict[str, int]) -> tuple[int, int]:
    """What all caps let through of what an entry asks for, and what those that stop do."""
    allowed = through = asked
    for limit, account in under:
        room = limit.amount - used.get(account, 0)
        if asked > room + limit.tolerance:
            part = max(0, room) if limit.split else 0
            allowed = min(allowed, part)
            if limit.stops:
                through = min(through, part)
    return allowed, through


def _use(amount: int, under: Sequence[Under], used: dict[str, int]) -> None:
    for _, account in under:
        used[account] = used.get(account, 0) + amount
