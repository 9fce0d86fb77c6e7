"""A small firm for what-if: entries under three contracts in two currencies, and its records as lines of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from billtide.app.audit.replay import given
from billtide.app.intake.admission import admit
from billtide.app.whatif.changes import Change, change
from billtide.app.whatif.shifts import shift_of
from billtide.app.whatif.trial import Trial
from billtide.tables.state import TaskState

from ...builders import (
    capped,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    rate_card,
    resource,
    time_entry,
    year,
)

if TYPE_CHECKING:
    from pathlib import Path

    from billtide.app.memory import Memory

PARTITIONS = 3
Row = tuple[str, dict[str, Any]]

FIRM: tuple[Row, ...] = (
    ("rate-cards", rate_card()),
    ("resources", resource()),
    ("resources", resource(id="R2", cost_rates=[{"rate": "60", "currency": "USD"}])),
    ("fx-rates", fx_rate()),
    ("periods", year()),
    ("engagements", engagement()),
    ("engagements", capped("1000", id="E2")),
    ("engagements", fixed_fee(id="E3")),
    ("engagements", engagement(id="E4", currency="USD", rates=[{"rate": "200"}])),
    ("time-entries", time_entry(status="approved")),
    ("time-entries", time_entry(id="2", resource_id="R2", status="approved")),
    ("time-entries", time_entry(id="3")),
    ("expenses", expense(id="4", amount="200", currency="USD", status="approved")),
    ("time-entries", time_entry(id="5", engagement_id="E2", status="approved")),
    ("time-entries", time_entry(id="6", engagement_id="E2", status="approved")),
    ("time-entries", time_entry(id="7", engagement_id="E3", resource_id="R2", status="approved")),
    ("time-entries", time_entry(id="8", engagement_id="E4", resource_id="R2", status="approved")),
    ("time-entries", time_entry(id="9", engagement_id="E9", status="approved")),
)
"""E1 time and materials, E2 capped, E3 a fixed fee, E4 in dollars; E9 has no terms yet. R2 costs dollars."""


def tasks(*rows: Row) -> list[Memory]:
    """The firm's tasks when all of it, and then some more, has arrived."""
    return given(((stream, admit(stream, msgspec.json.encode(value))) for stream, value in (*FIRM, *rows)), PARTITIONS)


def changes(*rows: Row) -> list[Change]:
    """Changes as a file has them."""
    return [
        change(f"item {number}", stream, msgspec.json.encode(value))
        for number, (stream, value) in enumerate(rows, start=1)
    ]


def tried(
    *rows: Row, only: tuple[str, ...] = (), there: list[Memory] | None = None, shifts: tuple[str, ...] = ()
) -> Trial:
    """The changes, tried on the firm."""
    there = tasks() if there is None else there
    trial = Trial(changes(*rows), PARTITIONS, only, [shift_of(text) for text in shifts])
    words = trial.learn(there[0].reference)
    for task in there:
        trial.run(task, words)
    return trial


def restored(task: Memory) -> TaskState:
    """The state as the changelog would bring it back."""
    state = TaskState()
    for known, table in zip(task.state.tables, state.tables, strict=True):
        table.bytes.update(known.bytes)
    state.restored()
    return state


def lines(file: Path, *rows: Row) -> str:
    """Write records as `produce` takes them; returns the file's name."""
    file.write_text("".join(json.dumps({"stream": stream, "value": value}) + "\n" for stream, value in rows))
    return str(file)
