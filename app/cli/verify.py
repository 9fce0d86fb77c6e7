"""`billtide verify`: the audit chain is whole, and tells of exactly the events on the topics."""

from __future__ import annotations

from typing import Final

import click

from ..audit.verification import verify as verified
from ..settings import load
from .connection import run
from .output import FindingError, counted, json_option, write_json, write_problems

NEXT: Final = (
    "see who may write to these topics, restore what was changed from a copy, and check it with "
    "`billtide replay --from topics`"
)
"""What to do about a chain that is broken."""


@click.command()
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Check the audit from its first record: every hash, every sequence, and every event it tells of.

    Finds one changed byte of the chain and says where; an event that is missing on billing, accruals, revenue or
    exceptions; and one there that the audit does not tell of. Finds a journal whose debits are not its credits, and
    an engagement whose work in progress is not what its figures say. Reads committed records, beside running workers.
    """
    settings = load()
    found = run(settings, verified(settings))
    problems = found.problems()
    if as_json:
        write_json(
            {
                "ok": not problems,
                "records": found.records,
                "rows": found.rows,
                "events": found.events,
                "problems": [{**problem.place._asdict(), "problem": problem.problem} for problem in problems],
            }
        )
        ctx.exit(1 if problems else 0)
    seen = (
        f"{counted(found.records, 'audit record')} with {counted(found.rows, 'row')}, {counted(found.events, 'event')}"
    )
    if problems:
        write_problems(problems)
        raise FindingError(f"{counted(len(problems), 'problem')} in {seen}; {NEXT}")
    click.echo(f"{seen}: the chain is whole and tells of each event once")
