"""`billtide worker`."""

from __future__ import annotations

import click

from ..settings import load
from ..worker import run


@click.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Run a worker until SIGTERM or SIGINT; it then finishes the records in hand and leaves the group.

    The topics must exist: `billtide topics create`. Logs are JSON lines on stderr; metrics and health are on
    BILLTIDE_TELEMETRY_PORT.
    """
    ctx.exit(run(load()))
