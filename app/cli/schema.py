"""`billtide schema`: the schema files of every event, written or compared with the code."""

from __future__ import annotations

from pathlib import Path

import click

from ..schema import documents, first_difference, write
from .output import FindingError, counted, json_option, write_json


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("schema"),
    show_default=True,
    help="Directory.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 at the first difference.")
@json_option
@click.pass_context
def schema(ctx: click.Context, out: Path, check: bool, as_json: bool) -> None:
    """Write a JSON Schema of every event and an AsyncAPI document of every topic."""
    if check:
        difference = first_difference(out)
        if as_json:
            write_json({"ok": difference is None, "difference": difference})
            ctx.exit(0 if difference is None else FindingError.exit_code)
        if difference is not None:
            raise FindingError(difference)
        click.echo(f"{counted(len(documents()), 'file')} in {out} agree with the code")
        return
    changed = write(out)
    if as_json:
        write_json({"out": str(out), "changed": changed})
    else:
        click.echo("\n".join(f"changed {out / name}" for name in changed) or f"{out} is up to date")
