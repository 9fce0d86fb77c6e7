"""Arithmetic of money: integers in, one rounding, an integer out."""

from __future__ import annotations

from ...codecs.engagement import Rounding


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Divide and round to a whole number; denominator > 0. Signs are symmetric: -x rounds as x does.

    half_up: ties away from zero; half_even: ties to the even neighbour; up: away from zero; down: to zero.
    """
    if numerator < 0:
        return -divide(-numerator, denominator, rounding)
    if rounding == "half_up":
        return (numerator + denominator // 2) // denominator
    whole, rest = divmod(numerator, denominator)
    if not rest or rounding == "down":
        return whole
    if rounding == "up":
        return whole + 1
    return whole + (rest * 2 > denominator or (rest * 2 == denominator and whole % 2 == 1))


def convert(minor: int, from_places: int, to_places: int, rate: int, rate_places: int) -> int:
    """Convert minor units by an exchange rate of 10^-rate_places, rounded once, half up."""
    return divide(minor * rate * 10**to_places, 10 ** (rate_places + from_places), "half_up")
