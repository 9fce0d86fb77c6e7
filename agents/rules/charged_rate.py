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
from ...codecs.decimals import PERCENT_PLACES, RATE_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.entry_state import EntryVersion
from ...codecs.errors import UndecodableError
from ...codecs.time_policies import Multipliers, Weekday
from .discounts import Discounts
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
_CHANGES: Final = "$.policies.multiplier_changes"


class ChargedRate:
    """How one contract changes the rates of time. A value: never changed once made.

    plain: not at all. of(version, rate) is the rate the version is charged at, with the steps that lead there.
    """

    __slots__ = ("_discounts", "_multiplier", "_named", "_rounding", "plain")

    def __init__(self, terms: Engagement) -> None:
        """Read discount and multipliers; raises UndecodableError."""
        multipliers = _by_date(terms)
        self._named = f"terms of {terms.id} revision {terms.revision}"
        self._rounding = terms.policies.rounding
        self._discounts = Discounts(terms)
        self._multiplier = functools.cache(functools.partial(_multiplier_on, multipliers)) if multipliers else None
        self.plain: Final = not multipliers and self._discounts.none

    def of(self, version: EntryVersion, found: ResolvedRate) -> ResolvedRate:
        """Multiply, discount and round once. A rate the entry carries itself is what was agreed for this work."""
        multiplier, why = ONE, ""
        if self._multiplier is not None and version.rate is None:
            multiplier, why = self._multiplier(version.work_type, version.work_date)
        discount, agreed = self._discounts.on(version.work_date)
        if multiplier == ONE and not discount:
            return found
        steps = []
        if multiplier != ONE:
            steps.append(TraceStep("multiplier", format_plain(multiplier, PRODUCT_PLACES), f"{why}: {self._named}"))
        if discount:
            steps.append(TraceStep("discount_percent", format_plain(discount, PERCENT_PLACES), agreed))
        rate = divide(found.rate * multiplier * (WHOLE - discount), ONE * WHOLE, self._rounding)
        text = f"{format_plain(rate, RATE_PLACES)}/{found.unit}"
        steps.append(TraceStep("charged_rate", text, f"{self._rounding} to {RATE_PLACES} places"))
        return structs.replace(found, rate=rate, trace=(*found.trace, *steps))


class Multiplier:
    """The multipliers of one contract. A value: never changed once made."""

    def __init__(self, agreed: Multipliers, at: str = _FIELD) -> None:
        """Read them from the field `at`; raises UndecodableError."""
        self._by_work_type = {
            work_type: _multiplier(text, f"{at}.by_work_type.{work_type[:40]}")
            for work_type, text in agreed.by_work_type.items()
        }
        if "" in self._by_work_type:
            field, fix = f"{at}.by_work_type", "name the work_type of the entries it is for"
            raise UndecodableError("invalid_field", field, "a multiplier of work without a type", fix)
        self._weekend = None if agreed.weekend is None else _multiplier(agreed.weekend, f"{at}.weekend")
        self._holiday = None if agreed.holiday is None else _multiplier(agreed.holiday, f"{at}.holiday")
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


_ByDate = tuple[tuple[dt.date, Multiplier | None], ...]
"""Multipliers with the first date on which they apply, the latest first."""


def _by_date(terms: Engagement) -> _ByDate:
    """Read the multipliers of a contract and what takes their place later; none where there are none at all."""
    policies = terms.policies
    read: dict[dt.date, Multiplier | None] = {}
    if policies.multipliers is not None:
        read[dt.date.min] = Multiplier(policies.multipliers)
    for at, change in enumerate(policies.multiplier_changes):
        if change.effective_from in read:
            field, problem = f"{_CHANGES}[{at}].effective_from", f"a second change on {change.effective_from}"
            raise UndecodableError("invalid_field", field, problem, "send one change for each date")
        agreed = change.multipliers
        read[change.effective_from] = None if agreed is None else Multiplier(agreed, f"{_CHANGES}[{at}].multipliers")
    return tuple(sorted(read.items(), key=lambda one: one[0], reverse=True))


def _multiplier_on(multipliers: _ByDate, work_type: str, date: dt.date) -> tuple[int, str]:
    """Multiplier of such work by what is agreed for its date; see Multiplier.of."""
    agreed = next((found for starts, found in multipliers if starts <= date), None)
    return (ONE, "") if agreed is None else agreed.of(work_type, date)


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
