"""Division with one rounding, and conversion by an exchange rate."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.money import convert, divide

if TYPE_CHECKING:
    from billtide.codecs.engagement import Rounding

MODES: tuple[Rounding, ...] = ("half_up", "half_even", "up", "down")
numerators = st.integers(-(10**24), 10**24)
denominators = st.integers(1, 10**15)


@pytest.mark.parametrize(
    ("numerator", "denominator", "half_up", "half_even", "up", "down"),
    [
        pytest.param(10, 5, 2, 2, 2, 2, id="whole"),
        pytest.param(0, 7, 0, 0, 0, 0, id="zero"),
        pytest.param(1, 2, 1, 0, 1, 0, id="tie-to-even-is-down"),
        pytest.param(3, 2, 2, 2, 2, 1, id="tie-to-even-is-up"),
        pytest.param(5, 2, 3, 2, 3, 2, id="tie-above-even"),
        pytest.param(1, 3, 0, 0, 1, 0, id="below-half"),
        pytest.param(2, 3, 1, 1, 1, 0, id="above-half"),
        pytest.param(-1, 2, -1, 0, -1, 0, id="negative-tie"),
        pytest.param(-5, 2, -3, -2, -3, -2, id="negative-tie-above-even"),
        pytest.param(-2, 3, -1, -1, -1, 0, id="negative-above-half"),
        pytest.param(-1, 3, 0, 0, -1, 0, id="negative-below-half"),
        pytest.param(7, 1, 7, 7, 7, 7, id="by-one"),
    ],
)
def test_each_mode_rounds_as_its_name_says(
    numerator: int, denominator: int, half_up: int, half_even: int, up: int, down: int
) -> None:
    """Ties and signs round as the mode says; up is away from zero, down is to zero."""
    expected = (half_up, half_even, up, down)
    actual = tuple(divide(numerator, denominator, mode) for mode in MODES)

    assert expected == actual


@given(numerators, denominators)
def test_half_even_is_what_python_rounds_fractions_to(numerator: int, denominator: int) -> None:
    """half_even agrees with exact rational arithmetic."""
    assert round(Fraction(numerator, denominator)) == divide(numerator, denominator, "half_even")


@given(numerators, denominators)
def test_half_up_moves_a_tie_away_from_zero(numerator: int, denominator: int) -> None:
    """half_up agrees with exact rational arithmetic: floor of the magnitude plus a half, with the sign put back."""
    exact = Fraction(numerator, denominator)
    expected = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)

    assert expected == divide(numerator, denominator, "half_up")


@given(numerators, denominators)
def test_up_and_down_enclose_the_exact_value(numerator: int, denominator: int) -> None:
    """down is the magnitude's floor, up its ceiling."""
    exact, sign = abs(Fraction(numerator, denominator)), 1 if numerator >= 0 else -1

    assert sign * math.floor(exact) == divide(numerator, denominator, "down")
    assert sign * math.ceil(exact) == divide(numerator, denominator, "up")


@given(numerators, denominators, st.sampled_from(MODES))
def test_signs_are_symmetric(numerator: int, denominator: int, mode: Rounding) -> None:
    """A reversal's rounding is the exact opposite of the original's."""
    assert -divide(numerator, denominator, mode) == divide(-numerator, denominator, mode)


@pytest.mark.parametrize(
    ("minor", "from_places", "to_places", "rate", "expected"),
    [
        pytest.param(50_000, 2, 2, 6_072_000_000, 30_360, id="500-usd-at-0.6072-is-303.60-gbp"),
        pytest.param(50_000, 2, 2, 6_081_000_000, 30_405, id="500-usd-at-0.6081-is-304.05-gbp"),
        pytest.param(50_000, 2, 2, 7_126_800_000, 35_634, id="500-cad-at-0.71268-is-356.34"),
        pytest.param(50_000, 2, 2, 7_088_200_000, 35_441, id="500-cad-at-0.70882-is-354.41"),
        pytest.param(38_850, 0, 2, 91_630_000, 35_598, id="38850-jpy-at-0.009163-is-355.98"),
        pytest.param(35_598, 2, 0, 1_091_345_629_000, 38_850, id="to-a-currency-without-minor-unit"),
        pytest.param(1_234_567, 3, 2, 10_000_000_000, 123_457, id="kuwaiti-fils-round-half-up"),
        pytest.param(-50_000, 2, 2, 6_072_000_000, -30_360, id="a-reversal-converts-to-the-opposite"),
        pytest.param(1, 2, 2, 5_000_000_000, 1, id="half-a-cent-is-a-cent"),
    ],
)
def test_conversion_rounds_once_half_up(minor: int, from_places: int, to_places: int, rate: int, expected: int) -> None:
    """Published conversions come out to the minor unit (worked example 25)."""
    assert expected == convert(minor, from_places, to_places, rate, 10)
