"""Decimal text on the wire, scaled integers inside: exact both ways, never a binary float.

`"7.25"` with six places is 7_250_000. More places than the scale holds is an error, not a rounding:
rounding is a contract policy and happens once, in the rules.
"""

from __future__ import annotations

import functools
from typing import Final

from .errors import UndecodableError

RATE_PLACES: Final = 6
"""Places of a rate (money per unit) and of a quantity that is not time."""
FX_PLACES: Final = 10
"""Places of an exchange rate."""
DIGITS_MAX: Final = 9
"""Digits before the decimal point of a rate or a spent amount: a billion is a mistake, and more would not fit."""
QUANTITY_DIGITS_MAX: Final = 6
"""The same of a quantity: nobody works a million hours in one entry."""
AMOUNT_DIGITS_MAX: Final = 12
"""The same of an agreed amount, such as a fee or a cap."""
FX_DIGITS_MAX: Final = 7
"""The same of an exchange rate."""
PERCENT_DIGITS_MAX: Final = 3
"""The same of a percentage."""
PERCENT_PLACES: Final = 4
"""Places of a percentage."""
WHOLE: Final = 100 * 10**PERCENT_PLACES
"""A hundred percent, in 10^-4 percent."""
REMEMBERED_MAX: Final = 32_768
"""Texts and numbers whose other form is remembered; time sheets repeat a few thousand (`8.00`, `7.50`)."""


@functools.lru_cache(REMEMBERED_MAX)
def parse_scaled(text: str, places: int, field: str, digits_max: int = DIGITS_MAX) -> int:
    """Read decimal text as an integer of 10^-places; raises UndecodableError naming `field`.

    digits_max: most digits before the point. The limits keep every product of the rules within 63 bits.
    """
    digits = text.removeprefix("-")
    whole, point, fraction = digits.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (point and not (fraction.isascii() and fraction.isdigit())):
        raise UndecodableError(
            "invalid_field",
            field,
            f"{text[:40]!r} is not a decimal number",
            'write it as text with a point, such as "7.50"',
        )
    if len(whole) > digits_max:
        raise UndecodableError(
            "invalid_field", field, f"more than {digits_max} digits before the point", "check the unit of the value"
        )
    if len(fraction) > places and fraction[places:].strip("0"):
        raise UndecodableError(
            "invalid_field", field, f"{text[:40]!r} has more than {places} decimal places", f"send at most {places}"
        )
    value = int(whole + fraction[:places].ljust(places, "0"))
    return -value if digits is not text else value


@functools.lru_cache(REMEMBERED_MAX)
def parse_rate(text: str, field: str) -> int:
    """Read a rate in 10^-6: zero is free work, less is refused; raises UndecodableError naming `field`."""
    rate = parse_scaled(text, RATE_PLACES, field)
    if rate < 0:
        raise UndecodableError(
            "invalid_field",
            field,
            f"{text[:40]!r} is below zero",
            "send zero or more",
        )
    return rate


@functools.lru_cache(REMEMBERED_MAX)
def format_scaled(value: int, places: int) -> str:
    """Write an integer of 10^-places as decimal text with exactly `places` places."""
    if places == 0:
        return str(value)
    if value < 0:
        return "-" + format_scaled(-value, places)
    text = str(value).zfill(places + 1)
    return f"{text[:-places]}.{text[-places:]}"


@functools.lru_cache(REMEMBERED_MAX)
def format_plain(value: int, places: int) -> str:
    """Write an integer of 10^-places without the zeros that say nothing: 7_500_000 at six is `7.5`."""
    text = format_scaled(value, places)
    return text.rstrip("0").rstrip(".") if places else text
