"""`billtide what-if`: what a change of rates, costs, exchange rates or terms would move, without moving it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from ...tables.table import UnreadableStateError
from ..audit.replay import given
from ..refusal import RefusedError
from ..settings import load
from ..whatif import present
from ..whatif.changes import Change, changes_of
from ..whatif.shifts import shift_of
from ..whatif.trial import Trial
from .connection import run
from .output import FindingError, counted, json_option, write_json, write_problems
from .replay import TOPICS, records_of
from .what_if_text import as_object, write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import Settings

Files = tuple[IO[bytes], ...]


def _files(option: str, name: str, about: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that may be given several times, each with a file of objects as their topic carries them."""
    return click.option(option, name, type=click.File("rb"), multiple=True, metavar="FILE", help=about)


@click.command("what-if")
@_files("--rate-card", "rate_cards", "Rate cards, in new versions.")
@_files("--engagement", "engagements", "Terms of engagements: rates, cap, fee, policies.")
@_files("--fx", "fx_rates", "Exchange rates.")
@click.option(
    "--fx-shift",
    "shifts",
    multiple=True,
    metavar="BASE/QUOTE=PERCENT",
    help="Every known exchange rate of a pair and of --fx, by so much more or less: USD/EUR=-5.",
)
@_files("--cost", "resources", "People with other cost rates.")
@click.option("--engagement-id", "only", multiple=True, metavar="ID", help="Look at this engagement alone; repeat it.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    default=(TOPICS,),
    metavar="FILE|topics",
    help="What the change meets: the tasks' state (topics), or JSON lines as `replay` takes them; no broker.",
)
@json_option
def what_if(
    shifts: tuple[str, ...],
    only: tuple[str, ...],
    sources: tuple[str, ...],
    as_json: bool,
    **files: Files,
) -> None:
    """Show what a change would move, engagement by engagement and in sum, and write nothing.

    FILE holds objects as their topic carries them: one, an array, or one a line; - is stdin. All changes given are
    tried together, by the rules of the workers, on what is there now: what is posted already is priced anew. Workers
    may run meanwhile. An object counts if its revision, or its version, is higher than the known one.
    """
    if TOPICS in sources and len(sources) > 1:
        raise click.UsageError("--from topics stands alone, without files")
    settings = load()
    changes = _changes(files)
    if not changes and not shifts:
        raise click.UsageError("name a change: --rate-card, --engagement, --fx, --fx-shift or --cost")
    trial = Trial(changes, settings.partitions, only, [shift_of(text) for text in shifts])
    try:
        if TOPICS in sources:
            run(settings, _on_topics(settings, trial))
        else:
            _on_files(settings, trial, sources)
    except UnreadableStateError as error:
        raise RefusedError(str(error)) from error
    _check(trial)
    if as_json:
        write_json(as_object(trial))
    else:
        write_report(trial)


def _changes(files: dict[str, Files]) -> list[Change]:
    """All objects of all files, by the parameter of their stream; raises RefusedError with all that is wrong."""
    named = [(name.replace("_", "-"), file) for name, those in files.items() for file in those]
    found = [one for stream, file in named for one in changes_of(stream, file)]
    problems = [one for one in found if not isinstance(one, Change)]
    if problems:
        write_problems(problems)
        raise RefusedError(f"{counted(len(problems), 'object')} of {len(found)} refused, nothing was tried")
    return [one for one in found if isinstance(one, Change)]


async def _on_topics(settings: Settings, trial: Trial) -> None:
    async for task in present.tasks(settings, trial.partitions):
        trial.run(task, trial.learn(task.reference))


def _on_files(settings: Settings, trial: Trial, sources: tuple[str, ...]) -> None:
    tasks = given(records_of(sources), settings.partitions)
    words = trial.learn(tasks[0].reference)  # all tasks of a file share it
    for task in tasks:
        trial.run(task, words)


def _check(trial: Trial) -> None:
    """Refuse an answer to another question: an engagement nobody knows, a change that is none."""
    missing = sorted(trial.only - trial.found)
    if missing:
        raise FindingError(f"there is no engagement {', '.join(missing)}; check the id")
    idle = [f"{one.place}: {one.name} is known in this or a later revision or version" for one in trial.without_effect]
    if idle:
        click.echo(f"{counted(len(idle), 'object')} changes nothing; raise the revision or version:", err=True)
        write_problems(idle)
    if idle and len(idle) == trial.tried:
        raise RefusedError("no object changes anything, nothing was tried")
