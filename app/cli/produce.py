"""`billtide produce`: events from JSON lines, every line checked before the first is sent."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final, NamedTuple

import click
import msgspec

from ...codecs.errors import UndecodableError
from ..intake.admission import admit
from ..refusal import RefusedError
from ..settings import load
from . import sending
from .output import counted, json_option, write_json, write_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...agents.outbox import OutputRecord

LINES_MAX: Final = 1_000_000
"""Lines of one file; all are checked before the first is sent, so they are in memory."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event of the file: where it goes, and its value as it stands."""

    stream: str
    value: msgspec.Raw


class Problem(NamedTuple):
    """A line that cannot be sent. field is empty when the whole line is meant."""

    file: str
    line: int
    field: str
    problem: str
    fix: str

    def __str__(self) -> str:
        """One line for people."""
        field = f", {self.field}" if self.field else ""
        return f"{self.file} line {self.line}{field}: {self.problem}; {self.fix}"


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Check every line and send nothing.")
@json_option
@click.pass_context
def produce(ctx: click.Context, file: IO[bytes], dry_run: bool, as_json: bool) -> None:
    """Send the events of FILE, or of stdin when FILE is -.

    Each line is {"stream": "time-entries", "value": {...}}. Key and headers are made from the value. Nothing is
    sent unless every line passes the checks of the agent that will read it. Sending a file again is safe: the same
    revision of the same object counts once.
    """
    settings = load()
    by_stream, problems, lines = _read(file)
    if problems:
        if as_json:
            write_json(_result(lines, {}, problems, dry_run=dry_run))
            ctx.exit(RefusedError.exit_code)
        write_problems(problems)
        raise RefusedError(
            f"{counted(len(problems), 'line')} of {lines} refused, nothing was sent; correct and run it again"
        )
    if dry_run:
        sending.check_sizes(settings, by_stream)
    sent = sending.counts(by_stream) if dry_run else sending.send(settings, by_stream)
    if as_json:
        write_json(_result(lines, sent, [], dry_run=dry_run))
    else:
        click.echo(sending.sentence(sent, dry=dry_run))


def _read(file: IO[bytes]) -> tuple[dict[str, list[OutputRecord]], list[Problem], int]:
    """Records by stream, problems, and how many lines hold something."""
    by_stream: dict[str, list[OutputRecord]] = {}
    problems: list[Problem] = []
    lines = 0
    for one in admitted(file):
        lines += 1
        if isinstance(one, Problem):
            problems.append(one)
        else:
            stream, record = one
            by_stream.setdefault(stream, []).append(record)
    return by_stream, problems, lines


def admitted(file: IO[bytes]) -> Iterator[tuple[str, OutputRecord] | Problem]:
    """Stream and record of each line that holds something, or what is wrong with it. Raises RefusedError."""
    decode = msgspec.json.Decoder(Line).decode
    given = str(getattr(file, "name", "-"))
    name = "stdin" if given in {"-", "<stdin>"} else given
    for number, text in enumerate(file, start=1):
        if number > LINES_MAX:
            message = f"{name} has more than {LINES_MAX} lines; split it"
            raise RefusedError(message)
        if not text.strip():
            continue
        try:
            line = decode(text)
            yield line.stream, admit(line.stream, bytes(line.value))
        except UndecodableError as error:
            yield Problem(name, number, error.field, error.problem, error.fix)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            fix = 'write one object a line, like {"stream": "time-entries", "value": {...}}'
            yield Problem(name, number, "", str(error), fix)


def _result(lines: int, sent: dict[str, int], problems: list[Problem], *, dry_run: bool) -> dict[str, object]:
    return {
        "lines": lines,
        "dry_run": dry_run,
        "sent": {} if dry_run else sent,
        "checked": sent,
        "refused": [problem._asdict() for problem in problems],
    }
