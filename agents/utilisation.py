"""Forecasts in, keyed by person; each person's planned week over all engagements out."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterable, Iterator

from ..codecs import forecast
from ..codecs.durations import HOUR, parse_duration
from ..codecs.entry_state import Hold
from ..codecs.records import Share, WeekState
from ..tables.keys import SEPARATOR
from ..tables.state import TaskState
from .rules.expectation import utilisation as utilisation_of
from .shell import run
from .steps import in_order
from .work import Outcome, Record, Slab, Work


async def utilisation(slabs: AsyncIterable[Slab]) -> None:
    """Add up what all assignments plan for the people of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one assignment's share of one person's week."""
    planned = forecast.decode_forecast(record.value)
    time = parse_duration(planned.hours, "hour", HOUR, "$.hours")
    table = work.state.weeks
    key = table.key(f"week{SEPARATOR}{planned.resource_id}{SEPARATOR}{planned.week}")
    state = table.get(key) or WeekState({})
    name = f"{planned.assignment_source}:{planned.assignment_id}"
    known = state.shares.get(name)
    if known is not None and known.revision > planned.revision:
        return "stale"
    share = Share(planned.revision, time, planned.booking == "hard")
    if known == share:
        return "duplicate"
    state.shares[name] = share
    tell_week(work, key, state)
    return "applied"


def tell_week(work: Work, key: bytes, state: WeekState) -> None:
    """Tell a person's week as it stands; without a known capacity it is told again once the person is known."""
    resource_id, week = _named(key)
    resource = work.reference.resources.get(resource_id)
    holds, hold_key = work.state.holds, b"h" + key[1:]
    if resource is None:
        holds.put(hold_key, Hold(0, "resource_unknown", "", f"resource:{resource_id}"))
    elif holds.get(hold_key) is not None:
        holds.delete(hold_key)
    state.capacity = None if resource is None else resource.weekly_capacity
    work.state.weeks.put(key, state)
    work.effects.utilisation.append(utilisation_of(resource_id, dt.date.fromisoformat(week), state))


def retell_week(work: Work, key: bytes) -> None:
    """Tell a person's week again if it was told with another capacity than the person has now."""
    state = work.state.weeks.get(key)
    resource = work.reference.resources.get(_named(key)[0])
    if state is not None and resource is not None and state.capacity != resource.weekly_capacity:
        tell_week(work, key, state)


def weeks_of(state: TaskState, changed: set[str] | None) -> Iterator[list[bytes]]:
    """Keys of committed weeks of the people that a change of reference data names, of all for None; in short steps."""
    told = state.weeks.bytes
    people = None if changed is None else {word.partition(":")[2] for word in changed if word.startswith("resource:")}
    if people is not None and not people:
        return iter(())
    return in_order(list(told), None if people is None else lambda key: _named(key)[0] in people)


def _named(key: bytes) -> tuple[str, str]:
    """Person and Monday of a week."""
    _, resource_id, week = key.decode().split(SEPARATOR)
    return resource_id, week
