"""Assignments in; forecasts of hours, labour cost and utilisation out, and rates for the entries that name them."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import assignment, cloudevents
from ..codecs.decimals import parse_rate
from ..codecs.errors import UndecodableError
from ..codecs.records import AssignmentState
from ..tables.keys import SEPARATOR
from .keys import check_key, record_key
from .planning import settle_assignment, withdraw_assignment
from .rerating import rerate_assigned
from .rules.expectation import planned_hours
from .shell import run
from .trail import About
from .waiting import settle_waiting
from .work import Outcome, Record, Slab, Work


async def assignments(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of every assignment of the agent's partitions."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of an assignment."""
    cloudevents.check_type(record.headers, assignment.TYPE)
    planned = assignment.decode(record.value)
    check_key(record, planned.engagement_id)
    if SEPARATOR in planned.resource_id:
        raise UndecodableError("invalid_field", "$.resource_id", "a unit separator (0x1F)", "send plain identifiers")
    planned_hours(planned)
    if planned.rate is not None:
        parse_rate(planned.rate, "$.rate")
    table = work.state.assignments
    key = record_key(table.tag, "assignment", planned.source, planned.engagement_id, planned.id)
    state = table.get(key)
    priced_anew = state is None or planned.rate != state.latest.rate
    if state is None:
        state = AssignmentState(planned)
    elif planned.revision <= state.latest.revision:
        return "duplicate" if planned.revision == state.latest.revision else "stale"
    else:
        if (planned.resource_id, planned.booking) != (state.latest.resource_id, state.latest.booking):
            withdraw_assignment(work, state)
        state.latest = planned
    work.trail.about = About("assignment", planned.source, planned.id, planned.revision, planned.engagement_id)
    waits = settle_assignment(work, key, state)
    settle_waiting(work, f"assignment:{planned.source}:{planned.id}")
    if priced_anew:
        rerate_assigned(work, planned.engagement_id, planned.id)
    return "held" if waits else "applied"
