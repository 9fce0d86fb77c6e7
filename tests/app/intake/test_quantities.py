"""Quantities: any unit to exact text, nothing rounded unless the mapping says so."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.app.intake.cells import CellError, Row
from billtide.app.intake.mapping import File, Quantity
from billtide.app.intake.quantities import quantity

FILE = File()
ENDS = {"start": "in", "end": "out"}


def read(cells: dict[str, str], file: File = FILE, **how: object) -> tuple[str, str]:
    """Read one row's quantity."""
    return quantity(Row(2, cells), Quantity.model_validate(how), file)


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        pytest.param("hour", "7.25", ("7.25", "hour"), id="decimal hours stay hours"),
        pytest.param("minute", "435", ("435", "minute"), id="minutes stay minutes"),
        pytest.param("second", "5400", ("90", "minute"), id="seconds that are whole minutes"),
        pytest.param("second", "45", ("0.75", "minute"), id="seconds that are exact in minutes"),
        pytest.param("clock", "7:30", ("450", "minute"), id="hours and minutes"),
        pytest.param("clock", "107:05:30", ("6425.5", "minute"), id="more than a day, with seconds"),
        pytest.param("iso_duration", "PT7H30M", ("450", "minute"), id="ISO duration"),
        pytest.param("iso_duration", "P1DT0.5H", ("1470", "minute"), id="ISO duration with a day and a fraction"),
        pytest.param("iso_duration", "PT90S", ("1.5", "minute"), id="ISO seconds"),
        pytest.param("second", "0", ("0", "minute"), id="nothing"),
    ],
)
def test_each_unit_is_exact(unit: str, text: str, expected: tuple[str, str]) -> None:
    """A cell becomes the decimal text it means."""
    assert read({"t": text}, column="t", unit=unit) == expected


@pytest.mark.parametrize(
    ("unit", "text", "problem", "fix"),
    [
        pytest.param("hour", "7,5", "not a number with a decimal point", "file.decimal_comma = true", id="comma"),
        pytest.param("hour", "1,234.5", "not a number", "without grouping", id="grouping is never guessed"),
        pytest.param("hour", "", "empty", "fill it in", id="empty"),
        pytest.param("second", "100", "100 seconds are not exact", "whole_minutes", id="two thirds of a minute"),
        pytest.param("second", "-1599", "below zero", "running timers", id="running timer"),
        pytest.param("clock", "7:60", "not hours and minutes", "7:30", id="sixty minutes"),
        pytest.param("iso_duration", "PT", "not an ISO 8601 duration", "PT7H30M", id="empty duration"),
        pytest.param("iso_duration", "7.5", "not an ISO 8601 duration", "PT7H30M", id="no duration"),
        pytest.param("hour", "9" * 5_000, "has 5000 characters, a number has 40 at most", "correct", id="5000 digits"),
        pytest.param("second", "9" * 5_000, "has 5000 characters", "correct", id="5000 digits of seconds"),
        pytest.param("iso_duration", f"PT{'9' * 5_000}H", "has 5003 characters", "correct", id="5000 digits of ISO"),
    ],
)
def test_what_does_not_fit_is_refused(unit: str, text: str, problem: str, fix: str) -> None:
    """The error names the column, the problem and the fix."""
    with pytest.raises(CellError) as caught:
        read({"t": text}, column="t", unit=unit)

    assert caught.value.column == "t"
    assert problem in caught.value.problem
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("rule", "seconds", "minutes"),
    [("half_up", "89", "1"), ("half_up", "90", "2"), ("up", "61", "2"), ("up", "60", "1"), ("down", "119", "1")],
)
def test_rounding_is_only_what_the_mapping_asks_for(rule: str, seconds: str, minutes: str) -> None:
    """whole_minutes rounds by its rule."""
    assert read({"t": seconds}, column="t", unit="second", whole_minutes=rule) == (minutes, "minute")


def test_a_decimal_comma_is_read_when_the_file_has_one() -> None:
    """7,25 hours in a file with decimal commas are 7.25 hours, and a point is refused there."""
    comma = File(decimal_comma=True)

    assert read({"t": "7,25"}, comma, column="t", unit="hour") == ("7.25", "hour")
    with pytest.raises(CellError, match="decimal_comma = false"):
        read({"t": "7.25"}, comma, column="t", unit="hour")


def test_start_and_end_give_minutes() -> None:
    """The time between two clock times, with seconds where a format has them."""
    assert read({"in": "09:15", "out": "10:00"}, **ENDS) == ("45", "minute")
    assert read({"in": "09:15:30", "out": "10:00:00"}, **ENDS) == ("44.5", "minute")


def test_an_end_before_its_start_is_refused_unless_past_midnight_is_allowed() -> None:
    """22:00 to 02:00 is an error by default and four hours with past_midnight; equal times are nothing."""
    night = {"in": "22:00", "out": "02:00"}

    with pytest.raises(CellError, match="past_midnight = true"):
        read(night, **ENDS)
    assert read(night, **ENDS, past_midnight=True) == ("240", "minute")
    assert read({"in": "22:00", "out": "22:00"}, **ENDS, past_midnight=True) == ("0", "minute")


def test_full_timestamps_count_their_zone_and_never_wrap() -> None:
    """Times with date and zone are subtracted as moments; an end before its start is wrong whatever the option."""
    zoned = File(time_formats=["%Y-%m-%dT%H:%M:%S%z"])
    row = {"in": "2026-10-25T01:30:00+0200", "out": "2026-10-25T03:30:00+0100"}

    assert read(row, zoned, **ENDS) == ("180", "minute")
    with pytest.raises(CellError, match="is before in"):
        read({"in": row["out"], "out": row["in"]}, zoned, **ENDS, past_midnight=True)


@given(st.integers(0, 10**7))
def test_seconds_are_exact_or_refused(seconds: int) -> None:
    """Whatever is accepted means exactly the seconds it came from."""
    try:
        text, unit = read({"t": str(seconds)}, column="t", unit="second")
    except CellError:
        assert seconds % 3, "minutes hold a multiple of three seconds exactly"
    else:
        assert unit == "minute"
        assert Fraction(text) * 60 == seconds
