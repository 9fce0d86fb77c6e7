"""`billtide holds`: what waits, for what, since when, and whether it still would if it were settled now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from ...tables.table import UnreadableStateError
from .. import holds as present
from ..audit.story import iso
from ..refusal import RefusedError
from ..settings import load
from .connection import run
from .engagement_table import NOTHING, explained, grouped
from .group import CommandGroup
from .output import Column, FindingError, counted, json_option, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from ..holds import Attempt, Held

ASKED: Final = (
    click.option("--engagement", default="", metavar="ID", help="Of this engagement: reads one partition."),
    click.option("--reason", default="", metavar="WORD", help="Held for this reason, such as rate_missing."),
)
TITLES: Final = (Column("id"), Column("engagement"), Column("reason"), Column("waits on"), Column("since"))


def asked(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose holds."""
    for option in reversed(ASKED):
        command = option(command)
    return command


@click.group(cls=CommandGroup)
def holds() -> None:
    """Show what waits. A hold ends by itself when what it waits for arrives; nothing here writes.

    An id is source:kind:id, as `billtide explain` takes it, or the last part of one.
    """


@holds.command("list")
@asked
@json_option
def list_(engagement: str, reason: str, as_json: bool) -> None:
    """List holds in the order of release of each engagement, and count them by reason."""
    found = _read(present.holds, present.Asked(frozenset(), engagement, reason))
    counts = dict(sorted(Counter(held.reason for held in found).items()))
    if as_json:
        write_json({"count": len(found), "reasons": counts, "holds": [_as_object(held) for held in found]})
        return
    if found:
        write_table([*TITLES, Column("amount", right=True), Column("")], [_row(held) for held in found])
        click.echo()
    click.echo(f"{counted(len(found), 'hold')}")
    if counts:
        rows = [[str(count), name, explained(name)] for name, count in counts.items()]
        write_table([Column("held", right=True), Column("reason"), Column("what it waits for")], rows)


@holds.command()
@click.argument("hold_id", metavar="ID")
@click.option("--engagement", default="", metavar="ID", help="Of this engagement: reads one partition.")
@json_option
def show(hold_id: str, engagement: str, as_json: bool) -> None:
    """Show what ID waits for and what to do. `billtide explain` has the whole way of an entry."""
    found = _some(_read(present.holds, present.Asked(frozenset({hold_id}), engagement)))
    if as_json:
        write_json({"holds": [_as_object(held) for held in found]})
        return
    for held in found:
        revision = f", revision {held.revision}" if held.revision else ""
        click.echo(click.style(held.id, bold=True) + f", engagement {held.engagement_id or NOTHING}{revision}")
        click.echo(f"{held.reason} since {iso(held.since)}, waits on {held.waits_on}: {explained(held.reason)}")
        click.echo(f"amount: {_amount(held)} {held.currency}".rstrip())


@holds.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@asked
@click.option("--all", "everything", is_flag=True, help="Every hold there is.")
@json_option
def retry(ids: tuple[str, ...], engagement: str, reason: str, everything: bool, as_json: bool) -> None:
    """Settle holds again in memory, with all that is on the topics now, and say what would become of them.

    Nothing is written: a worker lets a hold go by itself. What would go on here and does not go on in a while says
    that no worker runs, or that one lags: see `billtide worker` and its /metrics.
    """
    if everything == (bool(ids) or bool(engagement) or bool(reason)):
        raise click.UsageError("say which holds: by ID, --engagement, --reason, or --all")
    attempts = _some(_read(present.retry, present.Asked(frozenset(ids), engagement, reason)))
    if as_json:
        write_json({"holds": [_attempt(one) for one in attempts]})
        return
    for held, still, waits_on in attempts:
        outcome = f"still held: {still}, waits on {waits_on}; {explained(still)}" if still else "would go on"
        click.echo(f"{held.id}, engagement {held.engagement_id or NOTHING}: {outcome}")
    going = sum(not one.reason for one in attempts)
    click.echo(f"{counted(len(attempts), 'hold')} tried in memory, {going} would go on; nothing was written")


def _read(question: Callable[..., Coroutine[Any, Any, list[Any]]], asked_for: present.Asked) -> list[Any]:
    settings = load()
    try:
        return run(settings, question(settings, asked_for))
    except UnreadableStateError as error:
        raise RefusedError(str(error)) from error


def _some(found: list[Any]) -> list[Any]:
    if not found:
        message = "nothing waits by that name; `billtide holds list` has all that does, `billtide explain` its story"
        raise FindingError(message)
    return found


def _as_object(held: Held) -> dict[str, Any]:
    return held._asdict() | {"since": iso(held.since), "what": explained(held.reason)}


def _attempt(one: Attempt) -> dict[str, Any]:
    now = {"reason": one.reason, "waits_on": one.waits_on} if one.reason else None
    return _as_object(one.held) | {"would_go_on": now is None, "still": now}


def _row(held: Held) -> Sequence[str]:
    engagement = held.engagement_id or NOTHING
    return [held.id, engagement, held.reason, held.waits_on, iso(held.since), _amount(held), held.currency]


def _amount(held: Held) -> str:
    return grouped(held.amount)
