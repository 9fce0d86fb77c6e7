"""Volumes billed at rates with tiers: derived from the entries, in the order of work dates, never of arrival.

Nothing of it is kept: an engagement's volumes are read from its entries when first asked for, and follow each change.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..codecs.entry_state import EntryState, EntryVersion
from .entries import Entries
from .keys import engagement_of, key_of


class Item(NamedTuple):
    """Volume of one entry. counts: it is approved; else it is only valued at its place."""

    date: dt.date
    key: bytes
    account: str
    size: int
    counts: bool


class _Day:
    """Items of one date by key; keys in their order. total: of what counts; most: of all sizes, without signs."""

    __slots__ = ("items", "keys", "most", "total")

    def __init__(self) -> None:
        self.items: Final[dict[bytes, Item]] = {}
        self.keys: Final[list[bytes]] = []
        self.total = 0
        self.most = 0


class _Account:
    """All items of one account, by date. pending: keys and dates of what does not count; negative: items below zero."""

    __slots__ = ("dates", "days", "negative", "pending", "total")

    def __init__(self) -> None:
        self.days: Final[dict[dt.date, _Day]] = {}
        self.dates: Final[list[dt.date]] = []
        self.pending: Final[dict[bytes, Item]] = {}
        self.total = 0
        self.negative = 0

    def put(self, item: Item, sign: int) -> None:
        """Add an item, or with a sign of -1 take it out."""
        day = self.days.get(item.date)
        if day is None:
            day = self.days[item.date] = _Day()
            bisect.insort(self.dates, item.date)
        if sign > 0:
            day.items[item.key] = item
            bisect.insort(day.keys, item.key)
        else:
            del day.items[item.key]
            del day.keys[bisect.bisect_left(day.keys, item.key)]
        day.most += sign * abs(item.size)
        self.negative += sign * (item.size < 0)
        if item.counts:
            day.total += sign * item.size
            self.total += sign * item.size
        elif sign > 0:
            self.pending[item.key] = item
        else:
            del self.pending[item.key]
        if not day.items:
            del self.days[item.date]
            del self.dates[bisect.bisect_left(self.dates, item.date)]

    def before(self, date: dt.date, key: bytes) -> int:
        """Volume that counts and is ordered before an entry."""
        days = self.days
        volume = sum([days[one].total for one in self.dates[: bisect.bisect_left(self.dates, date)]])
        day = days.get(date)
        if day is not None:
            earlier = day.keys[: bisect.bisect_left(day.keys, key)]
            volume += sum([day.items[one].size for one in earlier if day.items[one].counts])
        return volume

    def shifted(self, item: Item, sign: int, above: tuple[int, ...]) -> Iterator[bytes]:
        """Keys ordered after an item, put in or taken out, whose tiers that may move (marginal tiers).

        In places of after the change, an entry from low to high has moved past a threshold, or straddles one, where
        one lies between low - max(change, 0) and high - min(change, 0).
        """
        change = sign * item.size
        back, on = max(change, 0), min(change, 0)
        low = self.before(item.date, item.key) + (item.size if sign > 0 else 0)
        for date in self.dates[bisect.bisect_left(self.dates, item.date) :]:
            day = self.days[date]
            if not self.negative:
                if date != item.date and low - back >= above[-1]:
                    return
                if date != item.date and not _between(above, low - back, low + day.most - on):
                    low += day.total
                    continue
            for key in day.keys:
                one = day.items[key]
                if date == item.date and key <= item.key:
                    continue
                ends = sorted((low, low + one.size))
                if _between(above, ends[0] - back, ends[1] - on):
                    yield key
                low += one.size if one.counts else 0

    def reached_anew(self, change: int, above: tuple[int, ...]) -> Iterator[bytes]:
        """Keys whose tier of the whole volume differs now that it has changed."""
        low, high = sorted((self.total - change, self.total))
        if _reaches(above, low, high):
            for day in self.days.values():
                yield from (key for key, one in day.items.items() if one.counts)
        for key, one in self.pending.items():
            if _reaches(above, low + one.size, high + one.size):
                yield key


class Volumes:
    """Volumes of the engagements of one task, by account: a line of a card, or a pool, with its period."""

    def __init__(self, entries: Entries) -> None:
        """Start without any; `entries` is where they are read from."""
        self._entries: Final = entries
        self._accounts: Final[dict[str, dict[str, _Account]]] = {}
        self._items: Final[dict[bytes, Item]] = {}

    def ready(self, engagement_id: str) -> None:
        """Read an engagement's entries, if not read yet; before one of them is changed."""
        if engagement_id in self._accounts:
            return
        self._accounts[engagement_id] = {}
        for key in self._entries.of_engagement(engagement_id):
            entry = self._entries.get(key)
            item = None if entry is None else _item(key, entry)
            if item is not None:
                self._put(item, engagement_id, 1)

    def forget(self, engagement_id: str) -> None:
        """Forget an engagement's volumes: they are read again when asked for."""
        if self._accounts.pop(engagement_id, None) is not None:
            wanted = engagement_id.encode()
            for key in [key for key in self._items if engagement_of(key) == wanted]:
                del self._items[key]

    def reached(self, version: EntryVersion, account: str) -> tuple[int, int]:
        """Volume of an account without this entry: what is ordered before it, and all of it."""
        self.ready(version.engagement_id)
        known, key = self._accounts[version.engagement_id].get(account), _key_of(version)
        if known is None:
            return 0, 0
        own = self._items.get(key)
        counted = own if own is not None and own.counts and own.account == account else None
        before = known.before(version.work_date, key)
        if counted is not None and (counted.date, key) < (version.work_date, key):
            before -= counted.size
        return before, known.total - (0 if counted is None else counted.size)

    def follow(self, key: bytes, entry: EntryState, above: tuple[int, ...], *, whole: bool) -> list[bytes]:
        """Take an entry's change over; returns whose tiers may have changed by it, in their order.

        above: every threshold of the contract; whole: some tiers are of the whole volume.
        """
        engagement_id = engagement_of(key).decode()
        old, new = self._items.get(key), _item(key, entry)
        if old == new:
            return []
        touched: dict[bytes, None] = {}
        for item, sign in ((old, -1), (new, 1)):
            if item is None:
                continue
            account = self._put(item, engagement_id, sign)
            if item.counts and above:
                touched |= dict.fromkeys(account.shifted(item, sign, above))
                if whole:
                    touched |= dict.fromkeys(account.reached_anew(sign * item.size, above))
        touched.pop(key, None)
        return sorted(touched, key=lambda one: (self._items[one].date, one))

    def _put(self, item: Item, engagement_id: str, sign: int) -> _Account:
        accounts = self._accounts[engagement_id]
        account = accounts.get(item.account)
        if account is None:
            account = accounts[item.account] = _Account()
        account.put(item, sign)
        if sign > 0:
            self._items[item.key] = item
        else:
            del self._items[item.key]
        return account


def _item(key: bytes, entry: EntryState) -> Item | None:
    """What an entry adds: while it is billed, or its value is open over a cap, or it is accrued."""
    volume = None if entry.price is None else entry.price.volume
    if volume is None:
        return None
    charged = bool(entry.charges) and entry.charges[-1].live
    counts = charged or entry.held_value != 0 or entry.non_chargeable != 0
    accrued = entry.work_in_progress
    if not counts and (accrued is None or not accrued.live):
        return None
    return Item((entry.posted or entry.latest).work_date, key, volume.account, volume.size, counts)


def _between(above: tuple[int, ...], low: int, high: int) -> bool:
    """Whether a threshold lies between two volumes, neither of them included."""
    return bisect.bisect_right(above, low) < bisect.bisect_left(above, high)


def _reaches(above: tuple[int, ...], low: int, high: int) -> bool:
    """Whether the volumes lie in different tiers: a tier begins above its threshold."""
    return bisect.bisect_left(above, low) != bisect.bisect_left(above, high)


def _key_of(version: EntryVersion) -> bytes:
    return key_of("e", version.kind, version.source, version.engagement_id, version.id)
