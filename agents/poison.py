"""Poison limits: when an input brings nothing but bad records, its task stops taking it in.

One bad record is put aside and stops nothing. A topic of them is a broken sender, and emptying it into the dead
letters would only move the mess. The limits are judged before a bad record is put aside, so that how a fetch cut the
records makes no difference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .work import Record

PERCENT: Final = 100
_offset: Final = attrgetter("offset")


class PoisonedInputError(Exception):
    """One more bad record would exceed a limit: it and what follows stays in the log. at: its index in the records."""

    def __init__(self, at: int, problem: str) -> None:
        """Say which limit is reached."""
        super().__init__(problem)
        self.at: Final = at


class PoisonLimits(NamedTuple):
    """run: bad records in a row; share: percent of bad records among the last `window` of them; both still allowed.

    A share is of the whole window, also before as many records came; it always allows one bad record.
    """

    run: int
    share: int
    window: int

    def bad_max(self) -> int:
        """Bad records the window may hold."""
        return max(1, self.window * self.share // PERCENT)

    def exceeded(self, recent: int) -> str:
        """Which limit the last records exceed, as a sentence; empty when none. recent: as in Poison."""
        if run_of(recent) > self.run:
            return f"more than {self.run} bad records in a row"
        if recent.bit_count() > self.bad_max():
            return f"more than {self.bad_max()} bad ones ({self.share} %) among the last {self.window} records"
        return ""

    def reached(self, recent: bytes) -> str:
        """Which limit one more bad record would exceed; recent: as `Position.recent` keeps it."""
        return self.exceeded(self.followed(int.from_bytes(recent), 1))

    def followed(self, recent: int, by: int) -> int:
        """The last records after one bad one that is `by` records further on."""
        kept = recent << by if by < self.window else 0
        return (kept | 1) & ((1 << self.window) - 1)


class Poison:
    """Judges the bad records of one slab. recent: a bit for each of the last records, 1 is bad, the lowest the last."""

    def __init__(self, limits: PoisonLimits, recent: bytes, records: Sequence[Record]) -> None:
        """Go on from what the position keeps."""
        self._limits: Final = limits
        self._records: Final = records
        self._recent = int.from_bytes(recent)
        self._seen = 0

    def found(self, record: Record) -> None:
        """Take note of a bad record; raises PoisonedInputError instead when a limit would be exceeded."""
        at = bisect_left(self._records, record.offset, key=_offset)
        recent = self._limits.followed(self._recent, at + 1 - self._seen)
        problem = self._limits.exceeded(recent)
        if problem:
            raise PoisonedInputError(at, problem)
        self._recent, self._seen = recent, at + 1

    def recent(self, applied: int) -> bytes:
        """What the position is to keep after the first `applied` records; empty when none of the last was bad."""
        good = applied - self._seen
        window = self._limits.window
        recent = 0 if good >= window else (self._recent << good) & ((1 << window) - 1)
        return recent.to_bytes((recent.bit_length() + 7) // 8)


def run_of(recent: int) -> int:
    """How many of the last records were bad without a good one between."""
    return (~recent & (recent + 1)).bit_length() - 1
