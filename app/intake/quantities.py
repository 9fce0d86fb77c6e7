"""How long: cells in any unit to exact decimal text in minutes or hours. No binary floats, no silent rounding.

Hours and minutes pass as they are. Everything else is counted in seconds, as a fraction, and becomes minutes with
up to six places; what is not exact in those (a third of a minute) is not exact in hours either, and is refused
unless the mapping rounds to whole minutes.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ...codecs.decimals import RATE_PLACES, format_plain
from .cells import SHOWN_MAX, CellError, Row, check_length, decimal, moment

if TYPE_CHECKING:
    from ...codecs.wire import Unit
    from .mapping import File, Quantity

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 86_400
_CLOCK: Final = re.compile(r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?")
_ISO: Final = re.compile(
    r"P(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+(?:[.,][0-9]+)?)H)?(?:([0-9]+(?:[.,][0-9]+)?)M)?(?:([0-9]+(?:[.,][0-9]+)?)S)?)?"
)
_HALF: Final = Fraction(1, 2)


def quantity(row: Row, how: Quantity, file: File) -> tuple[str, Unit]:
    """Decimal text and its unit, by the mapping."""
    if how.column is None:
        column = how.end or ""
        return _minutes(_between(row, how, file), column, how), "minute"
    text = row.text(how.column)
    if how.unit in {"hour", "minute"} and how.whole_minutes is None:
        return decimal(text, how.column, file), "hour" if how.unit == "hour" else "minute"
    return _minutes(_seconds(text, how, file), how.column, how), "minute"


def _seconds(text: str, how: Quantity, file: File) -> Fraction:
    """A cell of one of the units, in seconds."""
    column = how.column or ""
    check_length(text, column)
    if how.unit == "clock":
        found = _CLOCK.fullmatch(text)
        if not found:
            raise CellError(column, f"{text[:SHOWN_MAX]!r} is not hours and minutes", "write it like 7:30 or 07:30:00")
        return Fraction(int(found[1]) * HOUR_SECONDS + int(found[2]) * MINUTE_SECONDS + int(found[3] or 0))
    if how.unit == "iso_duration":
        found = _ISO.fullmatch(text)
        if not found or not any(found.groups()):
            raise CellError(column, f"{text[:SHOWN_MAX]!r} is not an ISO 8601 duration", "write it like PT7H30M")
        lengths = (DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS, 1)
        parts = zip(found.groups(), lengths, strict=True)
        return sum((Fraction((part or "0").replace(",", ".")) * length for part, length in parts), Fraction(0))
    seconds = {"second": 1, "minute": MINUTE_SECONDS, "hour": HOUR_SECONDS}[how.unit or ""]
    found_seconds = Fraction(decimal(text, column, file)) * seconds
    if found_seconds < 0:
        raise CellError(column, f"{text[:SHOWN_MAX]!r} is below zero", "leave running timers out of the export")
    return found_seconds


def _between(row: Row, how: Quantity, file: File) -> Fraction:
    """Seconds from start to end."""
    start_column, end_column = how.start or "", how.end or ""
    start, dated = moment(row, start_column, file)
    end, also_dated = moment(row, end_column, file)
    if dated != also_dated or (start.tzinfo is None) != (end.tzinfo is None):
        problem = f"it and {start_column} are not both with or both without a date and zone"
        raise CellError(end_column, problem, "export both columns alike")
    between = end - start
    seconds = Fraction(between.days * DAY_SECONDS + between.seconds) + Fraction(between.microseconds, 1_000_000)
    if seconds >= 0:
        return seconds
    if dated or not how.past_midnight:
        fix = "correct the cell" if dated else "correct the cell, or set entry.quantity.past_midnight = true"
        raise CellError(end_column, f"{row.cells[end_column]} is before {start_column} {row.cells[start_column]}", fix)
    return seconds + DAY_SECONDS


def _minutes(seconds: Fraction, column: str, how: Quantity) -> str:
    """Exact decimal text in minutes."""
    minutes = seconds / MINUTE_SECONDS
    if how.whole_minutes is not None:
        whole = minutes.numerator // minutes.denominator
        rest = minutes - whole
        more = {"up": rest > 0, "down": False, "half_up": rest >= _HALF}[how.whole_minutes]
        return str(whole + more)
    scaled = minutes * 10**RATE_PLACES
    if scaled.denominator != 1:
        shown = format_plain(round(seconds * 10**RATE_PLACES), RATE_PLACES)
        problem = f"{shown} seconds are not exact in minutes or hours with {RATE_PLACES} decimal places"
        fix = 'export whole minutes, or set entry.quantity.whole_minutes = "half_up" in the mapping'
        raise CellError(column, problem, fix)
    return format_plain(scaled.numerator, RATE_PLACES)
