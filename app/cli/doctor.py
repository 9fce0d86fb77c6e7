"""`billtide doctor`: everything around the workers looked at, each finding with what mends it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from ..doctor.examination import examine
from ..settings import load
from .connection import run
from .output import Column, json_option, write_json, write_table

if TYPE_CHECKING:
    from ..doctor.examination import Told

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check brokers, topics, rights, clocks, disk, versions, lag, transactions, dead letters and holds.

    Each line is ok, warn or fail, with what mends it. Exit code 1 when one fails. No record is written, and workers are
    not disturbed; a transactional id of its own is registered to see whether that is allowed. It reads the whole
    changelog, which takes a few seconds for each million records.
    """
    settings = load()
    told = run(settings, examine(settings))
    counts = Counter(one.line.verdict for one in told)
    if as_json:
        write_json({"ok": not counts["fail"], "checks": [{"check": one.check, **one.line._asdict()} for one in told]})
    else:
        _write(told)
        click.echo(f"{counts['fail']} fail, {counts['warn']} warn, {counts['ok']} ok")
    ctx.exit(1 if counts["fail"] else 0)


def _write(told: list[Told]) -> None:
    rows = [(one.line.verdict, one.check, one.line.found) for one in told]
    write_table([Column(""), Column("check"), Column("found")], rows)
    mends = dict.fromkeys((one.line.verdict, one.line.found, one.line.mend) for one in told if one.line.mend)
    for verdict, found, mend in mends:
        click.echo(f"\n{click.style(verdict, fg=COLOURS[verdict])}: {found}\n  {mend}")
    click.echo()
