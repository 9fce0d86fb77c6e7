"""Charged rate: the rate that was found, times what the kind and the date of the work make of it, less the discount.

charged rate = rate x multiplier x (100 % - discount), rounded once to the 10^-6 of a rate by the contract's mode,
so that the line can show it in full and quantity x rate is the amount (M1). Of several multipliers the largest
counts, unless the policy multiplies them. Work of a type without a multiplier costs the plain rate: the terms are
known and ask no more for it. (Mark-up by kind of work as in Dynamics 365 Project Operations, no multiplier on an
entry's own rate as in Kimai; Kimai adds up factors, here none are added.)
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from typing import Final, get_args

from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, RATE_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.entry_state import EntryVersion
from ...codecs.errors import UndecodableError
from ...codecs.time_policies import Multipliers, Weekday
from .money import divide
from .pricing import ResolvedRate

MULTIPLIER_PLACES: Final = 4
MULTIPLIER_MAX: Final = 10 * 10**MULTIPLIER_PLACES
"""Largest single multiplier: above it stands a percentage by mistake, and a rate would not fit 63 bits."""
APPLYING_MAX: Final = 3
"""Work type, weekend and holiday: no more multipliers can apply to one entry."""
PRODUCT_PLACES: Final = MULTIPLIER_PLACES * APPLYING_MAX
ONE: Final = 10**PRODUCT_PLACES
"""A multiplier that changes nothing, in 10^-12."""
_FIELD: Final = "$.policies.multipliers"


class ChargedRate:
    """How one contract changes the rates of time. A value: never changed once made.

    plain: not at all. of(version, rate) is the rate the version is charged at, with the steps that lead there.
    """

    __slots__ = ("_discount", "_multiplier", "_named", "_rounding", "plain")

    def __init__(self, terms: Engagement) -> None:
        """Read discount and multipliers; raises UndecodableError."""
        agreed = terms.policies.multipliers
        self._named = f"terms of {terms.id} revision {terms.revision}"
        self._rounding = terms.policies.rounding
        self._discount = _discount(terms.discount_percent)
        self._multiplier = None if agreed is None else functools.cache(Multiplier(agreed).of)
        self.plain: Final = agreed is None and not self._discount

    def of(self, version: EntryVersion, found: ResolvedRate) -> ResolvedRate:
        """Multiply, discount and round once. A rate the entry carries itself is what was agreed for this work."""
        multiplier, why = ONE, ""
        if self._multiplier is not None and version.rate is None:
            multiplier, why = self._multiplier(version.work_type, version.work_date)
        if multiplier == ONE and not self._discount:
            return found
        steps = []
        if multiplier != ONE:
            steps.append(TraceStep("multiplier", format_plain(multiplier, PRODUCT_PLACES), f"{why}: {self._named}"))
        if self._discount:
            steps.append(TraceStep("discount_percent", format_plain(self._discount, PERCENT_PLACES), self._named))
        rate = divide(found.rate * multiplier * (WHOLE - self._discount), ONE * WHOLE, self._rounding)
        text = f"{format_plain(rate, RATE_PLACES)}/{found.unit}"
        steps.append(TraceStep("charged_rate", text, f"{self._rounding} to {RATE_PLACES} places"))
        return structs.replace(found, rate=rate, trace=(*found.trace, *steps))


class Multiplier:
    """The multipliers of one contract. A value: never changed once made."""

    def __init__(self, agreed: Multipliers) -> None:
        """Read them; raises UndecodableError."""
        self._by_work_type = {
            work_type: _multiplier(text, f"{_FIELD}.by_work_type.{work_type[:40]}")
            for work_type, text in agreed.by_work_type.items()
        }
        if "" in self._by_work_type:
            field, fix = f"{_FIELD}.by_work_type", "name the work_type of the entries it is for"
            raise UndecodableError("invalid_field", field, "a multiplier of work without a type", fix)
        self._weekend = None if agreed.weekend is None else _multiplier(agreed.weekend, f"{_FIELD}.weekend")
        self._holiday = None if agreed.holiday is None else _multiplier(agreed.holiday, f"{_FIELD}.holiday")
        self._weekend_days = {get_args(Weekday).index(day) for day in agreed.weekend_days}
        self._holidays = frozenset(agreed.holidays)
        self._multiplies = agreed.stacking == "multiply"

    def of(self, work_type: str, date: dt.date) -> tuple[int, str]:
        """Multiplier in 10^-12 for such work on a date, and the reason, empty where none applies."""
        candidates = (
            (self._by_work_type.get(work_type), f"work type {work_type}"),
            (self._weekend if date.weekday() in self._weekend_days else None, f"weekend {date}"),
            (self._holiday if date in self._holidays else None, f"holiday {date}"),
        )
        applying = [(multiplier, why) for multiplier, why in candidates if multiplier is not None]
        if not applying:
            return ONE, ""
        named = ", ".join(f"{why} {format_plain(multiplier, MULTIPLIER_PLACES)}" for multiplier, why in applying)
        if self._multiplies:
            product = math.prod(multiplier for multiplier, _ in applying)
            return product * 10 ** (PRODUCT_PLACES - MULTIPLIER_PLACES * len(applying)), f"{named}, multiplied"
        largest = max(multiplier for multiplier, _ in applying)
        rule = ", the largest counts" if len(applying) > 1 else ""
        return largest * 10 ** (PRODUCT_PLACES - MULTIPLIER_PLACES), f"{named}{rule}"


def _multiplier(text: str, field: str) -> int:
    """Read a multiplier in 10^-4."""
    multiplier = parse_scaled(text, MULTIPLIER_PLACES, field)
    if not 0 <= multiplier <= MULTIPLIER_MAX:
        raise UndecodableError(
            "invalid_field",
            field,
            f"{text[:40]!r} does not lie between 0 and {MULTIPLIER_MAX // 10**MULTIPLIER_PLACES}",
            'send a multiplier, such as "1.15" for 15 % more',
        )
    return multiplier


def _discount(text: str) -> int:
    """Read a discount in 10^-4 percent."""
    field = "$.discount_percent"
    discount = parse_scaled(text, PERCENT_PLACES, field, PERCENT_DIGITS_MAX)
    if not 0 <= discount <= WHOLE:
        raise UndecodableError(
            "invalid_field", field, f"{text[:40]!r} does not lie between 0 and 100", 'send a percentage, such as "10"'
        )
    return discount
