"""What commands print: one JSON object, or a plain table that lines up; findings as exit code 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP: Final = "  "
SHOWN_MAX: Final = 50
"""Problems listed for people; --json lists them all."""

json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class FindingError(click.ClickException):
    """Something was found that somebody has to look at. The command line prints it and exits with 1."""

    exit_code = 1


class Column(NamedTuple):
    """A column of a table: its title, and whether its cells stand to the right (numbers)."""

    title: str
    right: bool = False


def write_json(value: dict[str, Any]) -> None:
    """Print one JSON object; keys in the order given, which is the same each time."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def write_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their titles; never wraps, so that lines can be cut and searched."""
    cells = [[column.title for column in columns], *[list(row) for row in rows]]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for number, line in enumerate(cells):
        parts = [
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        ]
        click.echo(click.style(GAP.join(parts).rstrip(), bold=number == 0))


def write_problems(problems: Sequence[object]) -> None:
    """Print problems to stderr, as many as a person reads."""
    for problem in problems[:SHOWN_MAX]:
        click.echo(f"  {problem}", err=True)
    if len(problems) > SHOWN_MAX:
        click.echo(f"  and {len(problems) - SHOWN_MAX} more; --json lists them all", err=True)


def counted(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
