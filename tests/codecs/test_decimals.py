"""Decimal text to scaled integers and back: exact, and errors that name the field and the fix."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.codecs.decimals import DIGITS_MAX, REMEMBERED_MAX, format_plain, format_scaled, parse_scaled
from billtide.codecs.errors import UndecodableError

places = st.integers(0, 10)
integers = st.integers(-(10**DIGITS_MAX) + 1, 10**DIGITS_MAX - 1)


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        pytest.param("7.25", 6, 7_250_000, id="two-places"),
        pytest.param("7", 6, 7_000_000, id="whole"),
        pytest.param("-7.25", 2, -725, id="negative"),
        pytest.param("0", 2, 0, id="zero"),
        pytest.param("-0.00", 2, 0, id="negative-zero"),
        pytest.param("007.50", 2, 750, id="leading-zeros"),
        pytest.param("1.2300", 2, 123, id="zeros-beyond-the-scale"),
        pytest.param("5.000", 0, 5, id="zeros-where-there-are-no-places"),
        pytest.param("9" * DIGITS_MAX, 0, 10**DIGITS_MAX - 1, id="longest"),
        pytest.param("0.0000000001", 10, 1, id="smallest-exchange-rate"),
    ],
)
def test_text_is_read_exactly(text: str, scale: int, expected: int) -> None:
    """Places that say nothing are allowed; nothing is rounded."""
    assert expected == parse_scaled(text, scale, "$.x")


@pytest.mark.parametrize(
    "text",
    ["", "-", ".", "1.", ".5", "+1", "1,5", "1 000", " 1", "1\n", "1e3", "1E3", "0x1", "NaN", "Infinity", "--1", "-+1", "1.2.3", "1_000", "١", "1.٥", "½", "1.-5"],
)  # fmt: skip
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    """Only digits, one point and a minus; no exponent, no other script, no separators."""
    with pytest.raises(UndecodableError) as caught:
        parse_scaled(text, 2, "$.amount")
    error = caught.value

    assert (error.reason, error.field) == ("invalid_field", "$.amount")
    assert error.problem == f"{text!r} is not a decimal number"
    assert error.fix == 'write it as text with a point, such as "7.50"'


@pytest.mark.parametrize(
    ("text", "scale", "problem", "fix"),
    [
        pytest.param("1.001", 2, "'1.001' has more than 2 decimal places", "send at most 2", id="too-fine"),
        pytest.param("1.5", 0, "'1.5' has more than 0 decimal places", "send at most 0", id="no-places-at-all"),
        pytest.param("1" * 10, 2, "more than 9 digits before the point", "check the unit of the value", id="too-long"),
        pytest.param("0" * 9 + "1", 2, "more than 9 digits before the point", "check the unit of the value", id="too-long-with-zeros"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_not_rounded(text: str, scale: int, problem: str, fix: str) -> None:
    """More places or digits than a field holds are the sender's to settle."""
    with pytest.raises(UndecodableError) as caught:
        parse_scaled(text, scale, "$.rate")

    assert (caught.value.field, caught.value.problem, caught.value.fix) == ("$.rate", problem, fix)
    assert str(caught.value) == f"$.rate: {problem}; {fix}"


@given(integers, places)
def test_writing_and_reading_is_the_identity(value: int, scale: int) -> None:
    """Any integer survives the way out and in, at every scale its digits allow."""
    text = format_scaled(value, scale)

    assert value == parse_scaled(text, scale, "$.x")
    assert Decimal(value).scaleb(-scale) == Decimal(text)


@given(integers, places)
def test_plain_text_means_the_same_and_ends_in_no_zero(value: int, scale: int) -> None:
    """format_plain drops the zeros that say nothing, and only those."""
    text = format_plain(value, scale)

    assert value == parse_scaled(text, scale, "$.x")
    assert "." not in text or not text.endswith(("0", "."))


@given(st.text(max_size=40), places)
def test_any_text_is_read_as_a_number_or_refused(text: str, scale: int) -> None:
    """No text makes anything but an integer or an UndecodableError, and what is read is what Decimal reads."""
    try:
        value = parse_scaled(text, scale, "$.x")
    except UndecodableError:
        return

    assert Decimal(text) == Decimal(value).scaleb(-scale)


@pytest.mark.parametrize(
    ("value", "scale", "scaled", "plain"),
    [
        pytest.param(7_500_000, 6, "7.500000", "7.5", id="zeros"),
        pytest.param(-5, 2, "-0.05", "-0.05", id="negative-below-one"),
        pytest.param(0, 2, "0.00", "0", id="zero"),
        pytest.param(100, 0, "100", "100", id="no-places-keep-their-zeros"),
        pytest.param(-700, 2, "-7.00", "-7", id="negative-whole"),
    ],
)
def test_numbers_are_written_with_their_places(value: int, scale: int, scaled: str, plain: str) -> None:
    """Amounts show every place, quantities and rates only those that say something."""
    assert (scaled, plain) == (format_scaled(value, scale), format_plain(value, scale))


def test_what_is_remembered_is_bounded_and_never_wrong() -> None:
    """More different texts than are remembered are still read and written right."""
    for value in range(REMEMBERED_MAX + 10):
        assert value == parse_scaled(str(value), 0, "$.x")
        assert f"{value}.0" == format_scaled(value * 10, 1)
    assert parse_scaled("14", 2, "$.x") == 1_400
    assert parse_scaled("14", 0, "$.x") == 14
