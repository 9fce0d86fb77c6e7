"""Balance: each journal sums to nothing, and the work in progress of the journals is that of the figures.

What Dynamics 365 calls reconciling accrued revenue: an accrual of 5,000 and its reversal of 4,500 leave an imbalance of
500, for which the engagement's figures have no work in progress.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.journal import JournalLine

if TYPE_CHECKING:
    from ...agents.work import Record

JOURNALS: Final = ("accruals", "revenue")
"""Streams whose events are journals."""
FIGURES: Final = "engagement-figures"
_NOTHING: Final = Decimal()
_SIGN: Final = {"debit": 1, "credit": -1}


class _Journal(msgspec.Struct, gc=False):
    engagement_id: str = ""
    lines: tuple[JournalLine, ...] = ()


class _Figures(msgspec.Struct, gc=False):
    engagement_id: str
    unbilled: str


_journal: Final = msgspec.json.Decoder(_Journal).decode
_figures: Final = msgspec.json.Decoder(_Figures).decode


@dataclass(slots=True)
class Balance:
    """Takes events and figures of all partitions, in the order of each.

    compare() notes where both differ now. While workers go on, only what differs in the same way at the end of each
    reading is an imbalance: an engagement that moves is between its journals and its figures.
    """

    _journals: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    _shown: dict[str, tuple[Decimal, int, int]] = field(default_factory=dict)
    _noted: dict[str, tuple[Decimal, Decimal]] | None = None

    def take_journal(self, record: Record) -> str:
        """Add a journal up; returns what is wrong with it, nothing when it balances."""
        try:
            journal = _journal(record.value or b"")
            amounts = [Decimal(line.amount) * _SIGN[line.side] for line in journal.lines]
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
            return f"no journal can be read: {error}"
        for amount, line in zip(amounts, journal.lines, strict=True):
            if line.account == "work_in_progress":
                self._journals[journal.engagement_id] += amount
        surplus = sum(amounts, _NOTHING)
        return f"debits and credits differ by {abs(surplus)}" if surplus else ""

    def take_figures(self, partition: int, record: Record) -> str:
        """Keep the latest figures of an engagement; returns what is wrong with them."""
        try:
            found = _figures(record.value or b"")
            self._shown[found.engagement_id] = Decimal(found.unbilled), partition, record.offset
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
            return f"no figures can be read: {error}"
        return ""

    def compare(self) -> None:
        """Note what differs at the end of a reading."""
        both = {
            name: (self._journals.get(name, _NOTHING), self._shown.get(name, (_NOTHING, 0, 0))[0])
            for name in self._journals.keys() | self._shown.keys()
        }
        before = both if self._noted is None else self._noted
        self._noted = {
            name: found for name, found in both.items() if found[0] != found[1] and before.get(name) == found
        }

    def imbalances(self) -> list[tuple[int, int, str]]:
        """Partition and offset of the latest figures, or offset -1 without any, and what differs."""
        found = []
        for name, (accrued, shown) in (self._noted or {}).items():
            _, partition, offset = self._shown.get(name, (_NOTHING, 0, -1))
            what = f"work in progress of {name} is {accrued} by its journals and {shown} by its figures"
            found.append((partition, offset, f"{what}: an imbalance of {accrued - shown}"))
        return sorted(found)
