"""Caps of a reckoning: what each covers, how much of what is approved they let through, and what surely waits.

Which entry gets the room depends on the order in which entries come. The sum does not, where every cap is split to the
minor unit, has no tolerance, and lies wholly inside or outside every other. Else only the sum of what is billed and
what waits is certain, and that no entry waits that would have room: `misplaced` says which do.
"""

from __future__ import annotations

import datetime as dt
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple

from .reckoning_numbers import minor
from .reckoning_value import date_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ...codecs.engagement import Cap, Engagement, PartialCap
    from .reckoning_facts import EntryId
    from .reckoning_money import Worth


class Room(NamedTuple):
    """One cap in one of its periods: an amount, what may exceed it, and the entries whose bills count to it."""

    name: str
    amount: int
    tolerance: int
    split: bool
    entries: frozenset[EntryId]

    @property
    def exact(self) -> bool:
        """Whether it is used up to the minor unit and no further."""
        return self.split and not self.tolerance


class Capped(NamedTuple):
    """What caps let through. settled: billed does not depend on the order; least and most: entries that wait."""

    billed: int
    settled: bool = True
    least: int = 0
    most: int = 0


def capped(terms: Engagement, worths: Sequence[Worth]) -> Capped:
    """Put what is approved for the customer under the caps of an engagement, if it has any."""
    prices = {worth.entry_id: worth.price for worth in worths if worth.approved and worth.price is not None}
    rooms = rooms_of(terms, worths)
    tight = [room for room in rooms if sum(prices[entry] for entry in room.entries) > room.amount]
    if not tight:
        return Capped(sum(prices.values()))
    if len(rooms) == 1:
        inside = [prices[entry] for entry in rooms[0].entries]
        outside = sum(prices.values()) - sum(inside)
        paid = sorted(price for price in inside if price > 0)
        if rooms[0].exact:
            found = _split(paid, rooms[0].amount, sum(inside))
            return found._replace(billed=found.billed + outside)
        if not rooms[0].tolerance:
            credits_given = sum(inside) - sum(paid)
            found = _whole_or_none(paid, rooms[0].amount - credits_given)
            return found._replace(billed=found.billed + credits_given + outside)
    billed = _in_turn(prices, rooms)
    waiting = sum(billed[entry] < price for entry, price in prices.items())
    settled = all(room.exact for room in rooms) and _nested(rooms)
    most = sum(price > 0 for entry, price in prices.items() if any(entry in room.entries for room in rooms))
    return Capped(sum(billed.values()), settled, min(waiting, 1), most)


def is_stopped(terms: Engagement) -> bool:
    """Whether what lies over the caps is not charged; where only some caps stop, it would depend on the order."""
    caps = [cap for cap in (terms.cap, *terms.caps) if cap is not None]
    return terms.contract_type == "capped" and all(cap.mode == "stop" for cap in caps)


def rooms_of(terms: Engagement, worths: Sequence[Worth]) -> list[Room]:
    """Every cap of the terms, in every period, with the approved entries it covers."""
    if terms.contract_type != "capped":
        return []
    charged = [worth for worth in worths if worth.approved and worth.price is not None]
    found = [] if terms.cap is None else [_room("", terms.cap, terms.currency, charged)]
    for cap in terms.caps:
        covered = [worth for worth in charged if _covers(cap, worth)]
        period = _PERIODS[cap.per or ""]
        for begins in sorted({period(date_of(worth.version)) for worth in covered}):
            within = [worth for worth in covered if period(date_of(worth.version)) == begins]
            found.append(_room(f"{cap.id} from {begins}", cap, terms.currency, within))
    return found


def misplaced(terms: Engagement, worths: Sequence[Worth], billed: Mapping[EntryId, int]) -> Iterator[str]:
    """Sentences about caps that are exceeded (M6), and about entries that wait though there is room (M8)."""
    rooms = rooms_of(terms, worths)
    used = {room.name: sum(billed.get(entry, 0) for entry in room.entries) for room in rooms}
    for room in rooms:
        if used[room.name] > room.amount + room.tolerance:
            yield f"engagement {terms.id}: {used[room.name]} billed under cap {room.name!r} of {room.amount} (M6)"
    for worth in worths:
        if not worth.approved or worth.price is None:
            continue
        over = worth.price - billed.get(worth.entry_id, 0)
        if over > 0 and _fits(over, worth.entry_id, rooms, used):
            yield f"entry {worth.entry_id}: {over} waits, though every cap has room for some of it (M8)"
        if over < 0 or (worth.price > 0 and over > worth.price):
            yield f"entry {worth.entry_id}: {worth.price - over} billed, not up to {worth.price} (M1)"


def _room(name: str, cap: Cap | PartialCap, currency: str, worths: Sequence[Worth]) -> Room:
    inside = frozenset(worth.entry_id for worth in worths if cap.includes_expenses or worth.kind == "time")
    return Room(name, minor(cap.amount, currency), minor(cap.tolerance, currency), cap.mode != "hold", inside)


def _covers(cap: PartialCap, worth: Worth) -> bool:
    task, person = worth.version.task_id, worth.version.resource_id
    return (not cap.tasks or task in cap.tasks) and (not cap.resources or person in cap.resources)


_PERIODS: dict[str, Callable[[dt.date], str]] = {
    "": lambda _: "",
    "day": str,
    "week": lambda date: str(date - dt.timedelta(days=date.weekday())),
    "month": lambda date: f"{date:%Y-%m}",
}


def _fits(amount: int, entry: EntryId, rooms: list[Room], used: dict[str, int]) -> int:
    """How much of an amount of an entry every cap lets through."""
    allowed = amount
    for room in rooms:
        left = room.amount - used[room.name]
        if entry in room.entries and amount > left + room.tolerance:
            allowed = min(allowed, max(0, left) if room.split else 0)
    return allowed


def _in_turn(prices: dict[EntryId, int], rooms: list[Room]) -> dict[EntryId, int]:
    """One possible outcome: credits first, then entry by entry, as far as there is room."""
    used = dict.fromkeys((room.name for room in rooms), 0)
    billed: dict[EntryId, int] = {}
    for entry, price in sorted(prices.items(), key=lambda pair: pair[1] > 0):
        billed[entry] = _fits(price, entry, rooms, used) if price > 0 else price
        for room in rooms:
            if entry in room.entries:
                used[room.name] += billed[entry]
    return billed


def _nested(rooms: list[Room]) -> bool:
    """Whether any two caps cover nothing in common, or one all that the other does."""
    pairs = combinations((room.entries for room in rooms), 2)
    return all(not one & other or one <= other or other <= one for one, other in pairs)


def _split(paid: list[int], room: int, total: int) -> Capped:
    """Mode `split`: billed is the cap. What is over it may lie on few large entries or on many, a little each."""
    over = total - room
    largest_first = accumulate(reversed(paid))
    least = next((count for count, held in enumerate(largest_first, 1) if held >= over), len(paid))
    return Capped(room, least=least, most=min(len(paid), over))


def _whole_or_none(paid: list[int], room: int) -> Capped:
    """Mode `hold`: certain when all prices are equal or none fits, else the smallest first are one outcome."""
    fitting = [total for total in accumulate(paid) if total <= room]
    billed = fitting[-1] if fitting else 0
    waiting = len(paid) - len(fitting)
    settled = not fitting or paid[0] == paid[-1]
    return Capped(billed, settled, least=waiting, most=waiting if settled else len(paid))
