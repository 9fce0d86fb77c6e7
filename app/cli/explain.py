"""`billtide explain`: how one entry came to what stands of it now."""

from __future__ import annotations

import click

from ..audit.explanation import explain as read
from ..settings import load
from .connection import run
from .explain_text import as_object, lines
from .output import FindingError, json_option, write_json


@click.command()
@click.argument("entry", metavar="ENTRY")
@click.option("--engagement", "engagement_id", default="", metavar="ID", help="Its engagement: reads one partition.")
@json_option
def explain(entry: str, engagement_id: str, as_json: bool) -> None:
    """Tell the whole way of ENTRY: source:kind:id such as psa:time:4711, or an id that only one entry has.

    Shows each record about it with its place and revision, decisions, holds and releases, each event with its
    trace and journal lines, reversals, and what stands now. Reads the audit and the topics; needs no worker.
    """
    settings = load()
    story = run(settings, read(settings, entry, engagement_id))
    if not story.steps:
        message = (
            f"the audit does not tell of entry {entry!r}; check the id and the engagement, see that a worker runs "
            "(`billtide worker`), and look for the record on `dead-letters`"
        )
        raise FindingError(message)
    if as_json:
        write_json(as_object(story))
    else:
        for line in lines(story):
            click.echo(line)
