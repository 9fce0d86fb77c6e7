"""A CSV file as rows: its header checked against the mapping first, then each row with the number people see."""

from __future__ import annotations

import csv
import difflib
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.errors import shortened
from ..refusal import RefusedError
from .cells import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .mapping import File

ROWS_MAX: Final = 1_000_000
"""Rows of one file; all of them are checked before the first is sent, so they are in memory."""


class SheetError(RefusedError):
    """A CSV file that cannot be read at all; the message says where and what to do."""


class Refusal(NamedTuple):
    """A row that cannot be used. column is empty when the whole row is meant."""

    file: str
    row: int
    column: str
    problem: str
    fix: str

    def __str__(self) -> str:
        """One line for people."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file} row {self.row}{column}: {self.problem}; {self.fix}"


class Sheet(NamedTuple):
    """The rows of a file, and those that are not even rows of it."""

    rows: list[Row]
    refused: list[Refusal]

    @property
    def size(self) -> int:
        """Rows of the file, without header and blank lines."""
        return len(self.rows) + len(self.refused)


def read(path: Path, file: File, columns: Iterable[tuple[str, str]]) -> Sheet:
    """Read a file; `columns` are the mapping's keys that name a column. Raises SheetError."""
    try:
        with path.open(encoding=file.encoding, newline="") as text:
            return _read(path, csv.reader(text, delimiter=file.delimiter, quotechar=file.quote, strict=True), columns)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}; give the path of a CSV file"
        raise SheetError(message) from error
    except LookupError as error:
        message = f"file.encoding: {error}; use a name such as utf-8 or cp1252"
        raise SheetError(message) from error
    except UnicodeError as error:
        message = f"{path} is not {file.encoding}: {error}; set file.encoding in the mapping"
        raise SheetError(message) from error
    except csv.Error as error:
        message = f"{path} is not CSV: {error}; check file.delimiter and file.quote in the mapping"
        raise SheetError(message) from error


def _read(path: Path, lines: Iterator[list[str]], columns: Iterable[tuple[str, str]]) -> Sheet:
    header = [name.strip() for name in next(lines, [])]
    check_columns(str(path), header, columns)
    sheet = Sheet([], [])
    for number, cells in enumerate(lines, start=2):
        if number > ROWS_MAX + 1:
            message = f"{path} has more than {ROWS_MAX} rows; split it"
            raise SheetError(message)
        if len(cells) == len(header):
            sheet.rows.append(Row(number, dict(zip(header, cells, strict=True))))
        elif cells:
            problem = f"it has {len(cells)} cells, the header {len(header)}"
            sheet.refused.append(Refusal(path.name, number, "", problem, "check quotes and delimiters in this row"))
    return sheet


def check_columns(where: str, header: list[str], columns: Iterable[tuple[str, str]]) -> None:
    """Refuse a header that lacks a column the mapping names, or has it more than once."""
    problems = []
    for key, name in columns:
        times = header.count(name)
        if times > 1:
            problems.append(
                f"{key} names the column {shortened(name)!r}, which {where} has {times} times; rename all but one"
            )
        elif times == 0:
            near = difflib.get_close_matches(name, header, n=1)
            there = shortened(", ".join(map(repr, header)))
            meant = f"did you mean {near[0]!r}?" if near else f"it has {there or 'no header'}"
            problems.append(f"{key} names the column {shortened(name)!r}, which {where} does not have; {meant}")
    if problems:
        raise SheetError("\n".join(problems))
