"""Discounts of a contract: one for good, and others that hold on their dates.

Of the dated discounts that cover the work date the one that starts last counts, in the place of `discount_percent`.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, WHOLE, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.errors import UndecodableError


class Discounts:
    """The discounts of one contract. A value: never changed once made.

    none: there is not any. on(date): the discount of work on a date, in 10^-4 percent, and where it is agreed.
    """

    __slots__ = ("_always", "_dated", "_named", "none")

    def __init__(self, terms: Engagement) -> None:
        """Read them; raises UndecodableError naming the field."""
        self._named = f"terms of {terms.id} revision {terms.revision}"
        self._always = _percent(terms.discount_percent, "$.discount_percent")
        dated = []
        for at, discount in enumerate(terms.discounts):
            field = f"$.discounts[{at}]"
            starts, ends = discount.effective_from, discount.effective_to or dt.date.max
            if ends < starts:
                raise _invalid(f"{field}.effective_to", "it is before effective_from", "send the last date it holds")
            if any(starts == other.effective_from for other in terms.discounts[:at]):
                problem, fix = f"a second discount from {starts}", "send one discount for each first date"
                raise _invalid(f"{field}.effective_from", problem, fix)
            dated.append((starts, ends, _percent(discount.percent, f"{field}.percent")))
        self._dated = tuple(sorted(dated, reverse=True))
        self.none: Final = not self._always and not self._dated

    def on(self, date: dt.date) -> tuple[int, str]:
        """Discount in 10^-4 percent on a date, and the source a trace names."""
        for starts, ends, percent in self._dated:
            if starts <= date <= ends:
                return percent, f"{self._named}, from {starts}"
        return self._always, self._named


def _percent(text: str, field: str) -> int:
    percent = parse_scaled(text, PERCENT_PLACES, field, PERCENT_DIGITS_MAX)
    if not 0 <= percent <= WHOLE:
        raise _invalid(field, f"{text[:40]!r} does not lie between 0 and 100", 'send a percentage, such as "10"')
    return percent


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)
