"""Volume tiers in a reckoning: what is billed before an entry, or in all, says at which rates its parts are billed.

Entries are in the order of their dates, then sources and ids, whenever they came. What begins above a threshold is in
the next tier; what reaches it is not.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_numbers import PLACES, minor, number, refuse_when, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...codecs.volume_tiers import VolumeTiers

Order = tuple[dt.date, str, str]
"""Day, source and id of an entry: its place among the others of its engagement."""
_QUARTER: Final = 3


class Volume(NamedTuple):
    """What one entry adds to an account, in hours or in units of the currency."""

    account: str
    order: Order
    size: Fraction


class Part(NamedTuple):
    """A rate, and the share of an entry that is billed at it."""

    rate: Fraction
    share: Fraction


def size_of(tiers: VolumeTiers, hours: Fraction, rate: Fraction, unit_hours: Fraction) -> Fraction:
    """Volume of billed hours at a line's own rate for a unit of this length; an amount has the places of a rate."""
    if tiers.measure == "hours":
        return hours
    return Fraction(rounded(hours * rate / unit_hours * 10**PLACES, "half_up"), 10**PLACES)


def account_of(tiers: VolumeTiers, line: str, day: dt.date, start: dt.date) -> str:
    """What is counted together: one line or a pool, in one period, in one measure. start: of the contract."""
    return f"{tiers.measure} of {f'pool {tiers.pool}' if tiers.pool else line} {_period(tiers.over, day, start)}"


def _period(over: str, day: dt.date, start: dt.date) -> str:
    if over == "month":
        return f"{day:%Y-%m}"
    if over == "quarter":
        return f"{day.year} {(day.month - 1) // _QUARTER}"
    if over == "contract_year":
        before = (day.month, day.day) < (start.month, start.day)
        return f"year {day.year - before}"
    return ""


def parts_of(tiers: VolumeTiers, own_rate: Fraction, own: Volume, counted: Iterable[Volume]) -> list[Part]:
    """Rates of an entry by the volume of all others that count."""
    others = [each for each in counted if each.account == own.account and each.order != own.order]
    rates = [own_rate, *(number(tier.rate) for tier in tiers.tiers)]
    starts = [number(tier.above) for tier in tiers.tiers]
    if tiers.applies == "whole_volume":
        total = own.size + sum(each.size for each in others)
        return [Part(rates[sum(total > start for start in starts)], Fraction(1))]
    before = Fraction(sum(each.size for each in others if each.order < own.order))
    low, high = sorted((before, before + own.size))
    if low == high:
        return [Part(rates[sum(low >= start for start in starts)], Fraction(1))]
    bounds = zip([low, *(min(max(start, low), high) for start in starts)], [*starts, high], rates, strict=True)
    lengths = [(rate, min(max(end, low), high) - begin) for begin, end, rate in bounds]
    return [Part(rate, length / (high - low)) for rate, length in lengths if length > 0]


def check_tiers(tiers: VolumeTiers | None, rate: str, currency: str) -> None:
    """Thresholds rise from above zero; an amount at a rate of zero reaches none; raises UnreadableError."""
    if tiers is None:
        return
    by_amount = tiers.measure == "amount"
    refuse_when(by_amount and not number(rate), "an amount at no rate")
    reached = Fraction(0)
    for tier in tiers.tiers:
        number(tier.rate)
        above = Fraction(minor(tier.above, currency)) if by_amount else number(tier.above)
        refuse_when(above <= reached, "tiers that do not rise")
        reached = above
