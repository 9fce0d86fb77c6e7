"""One entry's story: as a JSON object, and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from .engagement_table import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..audit.story import Found, Standing, Step, Story

SHOWN_BEFORE: Final = frozenset(
    ("source", "id", "entry_id", "entry_type", "revision", "entry_revision", "engagement_id")
)
"""Fields of an input that the line above it says already."""
FIGURES: Final = {"billed": "billed", "work_in_progress": "work in progress", "cost": "cost", "revenue": "revenue"}


def as_object(story: Story) -> dict[str, Any]:
    """All of a story, in the order in which it came about."""
    return {
        "entry": story.entry._asdict(),
        "engagements": story.engagements(),
        "steps": [_step(story, step) for step in story.steps],
        "now": story.standing()._asdict(),
    }


def lines(story: Story) -> Iterator[str]:
    """The same for people."""
    yield click.style(f"Entry {story.entry}", bold=True) + f", engagement {', '.join(story.engagements()) or 'unknown'}"
    for step in story.steps:
        yield ""
        yield f"{step.applied}  {_cause(story, step)}"
        given = _input(story, step)
        if given is not None:
            yield f"  {_said(given)}"
        for name, found in story.events_of(step):
            yield from _event(name, found)
    yield ""
    yield from _now(story.standing())


def _step(story: Story, step: Step) -> dict[str, Any]:
    row = step.row
    given = _input(story, step)
    return {
        "applied": step.applied,
        "audit": {"partition": step.partition, "sequence": step.sequence},
        "cause": {
            "stream": step.stream,
            "partition": step.partition,
            "offset": row.offset,
            "kind": row.kind,
            "source": row.source,
            "id": row.id,
            "revision": row.revision,
            "outcome": row.outcome,
        },
        "input": None if given is None else given._asdict(),
        "events": [
            {"id": name, "on_topic": found is not None} | ({} if found is None else found._asdict())
            for name, found in story.events_of(step)
        ],
    }


def _input(story: Story, step: Step) -> Found | None:
    """The step's input record, where it is about the entry."""
    return story.inputs.get((step.stream, step.partition, step.row.offset))


def _cause(story: Story, step: Step) -> str:
    """What brought a step about, and where it stands."""
    row = step.row
    if row.offset < 0:
        return f"woken by {step.stream} data{'' if row.events else ': nothing is posted yet of what has changed'}"
    place = f"{step.stream} partition {step.partition} offset {row.offset}"
    what = "" if story.entry.means(step.about) else f"{step.about}, "
    return f"{place}: {what}revision {row.revision}, {row.outcome}"


def _said(given: Found) -> str:
    """The fields of an input record, with the time it was sent."""
    if given.value is None:
        return f"sent {given.time}; the topic no longer keeps the record"
    fields = [f"{name} {value}" for name, value in given.value.items() if name not in SHOWN_BEFORE]
    return f"sent {given.time}: {', '.join(fields)}"


def _event(name: str, found: Found | None) -> Iterator[str]:
    """An event with its trace and journal lines."""
    if found is None or found.value is None:
        yield f"  {name}: on no topic; run `billtide verify`"
        return
    event = found.value
    head = f"  {found.stream} {name} (offset {found.offset}): "
    if found.stream == "exceptions":
        yield f"{head}{event['action']}, {event['reason']}: {event['message']}"
        return
    yield head + _posted(event)
    for step in event.get("trace", ()):
        yield f"      {step['step']} {step['value']}: {step['source']}"
    for line in event.get("lines", ()):
        yield f"      {line['side']:6} {line['account']} {line['amount']} {event['currency']}"


def _posted(event: dict[str, Any]) -> str:
    """What an event says in one line."""
    parts = [str(event.get("action", event.get("method", "")))]
    if "quantity" in event:
        fx = f" at {event['fx_rate']}" if "fx_rate" in event else ""
        whole = f", part of {event['part_of']}" if "part_of" in event else ""
        parts.append(f"{event['quantity']} {event['unit']} x {event['rate']}/{event['rate_unit']}{fx}{whole}")
        parts.append(f"rounded {event['rounding']}")
    if "amount" in event:
        parts.append(f"{event['amount']} {event['currency']}")
    parts.append(f"accounting date {event['accounting_date']}")
    if "reverses" in event:
        parts.append(f"reverses {event['reverses']}")
    return ", ".join(part for part in parts if part)


def _posting(told: dict[str, Any]) -> str:
    """How far the ERP is with a billing event, in one line."""
    currency, documents = told["currency"], ", ".join(told.get("documents", ()))
    sums = f"invoiced {told['invoiced']} {currency}, credited {told['credited']} {currency}"
    return f"{told['state'].replace('_', ' ')}, {sums}" + (f", on {documents}" if documents else "")


def _now(standing: Standing) -> Iterator[str]:
    """What stands now."""
    yield click.style("Now", bold=True)
    for figure, text in FIGURES.items():
        sums = [f"{amount} {currency}" for currency, amount in standing.sums.get(figure, {}).items()]
        yield f"  {text}: {', '.join(sums) or '-'}"
    yield f"  standing: {', '.join(standing.events) or '-'}"
    for name, told in standing.postings.items():
        yield f"  {name}: {_posting(told)}"
    hold = standing.hold
    waits = "no" if hold is None else f"{hold['reason']}, waits on {hold['waits_on']}: {explained(hold['reason'])}"
    yield f"  held: {waits}"
