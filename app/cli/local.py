"""`billtide demo`, `up` and `down`: everything on this machine, with a broker of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from ..broker import BrokerUnavailable
from ..demo.run import demo as run_demo
from ..demo.run import down as run_down
from ..refusal import RefusedError
from ..settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

SEED: Final = 7
"""Sample data of `demo` and `up` unless told otherwise: the same each time."""

seed_option: Final = click.option(
    "--seed", default=SEED, show_default=True, help="Choose the sample data; one seed gives one result."
)


def _code_of(work: Callable[[], int]) -> int:
    """Exit code of a run; no broker is a refusal."""
    try:
        return work()
    except BrokerUnavailable as error:
        raise RefusedError(str(error)) from error


@click.command()
@seed_option
@click.pass_context
def demo(ctx: click.Context, seed: int) -> None:
    """Bill a sample week on a broker of its own, show the result and stop everything again."""
    settings = load()
    ctx.exit(_code_of(lambda: run_demo(settings, stay=False, seed=seed)))


@click.command()
@seed_option
@click.pass_context
def up(ctx: click.Context, seed: int) -> None:
    """Start a broker, the topics and workers, bill the sample week, and leave them running until `billtide down`."""
    settings = load()
    ctx.exit(_code_of(lambda: run_demo(settings, stay=True, seed=seed)))


@click.command()
@click.pass_context
def down(ctx: click.Context) -> None:
    """Stop what `billtide up` started."""
    settings = load()
    ctx.exit(_code_of(lambda: run_down(settings)))
