"""Currencies with their minor units, and worked time in whole microseconds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs.currencies import EXPONENTS, exponent, format_amount, parse_amount
from billtide.codecs.durations import HOUR, MINUTE, format_hours, parse_duration
from billtide.codecs.errors import UndecodableError


@pytest.mark.parametrize(
    ("currency", "places", "text", "minor"),
    [
        pytest.param("EUR", 2, "1234.50", 123_450, id="euro"),
        pytest.param("JPY", 0, "1234", 1_234, id="yen"),
        pytest.param("KWD", 3, "1234.567", 1_234_567, id="dinar"),
        pytest.param("CLF", 4, "1.2345", 12_345, id="unidad-de-fomento"),
        pytest.param("CHF", 2, "-0.05", -5, id="franc"),
    ],
)
def test_amounts_are_minor_units(currency: str, places: int, text: str, minor: int) -> None:
    """The currency says how many decimals there are, both ways."""
    assert places == exponent(currency)
    assert minor == parse_amount(text, currency, "$.amount")
    assert text == format_amount(minor, currency)


@pytest.mark.parametrize("code", ["XXX", "XAU", "EURO", "eur", "", "E€R"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    """Codes without a minor unit, and what ISO 4217 does not list; the error names the field that held it."""
    with pytest.raises(UndecodableError) as caught:
        exponent(code, "$.cost_rates[0].currency")

    assert (caught.value.field, caught.value.fix) == ("$.cost_rates[0].currency", 'use a code such as "EUR"')


@pytest.mark.parametrize(("currency", "text"), [("JPY", "0.5"), ("EUR", "0.005"), ("KWD", "0.0005")])
def test_an_amount_below_the_minor_unit_is_refused(currency: str, text: str) -> None:
    """There is no half a cent, and no half a yen."""
    with pytest.raises(UndecodableError, match=r"\$\.amount: .* decimal places; send at most"):
        parse_amount(text, currency, "$.amount")


@given(st.integers(-(10**12) + 1, 10**12 - 1), st.sampled_from(sorted(EXPONENTS)))
def test_every_currency_writes_and_reads_its_amounts(minor: int, currency: str) -> None:
    """Round trip of any amount in any currency."""
    assert minor == parse_amount(format_amount(minor, currency), currency, "$.amount")


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        pytest.param("7.5", "hour", 15 * HOUR // 2, id="hours"),
        pytest.param("45", "minute", 45 * MINUTE, id="minutes"),
        pytest.param("0.5", "day", 15 * HOUR // 4, id="half-a-7.5-hour-day"),
        pytest.param("0.000001", "hour", 3_600, id="smallest-hour"),
        pytest.param("0.000001", "minute", 60, id="smallest-minute"),
        pytest.param("-2", "hour", -2 * HOUR, id="negative"),
    ],
)
def test_time_is_whole_microseconds(text: str, unit: str, expected: int) -> None:
    """Hours and minutes of up to six places come out whole; a day is as long as it is said to be."""
    assert expected == parse_duration(text, unit, 15 * HOUR // 2, "$.quantity")


@pytest.mark.parametrize(
    ("text", "unit", "day", "field", "fix"),
    [
        pytest.param("1", "unit", HOUR, "$.unit", "use hour, minute or day", id="no-time"),
        pytest.param("1", "week", HOUR, "$.unit", "use hour, minute or day", id="unknown-unit"),
        pytest.param("x", "hour", HOUR, "$.quantity", 'write it as text with a point, such as "7.50"', id="no-number"),
        pytest.param("0.0000001", "hour", HOUR, "$.quantity", "send at most 6", id="too-fine"),
        pytest.param("0.000001", "day", 1, "$.quantity", "send fewer decimal places", id="not-whole"),
    ],
)
def test_what_is_no_time_is_refused(text: str, unit: str, day: int, field: str, fix: str) -> None:
    """The error names quantity or unit, whichever is wrong."""
    with pytest.raises(UndecodableError) as caught:
        parse_duration(text, unit, day, "$.quantity")

    assert (field, fix) == (caught.value.field, caught.value.fix)


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        pytest.param(0, "0", id="nothing"),
        pytest.param(15 * HOUR // 2, "7.5", id="hours"),
        pytest.param(20 * MINUTE, "0.333333", id="a-third"),
        pytest.param(40 * MINUTE, "0.666667", id="two-thirds"),
        pytest.param(-20 * MINUTE, "-0.333333", id="negative"),
        pytest.param(1_800, "0.000001", id="half-of-the-last-place-rounds-up"),
        pytest.param(1_799, "0", id="less-than-that-is-nothing"),
    ],
)
def test_hours_are_written_to_six_places(microseconds: int, expected: str) -> None:
    """Figures show decimal hours, half up, without zeros that say nothing."""
    assert expected == format_hours(microseconds)


@given(st.integers(-(10**15), 10**15))
def test_written_hours_are_the_nearest(microseconds: int) -> None:
    """The text is within half a millionth of an hour of the exact value."""
    assert abs(Fraction(format_hours(microseconds)) - Fraction(microseconds, HOUR)) * 2 <= Fraction(1, 10**6)
