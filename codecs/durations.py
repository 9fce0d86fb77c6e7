"""Worked time: decimal text in hours, minutes or days on the wire, whole microseconds inside.

A microsecond divides every decimal hour and minute of up to six and seven places, so nothing is rounded on
the way in; a text that does not come out whole is refused, not rounded.
"""

from __future__ import annotations

import functools
from typing import Final

from .decimals import QUANTITY_DIGITS_MAX, RATE_PLACES, format_plain, parse_scaled
from .errors import UndecodableError

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
_SCALE: Final = 10**RATE_PLACES


@functools.cache
def lengths(day: int) -> dict[str, int]:
    """Microseconds of each unit of time, where a day has so many."""
    return {"hour": HOUR, "minute": MINUTE, "day": day}


def parse_duration(text: str, unit: str, day: int, field: str) -> int:
    """Read a quantity of time as microseconds; `day` is how long a day is. Raises UndecodableError."""
    length = lengths(day).get(unit)
    if length is None:
        raise UndecodableError(
            "invalid_field",
            field.replace("quantity", "unit"),
            f"{unit!r} does not measure time",
            "use hour, minute or day",
        )
    whole, rest = divmod(parse_scaled(text, RATE_PLACES, field, QUANTITY_DIGITS_MAX) * length, _SCALE)
    if rest:
        raise UndecodableError(
            "invalid_field",
            field,
            f"{text!r} {unit} is not a whole number of microseconds",
            "send fewer decimal places",
        )
    return whole


def format_hours(microseconds: int) -> str:
    """Write a duration as decimal hours, half up at six places: figures and forecasts, never a billed quantity."""
    return format_plain(
        (abs(microseconds) * _SCALE * 2 + HOUR) // (HOUR * 2) * (1 if microseconds >= 0 else -1), RATE_PLACES
    )
