"""Numbers of a reckoning: decimal text read exactly, and rounded where a rule says so and nowhere else."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from iso4217 import Currency

if TYPE_CHECKING:
    from ...codecs.engagement import Rounding

PLACES: Final = 6
"""Places of a rate, a quantity and hours."""
PERCENT_PLACES: Final = 4
FX_PLACES: Final = 10
"""Places of an exchange rate."""
MINOR_UNITS: Final[dict[str, int]] = {c.code: c.exponent for c in Currency if c.exponent is not None}
"""Places of each ISO 4217 currency that has a minor unit."""
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]+))?")
_REMEMBERED: Final = 10_000  # texts whose value is kept: the same few thousand quantities and rates come again
_HALF: Final = Fraction(1, 2)


class UnreadableError(ValueError):
    """A record of the right shape that says something impossible."""


def refuse_when(wrong: bool, what: str) -> None:  # noqa: FBT001 -- reads as a sentence where it is called
    """Raise UnreadableError when something is wrong."""
    if wrong:
        raise UnreadableError(what)


@lru_cache(maxsize=_REMEMBERED)
def number(text: str, places: int = PLACES) -> Fraction:
    """Read decimal text exactly; raises UnreadableError when it has another form or more places than allowed."""
    match = _DECIMAL.fullmatch(text)
    if match is None or (match[1] or "")[places:].strip("0"):
        raise UnreadableError(text)
    return Fraction(text)


def minor(text: str, currency: str) -> int:
    """Read an amount as minor units of its currency; raises UnreadableError."""
    if currency not in MINOR_UNITS:
        raise UnreadableError(currency)
    places = MINOR_UNITS[currency]
    return int(number(text, places) * 10**places)


def rounded(value: Fraction, mode: Rounding) -> int:
    """Round to a whole number; the sign plays no part, so a reversal is the exact opposite."""
    size = abs(value)
    whole = int(size)
    rest = size - whole
    if mode == "up":
        more = rest > 0
    elif mode == "down":
        more = False
    elif mode == "half_up":
        more = rest >= _HALF
    else:
        more = rest > _HALF or (rest == _HALF and whole % 2 == 1)
    size_rounded = whole + 1 if more else whole
    return size_rounded if value >= 0 else -size_rounded


def in_minor_units(exact: Fraction, currency: str, mode: Rounding = "half_up") -> int:
    """An exact amount of a currency in its minor units, rounded once."""
    return rounded(exact * 10 ** MINOR_UNITS[currency], mode)
