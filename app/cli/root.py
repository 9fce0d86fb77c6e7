"""The command group: what commands there are, loaded one by one so that each starts fast."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
from typing import Final

import click

from .group import CommandGroup

COMMANDS: Final = {
    "demo": ("local", "Bill a sample week on a broker of its own and show the result."),
    "up": ("local", "Start a broker, the topics and workers, and leave them running."),
    "down": ("local", "Stop what `billtide up` started."),
    "worker": ("worker", "Run a worker until SIGTERM or SIGINT."),
    "doctor": ("doctor", "Check everything around the workers; say what mends it."),
    "topics": ("topics", "Show, create or check the topics."),
    "produce": ("produce", "Send events from a JSON lines file, checked first."),
    "intake": ("intake", "Send a time sheet of any form, by a mapping file."),
    "engagement": ("engagement", "Show the figures of an engagement."),
    "explain": ("explain", "Tell how an entry came to what stands of it."),
    "dead-letters": ("dead_letters", "Find, correct and re-drive what could not be decoded."),
    "holds": ("holds", "Show what waits, for what, since when; try it again in memory."),
    "verify": ("verify", "Check the audit's chain, and that it tells of every event."),
    "replay": ("replay", "Run the rules again in memory and compare every event."),
    "what-if": ("what_if", "Show what other rates, costs or terms would move; write nothing."),
    "schema": ("schema", "Write or check the schemas of all events."),
    "settings": ("settings", "Show every setting, its value and its meaning."),
}
"""Name: module of this package that has it, and one line on what it does."""

EPILOG: Final = """\b
Exit codes:
  0  done, nothing to report
  1  done, and something was found: a topic that differs, rows left out, an unknown engagement
  2  refused before anything was changed: wrong arguments, settings or input

Settings come from BILLTIDE_* variables; `billtide settings` shows them all. Results go to stdout, everything else
to stderr. Commands that read take --json and print one JSON object."""


class CommandsByName(CommandGroup):
    """A group that knows its commands' names and texts without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__package__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Print the versions that matter in a bug report, and end."""
    if not value or ctx.resilient_parsing:
        return
    ours, faust, client = (importlib.metadata.version(name) for name in ("billtide", "faust-streaming", "aiokafka"))
    click.echo(f"billtide {ours} (faust-streaming {faust}, aiokafka {client}, Python {platform.python_version()})")
    ctx.exit()


@click.group(cls=CommandsByName, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show versions."
)
def main() -> None:
    """Turn consultants' time and expenses into billing, accrual and revenue events, exactly once, on Kafka."""
