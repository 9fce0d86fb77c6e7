"""Cells of a row read as values, exactly: nothing is guessed, what does not fit is refused with what to do."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .mapping import Chosen, File, Named, Revision

T = TypeVar("T")

NUMBER_CHARACTERS_MAX: Final = 40
"""Of a number, as on the wire: nobody works so many digits of hours, and Python refuses to read some thousands."""
SHOWN_MAX: Final = 40
"""Characters of a cell that are shown in a message."""
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"-?[0-9]+(,[0-9]+)?")


class CellError(Exception):
    """A cell that cannot be used: its column, what is wrong, and how to mend it."""

    def __init__(self, column: str, problem: str, fix: str) -> None:
        """Keep the parts apart, so that each can be shown in its place."""
        super().__init__(f"{column}: {problem}; {fix}")
        self.column = column
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a CSV. number: as a spreadsheet counts, the header is row 1."""

    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """A cell without blanks around it; empty is refused."""
        text = self.cells[column].strip()
        if not text:
            raise CellError(column, "the cell is empty", "fill it in")
        return text


def named(row: Row, how: Named | None) -> str:
    """A text by its mapping; empty when nothing is mapped or the cell is empty."""
    if how is None:
        return ""
    if how.column is None:
        return how.fixed or ""
    text = row.cells[how.column].strip()
    return how.rename.get(text, text)


def required(row: Row, how: Named) -> str:
    """A text by its mapping that must be there."""
    if how.column is not None:
        row.text(how.column)
    return named(row, how)


def chosen(row: Row, how: Chosen[T]) -> T:
    """One of a few values by its mapping."""
    if how.column is None:
        if how.fixed is None:
            raise AssertionError("a checked mapping has a column or a fixed value")
        return how.fixed
    text = row.cells[how.column].strip()
    value = how.values.get(text, how.otherwise)
    if value is None:
        near = difflib.get_close_matches(text, list(how.values), n=1)
        meant = f" (did it mean {near[0]!r}?)" if near else ""
        problem = f"{text[:SHOWN_MAX]!r} is not among the mapped values {', '.join(map(repr, how.values))}{meant}"
        raise CellError(how.column, problem, "correct the cell, or add it to the mapping's `values`")
    return value


def revision(row: Row, how: Revision) -> int:
    """A revision by its mapping: a whole number from 1 on."""
    if how.column is None:
        return how.fixed or 1
    text = row.text(how.column)
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_CHARACTERS_MAX and int(text) >= 1):
        problem = f"{text[:SHOWN_MAX]!r} is not a whole number from 1 on"
        raise CellError(how.column, problem, "export a version number that rises with each change")
    return int(text)


def check_length(text: str, column: str) -> None:
    """Refuse a number that is longer than any real one."""
    if len(text) > NUMBER_CHARACTERS_MAX:
        problem = f"{text[:SHOWN_MAX]!r}... has {len(text)} characters, a number has {NUMBER_CHARACTERS_MAX} at most"
        raise CellError(column, problem, "correct the cell")


def decimal(text: str, column: str, file: File) -> str:
    """Decimal text with a point, from a cell with a point or, if the file says so, a comma."""
    check_length(text, column)
    if (_DECIMAL_COMMA if file.decimal_comma else _DECIMAL).fullmatch(text):
        return text.replace(",", ".")
    mark = "comma" if file.decimal_comma else "point"
    fix = f"write it without grouping, with a decimal {mark}"
    other = _DECIMAL if file.decimal_comma else _DECIMAL_COMMA
    if other.fullmatch(text):
        fix = f"set file.decimal_comma = {str(not file.decimal_comma).lower()} in the mapping if the file is written so"
    raise CellError(column, f"{text[:SHOWN_MAX]!r} is not a number with a decimal {mark}", fix)


def date(row: Row, column: str, file: File) -> dt.date:
    """A date in one of the mapping's formats."""
    return _moment(row.text(column), column, file.date_formats, "file.date_formats")[0].date()


def moment(row: Row, column: str, file: File) -> tuple[dt.datetime, bool]:
    """A time in one of the mapping's formats, and whether it carries its date."""
    found, wanted = _moment(row.text(column), column, file.time_formats, "file.time_formats")
    return found, any(part in wanted for part in ("%d", "%j", "%x", "%c"))


def _moment(text: str, column: str, formats: Sequence[str], key: str) -> tuple[dt.datetime, str]:
    for wanted in formats:
        try:
            return dt.datetime.strptime(text, wanted), wanted  # noqa: DTZ007 - a clock on a wall; %z where given
        except ValueError:
            continue
    problem = f"{text[:SHOWN_MAX]!r} is in none of the formats {', '.join(formats)}"
    raise CellError(column, problem, f"correct the cell, or add its format to {key} in the mapping")
