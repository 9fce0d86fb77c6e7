"""Quantity of time that is billed: what the entry calls billable, or what was worked; rounded as the contract says.

Rounding works on the duration of an entry, never on clock times, and on each entry alone. It is exact: whole
minutes and half days come out, so that the shown quantity is the billed one. A negative entry is rounded as the
opposite of the positive one, and nothing worked stays nothing, whatever the minimum.
(Modes: Kimai's ceil, floor and closest, on durations; factor: OCA sale_timesheet_rounded; half days: OpenAir.)
"""

from __future__ import annotations

from typing import Final

from ...codecs.billing import TraceStep
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, RATE_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.durations import MINUTE, lengths
from ...codecs.engagement import Engagement, Rounding
from ...codecs.entry_state import EntryVersion
from ...codecs.errors import UndecodableError
from .money import divide

_SCALE: Final = 10**RATE_PLACES
_MODES: Final[dict[str, Rounding]] = {"nearest": "half_up", "up": "up", "down": "down"}
_HALVES_OF_A_DAY: Final = 2


def shown(quantity: int, unit: str) -> str:
    """A quantity in 10^-6 of its unit, as a trace shows it: `7.5 hour`."""
    return f"{format_plain(quantity, RATE_PLACES)} {unit}"


class BilledQuantity:
    """How one contract turns worked time into billed time. A value: never changed once made.

    exact: billed as worked; day: a day's length in microseconds.
    """

    __slots__ = ("_factor", "_half_days", "_named", "_rounding", "day", "exact")

    def __init__(self, terms: Engagement, day: int) -> None:
        """Read the policies; raises UndecodableError."""
        self.day: Final = day
        self._named = f"policies of {terms.id} revision {terms.revision}"
        self._rounding = terms.policies.time_rounding
        self._half_days = terms.policies.day_rounding == "half_day"
        self._factor = WHOLE if self._rounding is None else _factor(self._rounding.factor_percent)
        self.exact: Final = self._rounding is None and not self._half_days

    def of(self, version: EntryVersion, rate_unit: str) -> tuple[int, str, tuple[TraceStep, ...]]:
        """Billed quantity in 10^-6 of a unit, that unit, and how it was rounded; `rate_unit` is what a rate is per."""
        given = version.billable_quantity
        quantity, factor = (version.quantity, self._factor) if given is None else (given, WHOLE)
        if self._half_days and rate_unit == "day":
            rounded, unit = self._to_half_days(quantity, version.unit, factor), "day"
            rule = "half a day up to half of its hours, a day above"
        elif self._rounding is not None:
            rounded, unit = self._to_minutes(quantity, version.unit, factor)
            minimum = self._rounding.minimum_minutes
            least = f", at least {minimum}" if minimum else ""
            rule = f"{self._rounding.mode} to {self._rounding.unit_minutes} minutes{least}"
        else:
            return quantity, version.unit, ()
        if (rounded, unit) == (quantity, version.unit):
            return quantity, unit, ()
        share = "" if factor == WHOLE else f" x {format_plain(factor, PERCENT_PLACES)} %"
        source = f"{shown(quantity, version.unit)}{share}, {rule}: {self._named}"
        return rounded, unit, (TraceStep("quantity_rounding", shown(rounded, unit), source),)

    def _to_minutes(self, quantity: int, unit: str, factor: int) -> tuple[int, str]:
        """Round to whole minutes; in minutes where the entry's unit has too few places, as for 20 minutes."""
        if self._rounding is None:
            raise AssertionError("no rounding of time was agreed")
        step, length = self._rounding.unit_minutes, lengths(self.day)[unit]
        per_step = step * MINUTE * _SCALE * WHOLE
        minutes = divide(abs(quantity) * length * factor, per_step, _MODES[self._rounding.mode]) * step
        if quantity:
            minutes = max(minutes, self._rounding.minimum_minutes)
        signed = minutes if quantity >= 0 else -minutes
        rounded, rest = divmod(signed * MINUTE * _SCALE, length)
        return (signed * _SCALE, "minute") if rest else (rounded, unit)

    def _to_half_days(self, quantity: int, unit: str, factor: int) -> int:
        """Round up to half days, in 10^-6 of a day. Hours and minutes are work of one date: a day at most."""
        time = abs(quantity) * lengths(self.day)[unit] * factor
        halves = divide(time * _HALVES_OF_A_DAY, self.day * _SCALE * WHOLE, "up")
        if unit != "day":
            halves = min(halves, _HALVES_OF_A_DAY)
        days = halves * _SCALE // _HALVES_OF_A_DAY
        return days if quantity >= 0 else -days


def _factor(text: str) -> int:
    field = "$.policies.time_rounding.factor_percent"
    factor = parse_scaled(text, PERCENT_PLACES, field, PERCENT_DIGITS_MAX)
    if factor <= 0:
        raise UndecodableError(
            "invalid_field", field, f"{text[:40]!r} is not above zero", 'send a share of the worked time, such as "100"'
        )
    return factor
