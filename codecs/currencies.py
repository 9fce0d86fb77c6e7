"""ISO 4217 currencies and their minor units: JPY 0, USD 2, KWD 3."""

from __future__ import annotations

from typing import Final

from iso4217 import Currency

from .decimals import AMOUNT_DIGITS_MAX, format_scaled, parse_scaled
from .errors import UndecodableError

EXPONENTS: Final[dict[str, int]] = {c.code: c.exponent for c in Currency if c.exponent is not None}
"""Decimal places of each currency that has a minor unit (precious metals and test codes have none)."""


def exponent(currency: str, field: str = "$.currency") -> int:
    """Decimal places of a currency code; raises UndecodableError for a code that ISO 4217 does not list."""
    places = EXPONENTS.get(currency)
    if places is None:
        raise UndecodableError(
            "invalid_field", field, f"{currency[:8]!r} is not an ISO 4217 currency", 'use a code such as "EUR"'
        )
    return places


def parse_amount(text: str, currency: str, field: str, digits: int = AMOUNT_DIGITS_MAX) -> int:
    """Read an amount as minor units of its currency; raises UndecodableError."""
    return parse_scaled(text, exponent(currency), field, digits)


def format_amount(minor: int, currency: str) -> str:
    """Write minor units as decimal text of the currency: 123450 USD is `1234.50`."""
    return format_scaled(minor, EXPONENTS[currency])
