"""`billtide replay`: the same records through the same rules once more, and whether the same events come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from ..audit import replay as again
from ..audit.verification import EVENTS
from ..refusal import RefusedError
from ..settings import load
from .connection import run
from .output import FindingError, counted, json_option, write_json, write_problems
from .produce import Problem, admitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...agents.outbox import OutputRecord
    from ..audit.replay import Difference
    from ..memory import Memory

TOPICS: Final = "topics"
NEXT: Final = (
    "`billtide verify` tells whether somebody changed the topics; inputs that are gone, and old reference data, were "
    "removed by retention or compaction; another version than the workers' may decide otherwise"
)
"""What may stand behind a difference."""


@click.command()
@click.option(
    "--from", "sources", multiple=True, required=True, metavar="FILE|topics", help="JSON lines files, or the topics."
)
@click.option("--print", "printed", is_flag=True, help="Print the events of the files and compare nothing; no broker.")
@json_option
@click.pass_context
def replay(ctx: click.Context, sources: tuple[str, ...], printed: bool, as_json: bool) -> None:
    """Run the rules in memory on what was sent, and compare every event with the output topics, byte by byte.

    From `topics` the audit gives the order of the records and the reference data known at each. Compaction may have
    removed old reference data, and retention old records: what was decided by them then differs. A file, as `produce`
    takes it, has no order but that of its lines.
    """
    if TOPICS in sources and (len(sources) > 1 or printed):
        raise click.UsageError("--from topics stands alone, without files and without --print")
    settings = load()
    if TOPICS in sources:
        events, differences = run(settings, again.from_topics(settings))
    else:
        tasks = again.given(records_of(sources), settings.partitions)
        if printed:
            _print(tasks)
            return
        events = sum(len(task.left[stream]) for task in tasks for stream in EVENTS)
        differences = run(settings, again.with_topics(settings, tasks))
    _tell(ctx, events, differences, as_json=as_json)


def _tell(ctx: click.Context, events: int, differences: list[Difference], *, as_json: bool) -> None:
    if as_json:
        found = [difference._asdict() for difference in differences]
        write_json({"ok": not differences, "events": events, "differences": found})
        ctx.exit(1 if differences else 0)
    if differences:
        write_problems(differences)
        told = f"{counted(len(differences), 'difference')} between {counted(events, 'event')} and the topics"
        raise FindingError(f"{told}; {NEXT}")
    click.echo(f"{counted(events, 'event')} came out again as they are on the topics")


def records_of(sources: Iterable[str]) -> Iterator[tuple[str, OutputRecord]]:
    """Records of the files in their order. Raises RefusedError at the first line that cannot be sent."""
    for source in sources:
        try:
            file = Path(source).open("rb")  # noqa: SIM115 - closed below; only opening it may fail here
        except OSError as error:
            message = f"{source} cannot be read: {error.strerror}; name a JSON lines file, or `topics`"
            raise RefusedError(message) from error
        with file:
            for one in admitted(file):
                if isinstance(one, Problem):
                    raise RefusedError(str(one))
                yield one


def _print(tasks: Iterable[Memory]) -> None:
    """Each event as a line, as `produce` takes lines: task by task, stream by stream."""
    for task in tasks:
        for stream in EVENTS:
            for record in task.left[stream]:
                click.echo(msgspec.json.encode({"stream": stream, "value": msgspec.Raw(record.value or b"")}))
