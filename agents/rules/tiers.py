"""Volume tiers: the rate of a piece of work by how much was billed before it, or in all.

The volume of an entry is its billed quantity in microseconds, or that at the line's own rate in 10^-6 of the currency,
rounded half up. Entries are ordered by work date, then source and id, never by arrival (M9); only what is approved
counts, a submitted entry is valued at the place it would have.

    marginal      each part of the entry at the rate of the tier it lies in, their sum rounded once; the line shows the
                  rate that gives this amount (see time_price)
    whole volume  everything at the rate of the tier that the volume of all reaches

A tier begins above its threshold: what reaches it exactly is still in the tier below. (Both kinds as Stripe's
`graduated` and `volume` tiers.)
"""

from __future__ import annotations

import bisect
import datetime as dt
from typing import Final, NamedTuple

from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.currencies import EXPONENTS, format_amount
from ...codecs.decimals import RATE_PLACES, format_plain
from ...codecs.durations import format_hours
from ...codecs.entry_state import Volume
from ...codecs.volume_tiers import ParsedTiers, TierPeriod
from .money import divide
from .pricing import ResolvedRate

VOLUME_MAX: Final = 2**62
"""Largest volume of one entry that its state can keep."""
_QUARTER: Final = 3
_LEAP_DAY: Final = (2, 29)


class Reached(NamedTuple):
    """Volume of the other entries that count: of those ordered before an entry, and of all of them."""

    before: int
    others: int


def volume_of(rate: ResolvedRate, tiers: ParsedTiers, time: int, length: int, date: dt.date, start: dt.date) -> Volume:
    """Volume of billed time in microseconds at a line, whose unit is `length` long; `start`: of the contract."""
    size = divide(time * tiers.rates[0], length, "half_up") if tiers.by_amount else time
    counted = f"pool {tiers.pool}" if tiers.pool else f"{rate.card} {tiers.line}"
    return Volume(f"{'amount' if tiers.by_amount else 'hours'} of {counted}{_period(tiers.over, date, start)}", size)


def at_volume(rate: ResolvedRate, tiers: ParsedTiers, volume: Volume, reached: Reached, currency: str) -> ResolvedRate:
    """The rate of an entry of this volume, or its rates, with the tiers it lies in."""
    parts = _parts(tiers, volume.size, reached)
    steps = [_step(tiers, at, size, reached, volume, currency, rate.unit) for at, size in parts]
    rates = tuple((tiers.rates[at], size) for at, size in parts)
    return structs.replace(
        rate,
        rate=rates[0][0],
        trace=(*rate.trace, *steps),
        volume=volume,
        parts=rates if len(rates) > 1 else (),
    )


def _parts(tiers: ParsedTiers, size: int, reached: Reached) -> list[tuple[int, int]]:
    """Which tiers an entry lies in, by number, with how much of it (a size above zero, or zero of nothing)."""
    if tiers.whole:
        return [(bisect.bisect_left(tiers.above, reached.others + size), size)]
    low, high = sorted((reached.before, reached.before + size))
    parts, at = [], bisect.bisect_right(tiers.above, low)
    while low < high:
        end = min(high, tiers.above[at]) if at < len(tiers.above) else high
        parts.append((at, end - low))
        low, at = end, at + 1
    return parts or [(at, 0)]


def _step(
    tiers: ParsedTiers, at: int, size: int, reached: Reached, volume: Volume, currency: str, unit: str
) -> TraceStep:
    where = f"above {_shown(tiers.above[at - 1], tiers, currency)}" if at else "in the first tier"
    if tiers.whole:
        how = f"all, {_shown(reached.others + volume.size, tiers, currency)} reached"
    else:
        how = f"{_shown(size, tiers, currency)} of it, {_shown(reached.before, tiers, currency)} before"
    return TraceStep(
        "tier", f"{format_plain(tiers.rates[at], RATE_PLACES)}/{unit}", f"{where}, {how}: {volume.account}"
    )


def _shown(volume: int, tiers: ParsedTiers, currency: str) -> str:
    if not tiers.by_amount:
        return f"{format_hours(volume)} hours"
    minor = divide(volume, 10 ** (RATE_PLACES - EXPONENTS[currency]), "half_up")
    return f"{format_amount(minor, currency)} {currency}"


def _period(over: TierPeriod, date: dt.date, start: dt.date) -> str:
    """Name of the period in which a volume is counted."""
    if over == "month":
        return f" in {date:%Y-%m}"
    if over == "quarter":
        return f" in {date.year}-Q{(date.month - 1) // _QUARTER + 1}"
    if over == "contract_year":
        return f" in the year from {_year_from(date, start)}"
    return ""


def _year_from(date: dt.date, start: dt.date) -> dt.date:
    """First day of the contract's year that a date lies in; a contract of 29 February begins others on 1 March."""
    year = max(date.year - ((date.month, date.day) < (start.month, start.day)), dt.MINYEAR)
    if (start.month, start.day) == _LEAP_DAY:
        return dt.date(year, 2, 28) + dt.timedelta(days=1)
    return start.replace(year=year)
