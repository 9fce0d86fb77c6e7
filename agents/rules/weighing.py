"""Weighing: what a version is judged by, where its amount decides who has to approve or review it.

A version is weighed at what it is worth now, but as if no other entry counted for a volume tier. Whatever counts moves
the tiers; if the tiers moved what counts, each would decide the other, and the order of arrival both (M9).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from ...codecs.entry_state import EntryVersion
from ...codecs.resource import ParsedResource
from .contract import Contract
from .valuation import Lookups, Missing, Value, value_of


class Alone:
    """Values an entry refers to, with no volume but its own."""

    __slots__ = ("_lookups",)

    def __init__(self, lookups: Lookups) -> None:
        """Take everything else from these."""
        self._lookups: Final = lookups

    def resource(self, resource_id: str) -> ParsedResource | None:
        """The person, or None while unknown."""
        return self._lookups.resource(resource_id)

    def assignment_rate(self, source: str, engagement_id: str, assignment_id: str) -> tuple[bool, int | None]:
        """Whether the assignment is known, and its rate per hour in 10^-6 if it has one."""
        return self._lookups.assignment_rate(source, engagement_id, assignment_id)

    def volume(self, version: EntryVersion, account: str) -> tuple[int, int]:  # noqa: ARG002 - the same for all
        """Nothing, before it or in all."""
        return 0, 0

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        """Units of quote for one unit of base, 10^-10, or None while unknown."""
        return self._lookups.fx_rate(base, quote, date, rate_type)


def weigh(version: EntryVersion, contract: Contract, lookups: Lookups) -> Value | Missing:
    """What a version weighs; a period that is closed does not matter."""
    return value_of(version, contract, Alone(lookups), weighed=True)
