"""`billtide intake csv`: a time sheet of any form into billtide's streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..intake.plan import plan
from ..refusal import RefusedError
from ..settings import load
from . import sending
from .group import CommandGroup
from .output import counted, json_option, write_json, write_problems

if TYPE_CHECKING:
    from ..intake.plan import Plan


@click.group(cls=CommandGroup)
def intake() -> None:
    """Send a time sheet of any form, by a mapping file."""


@intake.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "mapping", required=True, type=click.Path(path_type=Path), help="What the columns mean (TOML).")
@click.option("--terms", type=click.Path(path_type=Path), help="CSV with an engagement's terms in each row.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, send nothing.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that are refused, list them, and send the others.")
@json_option
@click.pass_context
def csv(
    ctx: click.Context, file: Path, mapping: Path, terms: Path | None, dry_run: bool, skip_bad: bool, as_json: bool
) -> None:
    """Send the rows of the CSV FILE as time entries, with what they need around them.

    Sends reference data and engagements first. Nothing is sent if a row is refused, unless --skip-bad. Ids do not
    change from run to run, so sending a file again is safe: rows already known count as duplicates. The mapping
    examples/bookkeeping.toml shows the keys.
    """
    settings = load()
    found = plan(mapping, file, terms)
    refused = bool(found.refused)
    stopped = refused and not skip_bad
    if dry_run:
        sending.check_sizes(settings, found.records)
    sent = {} if dry_run or stopped else sending.send(settings, found.records)
    if as_json:
        write_json(_result(found, sent, dry_run=dry_run))
    else:
        _tell(found, sent, stopped=stopped, dry_run=dry_run)
    if stopped and not as_json:
        rows = counted(len(found.refused), "row")
        message = f"{rows} refused, nothing was sent; correct them, or leave them out with --skip-bad"
        raise RefusedError(message)
    ctx.exit(RefusedError.exit_code if stopped else 1 if refused else 0)


def _tell(found: Plan, sent: dict[str, int], *, stopped: bool, dry_run: bool) -> None:
    """Counts, and the rows that were refused."""
    terms_rows = f" and {counted(found.terms_rows, 'row')} of terms" if found.terms_rows else ""
    click.echo(f"{counted(found.rows, 'row')}{terms_rows} read, {len(found.refused)} refused")
    if not stopped:
        click.echo(sending.sentence(sending.counts(found.records) if dry_run else sent, dry=dry_run))
        write_problems([f"warning: {warning}" for warning in found.warnings])
    write_problems(found.refused)


def _result(found: Plan, sent: dict[str, int], *, dry_run: bool) -> dict[str, object]:
    return {
        "rows": found.rows,
        "terms_rows": found.terms_rows,
        "dry_run": dry_run,
        "sent": sent,
        "checked": sending.counts(found.records),
        "refused": [refusal._asdict() for refusal in found.refused],
        "warnings": found.warnings,
    }
