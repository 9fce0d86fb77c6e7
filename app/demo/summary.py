"""What the demonstration prints: a table by contract type and currency, then sentences, then one line of figures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table

from ...codecs.currencies import format_amount, parse_amount
from ...codecs.decimals import RATE_PLACES, format_scaled, parse_scaled
from ..settings import Settings
from .verdict import SHOWN_MAX, billed_by_currency, money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...codecs.figures import EngagementFigures
    from .outputs import Written
    from .reckoning import Reckoning
    from .verdict import Verdict
    from .workers import WorkerProcess

DEFAULT_BOOTSTRAP: Final = str(Settings.model_fields["kafka_bootstrap"].default)
"""Where commands look for a broker that are not told another place."""
PLAIN_WIDTH: Final = 190
"""Characters of a line when the output is no terminal."""
MONEY_COLUMNS: Final = ("billed", "fees", "unbilled", "held", "earned", "cost")
TITLES: Final = (
    "contract",
    "currency",
    "entries",
    "hours",
    "billed",
    "fees",
    "accrued",
    "over cap",
    "earned",
    "cost",
    "waiting",
)
HOURS_PLACES: Final = 1
_SHOWN: Final = 10 ** (RATE_PLACES - HOURS_PLACES)
_HOURS: Final = ("submitted_hours", "approved_hours", "non_billable_hours")


def console() -> Console:
    """Where everything is printed: coloured on a terminal, plain text elsewhere."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=PLAIN_WIDTH)


def print_summary(out: Console, written: Written) -> None:
    """Print the sums of the engagements, and what could not be read."""
    table = Table(*TITLES, box=box.SIMPLE_HEAD)
    for column in table.columns[2:-1]:
        column.justify = "right"
    groups: dict[tuple[str, str], list[EngagementFigures]] = {}
    for state in written.figures.values():
        groups.setdefault((state.contract_type or "terms unknown", state.currency or ""), []).append(state)
    for (contract, currency), states in sorted(groups.items()):
        table.add_row(contract.replace("_", " "), currency, *_row(currency, states))
    out.print(table)
    letters = ", ".join(f"{count} {reason}" for reason, count in sorted(written.dead_letters.items()))
    out.print(f"dead letters: {letters or 'none'}", highlight=False)


def _row(currency: str, states: list[EngagementFigures]) -> Iterable[str]:
    yield str(sum(state.entries for state in states))
    hours = sum(parse_scaled(getattr(state, name), RATE_PLACES, name) for state in states for name in _HOURS)
    yield format_scaled((hours + _SHOWN // 2) // _SHOWN, HOURS_PLACES)
    for name in MONEY_COLUMNS:
        amount = sum(parse_amount(getattr(state, name), currency, name) for state in states) if currency else 0
        yield format_amount(amount, currency) if amount else "-"
    waiting: Counter[str] = Counter()
    for state in states:
        waiting.update(state.held_entries)
    yield ", ".join(f"{count} {reason}" for reason, count in waiting.most_common()) or "-"


def print_pace(out: Console, sent: int, seconds: float, written: Written) -> None:
    """Print how long the records took, and how many events they became."""
    events = written.events.total()
    out.print(
        f"{sent} records in {seconds:.1f} s, {sent / seconds:.0f} a second with two workers and the broker on this "
        f"machine; {events} events on the output topics",
        highlight=False,
    )


def print_repeat(out: Console, before: dict[str, int], after: dict[str, int]) -> None:
    """Say what sending the same week again has changed."""
    new = {name: after[name] - before[name] for name in after}
    total = sum(new.values())
    again = new["duplicate"] + new["stale"]
    changed = new["applied"] + new["held"]
    if changed:
        out.print(f"{changed} of {total} records were new", highlight=False)
        return
    out.print(
        f"nothing changed: {again} of {total} records were duplicates ({new['stale']} of them older revisions), "
        f"{new['dead_lettered']} could still not be read",
        highlight=False,
    )


def print_endpoints(out: Console, settings: Settings, workers: Iterable[WorkerProcess]) -> None:
    """Say what runs and how to look at it."""
    out.print(f"broker: {settings.kafka_bootstrap}", highlight=False)
    for worker in workers:
        out.print(f"{worker.name}: http://{settings.telemetry_host}:{worker.port}/metrics", highlight=False)
    if settings.kafka_bootstrap != DEFAULT_BOOTSTRAP:
        out.print(f"first: export BILLTIDE_KAFKA_BOOTSTRAP={settings.kafka_bootstrap}", highlight=False)
    out.print("look: billtide engagement E-0052    stop: billtide down", highlight=False)


def print_verdict(out: Console, verdict: Verdict, reckoning: Reckoning, written: Written) -> None:
    """Print the problems, if any, and the one line that says how it went."""
    for problem in verdict.problems[:SHOWN_MAX]:
        out.print(problem, highlight=False, markup=False, soft_wrap=True)
    if len(verdict.problems) > SHOWN_MAX:
        out.print(f"... and {len(verdict.problems) - SHOWN_MAX} more", highlight=False)
    state = "ok" if verdict.ok else "FAILED"
    figures = (
        f"entries={reckoning.entries} billed={money(billed_by_currency(written))} lost={verdict.lost} "
        f"duplicated={verdict.duplicated} difference={money(verdict.difference)}"
    )
    out.print(f"demo: {state} {figures}", highlight=False, markup=False, soft_wrap=True)
