"""What a change would move, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from ..whatif.reckoning import MEASURES, totals
from .engagement_table import NOTHING, grouped
from .output import Column, counted, write_table

if TYPE_CHECKING:
    from ..whatif.reckoning import Moved
    from ..whatif.trial import Trial

SHOWN_MAX: Final = 50
"""Engagements shown to people, those whose margin moves most; --json has them all."""
SHOWN: Final = ("billed", "unbilled", "held", "earned", "cost", "margin")
"""Measures in the table of engagements."""


def as_object(trial: Trial) -> dict[str, Any]:
    """Everything: the sums, then each engagement that something moves of, by id."""
    moved = sorted(trial.moved, key=lambda one: one.name)
    return {
        "tried_on": {"engagements": trial.engagements, "entries": trial.entries},
        "without_effect": [{"place": one.place, "object": one.name} for one in trial.without_effect],
        "totals": [{"engagements": one.engagements, **one.as_object()} for one in totals(moved)],
        "engagements": [{"engagement_id": one.name, **one.as_object()} for one in moved],
    }


def write_report(trial: Trial) -> None:
    """Print the sums of each currency, then what moves most."""
    tried = f"{counted(trial.engagements, 'engagement')} with {trial.entries} entries looked at, nothing written"
    if not trial.moved:
        click.echo(f"nothing would move: {tried}")
        return
    click.echo(f"{counted(len(trial.moved), 'engagement')} would move: {tried}")
    for total in totals(trial.moved):
        click.echo()
        _write_total(total)
    click.echo()
    _write_engagements(trial.moved)


def _write_total(total: Moved) -> None:
    rows = [
        [
            measure.replace("_", " "),
            grouped(total.text(total.before[measure])),
            grouped(total.text(total.after[measure])),
            signed(total.text(total.change(measure))),
        ]
        for measure in MEASURES
    ]
    before, after = total.held_before.total(), total.held_after.total()
    rows.append(["entries held", str(before), str(after), signed(str(after - before))])
    title = Column(f"{total.currency}, {counted(total.engagements, 'engagement')}")
    write_table([title, *(Column(text, right=True) for text in ("before", "after", "change"))], rows)
    for action, count in sorted(total.events.billing.items()):
        amount = grouped(total.text(total.events.amounts[action]))
        click.echo(f"billing: {counted(count, action)} of {amount} {total.currency} together")
    journals = total.events.journals
    click.echo(f"journals: {counted(journals['accruals'], 'accrual')}, {journals['revenue']} of revenue")


def _write_engagements(moved: list[Moved]) -> None:
    first = sorted(moved, key=lambda one: (-abs(one.change("margin") or 0), one.name))
    columns = [Column("engagement"), Column("")]
    columns += [Column(title, right=True) for title in (*SHOWN, "entries held", "billing events")]
    rows = [
        [one.name, one.currency or NOTHING]
        + [signed(one.text(one.change(measure))) for measure in SHOWN]
        + [f"{one.held_before.total()} > {one.held_after.total()}", str(one.events.billing.total())]
        for one in first[:SHOWN_MAX]
    ]
    write_table(columns, rows)
    if len(first) > SHOWN_MAX:
        click.echo(f"and {counted(len(first) - SHOWN_MAX, 'engagement')} more; --json has them all")


def signed(amount: str | None) -> str:
    """A difference with its sign: `+1,200.00`, `-3`; nothing is `0.00`, unknown is a dash."""
    text = grouped(amount)
    return text if amount is None or text.startswith("-") or not amount.strip("0.") else f"+{text}"
