"""Caps of a reckoning: what each covers, and how much of each approved entry they let through, worked out to the end.

Credits count first, and give room. Then what is invoiced has room, as far as it stands on invoices, then everything
else, each in the order of the days of work, then kind, source and id: an entry is billed as far as every cap that
covers it has room left, which is counted anew each time from all that is billed before it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from .reckoning_documents import billed_revision
from .reckoning_facts import EntryId
from .reckoning_numbers import minor
from .reckoning_value import date_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...codecs.engagement import Cap, Engagement, PartialCap
    from .reckoning_money import Worth
    from .reckoning_receivables import Answered


class Room(NamedTuple):
    """One cap in one of its periods: an amount, what may exceed it, and the entries whose bills count to it."""

    amount: int
    tolerance: int
    mode: str
    entries: frozenset[EntryId]


class Capped(NamedTuple):
    """What caps let through, in minor units. by_entry: what is billed of each; waiting: entries with something held."""

    by_entry: dict[EntryId, int]
    held: int = 0
    non_chargeable: int = 0
    waiting: int = 0

    @property
    def billed(self) -> int:
        """What is billed of all."""
        return sum(self.by_entry.values())


def capped(terms: Engagement, worths: Sequence[Worth], answered: Mapping[str, Answered]) -> Capped:
    """Put what is approved for the customer under the caps of an engagement, if it has any.

    answered: how far each billing event is invoiced.
    """
    charged = [worth for worth in worths if worth.approved and worth.price is not None]
    prices = {worth.entry_id: worth.price or 0 for worth in sorted(charged, key=_order)}
    rooms, invoiced = rooms_of(terms, charged), _invoiced(terms, answered)
    billed = {entry: min(price, 0) for entry, price in prices.items()}
    for entry, price in prices.items():
        if price > 0 and invoiced[entry] > 0:
            billed[entry] = _on_invoices(entry, price, invoiced[entry], rooms, billed)
    held = non_chargeable = waiting = 0
    for entry, price in prices.items():
        left = price - billed[entry]
        let_through = _let_through(entry, left, [room for room in rooms if room.mode == "stop"], billed)
        billed[entry] += _let_through(entry, left, rooms, billed)
        over, stopped = price - billed[entry], left - let_through
        held, non_chargeable = held + over - stopped, non_chargeable + stopped
        waiting += over > stopped
    return Capped(billed, held, non_chargeable, waiting)


def _order(worth: Worth) -> tuple[dt.date, str, str, str]:
    entry = worth.entry_id
    return date_of(worth.version), entry.kind, entry.source, entry.id


def _invoiced(terms: Engagement, answered: Mapping[str, Answered]) -> Counter[EntryId]:
    """What stands of each entry on invoices, less what is credited."""
    found: Counter[EntryId] = Counter()
    for billing_id, line in answered.items():
        named = billed_revision(billing_id)
        if named is not None:
            found[EntryId(named.kind, named.source, terms.id, named.entry_id)] += line.invoiced - line.credited
    return found


def _on_invoices(entry: EntryId, price: int, invoiced: int, rooms: list[Room], billed: Mapping[EntryId, int]) -> int:
    """What an invoiced entry is billed before others: what is invoiced of it; under a cap that holds, all or none."""
    covering = [room for room in rooms if entry in room.entries]
    if invoiced >= price or any(room.mode == "hold" for room in covering):
        return _let_through(entry, price, covering, billed)
    return min([invoiced, *(max(0, _left(room, billed)) for room in covering)])


def _let_through(entry: EntryId, amount: int, rooms: list[Room], billed: Mapping[EntryId, int]) -> int:
    """How much of an amount of an entry every cap lets through, with what is billed already."""
    allowed = [amount]
    for room in rooms:
        if entry in room.entries:
            left = _left(room, billed)
            whole = amount <= left + room.tolerance
            allowed.append(amount if whole else 0 if room.mode == "hold" else max(0, left))
    return amount if amount <= 0 else min(allowed)


def _left(room: Room, billed: Mapping[EntryId, int]) -> int:
    return room.amount - sum(billed[entry] for entry in room.entries)


def rooms_of(terms: Engagement, charged: Sequence[Worth]) -> list[Room]:
    """Every cap of the terms, in every period, with the approved entries it covers."""
    if terms.contract_type != "capped":
        return []
    found = [] if terms.cap is None else [_room(terms.cap, terms.currency, charged)]
    for cap in terms.caps:
        covered = [worth for worth in charged if _covers(cap, worth)]
        period = _PERIODS[cap.per or ""]
        for begins in sorted({period(date_of(worth.version)) for worth in covered}):
            within = [worth for worth in covered if period(date_of(worth.version)) == begins]
            found.append(_room(cap, terms.currency, within))
    return found


def _room(cap: Cap | PartialCap, currency: str, worths: Sequence[Worth]) -> Room:
    inside = frozenset(worth.entry_id for worth in worths if cap.includes_expenses or worth.kind == "time")
    return Room(minor(cap.amount, currency), minor(cap.tolerance, currency), cap.mode, inside)


def _covers(cap: PartialCap, worth: Worth) -> bool:
    task, person = worth.version.task_id, worth.version.resource_id
    return (not cap.tasks or task in cap.tasks) and (not cap.resources or person in cap.resources)


_PERIODS: dict[str, Callable[[dt.date], str]] = {
    "": lambda _: "",
    "day": str,
    "week": lambda date: str(date - dt.timedelta(days=date.weekday())),
    "month": lambda date: f"{date:%Y-%m}",
}
