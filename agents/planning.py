"""An assignment's forecast: told by week, taken back where it no longer holds, costed as soon as it can be."""

from __future__ import annotations

from ..codecs.entry_state import Hold
from ..codecs.exception import ExceptionEvent
from ..codecs.records import AssignmentState, EngagementState, PlannedCost
from .rules.expectation import expect, forecast, planned_hours
from .rules.valuation import Missing
from .work import Work


def settle_assignment(work: Work, key: bytes, state: AssignmentState) -> bool:
    """Foretell an assignment with all that is known now, keep it, and say whether its cost waits."""
    assignment = state.latest
    engagement = work.engagement(assignment.engagement_id)
    contract = work.contexts.contract(engagement, work.reference)
    missing: Missing | None
    if contract is None:
        planned = tuple(PlannedCost(week, time, None, "") for week, time in planned_hours(assignment).items())
        unknown = Missing(
            "engagement_unknown",
            f"engagement:{engagement.id}",
            f"engagement {engagement.id} is unknown; send it with its contract terms",
        )
        missing = unknown if planned else None
    else:
        planned, missing = expect(assignment, contract, work.lookups)
    _tell_changes(work, engagement, state, planned)
    work.state.assignments.put(key, state)
    _hold(work, b"h" + key[1:], state, missing)
    return missing is not None


def withdraw_assignment(work: Work, state: AssignmentState) -> None:
    """Take back everything an assignment foretold, before it names another person."""
    _tell_changes(work, work.engagement(state.latest.engagement_id), state, ())


def _tell_changes(
    work: Work, engagement: EngagementState, state: AssignmentState, planned: tuple[PlannedCost, ...]
) -> None:
    before = {week.week: week for week in state.planned}
    after = {week.week: week for week in planned}
    for week in sorted(before.keys() | after.keys()):
        old, new = before.get(week), after.get(week)
        if old == new and new is not None:
            continue
        _count(engagement, old, -1)
        _count(engagement, new, 1)
        work.effects.forecasts.append(forecast(state.latest, new, week))
    state.planned = planned


def _count(engagement: EngagementState, planned: PlannedCost | None, sign: int) -> None:
    if planned is None:
        return
    engagement.planned_time += sign * planned.time
    if planned.cost is None:
        engagement.planned_cost_missing += sign
    else:
        engagement.planned_cost += sign * planned.cost


def _hold(work: Work, key: bytes, state: AssignmentState, missing: Missing | None) -> None:
    holds = work.state.holds
    known = holds.get(key)
    if missing is None:
        if known is not None:
            holds.delete(key)
            _tell(
                work,
                state,
                "released",
                Missing(known.reason, known.waits_on, f"what it waited for has arrived: {known.waits_on}"),
            )
    elif known is None or (known.reason, known.waits_on) != (missing.reason, missing.waits_on):
        engagement = work.engagement(state.latest.engagement_id)
        engagement.hold_sequence += 1
        holds.put(key, Hold(engagement.hold_sequence, missing.reason, engagement.id, missing.waits_on))
        _tell(work, state, "held", missing)


def _tell(work: Work, state: AssignmentState, action: str, missing: Missing) -> None:
    assignment = state.latest
    sequence = work.engagement(assignment.engagement_id).hold_sequence
    work.effects.exceptions.append(
        ExceptionEvent(
            id=f"{assignment.source}:assignment:{assignment.id}:{assignment.revision}:{action}:{sequence}",
            action="held" if action == "held" else "released",
            reason=missing.reason,
            kind="assignment",
            source=assignment.source,
            entry_id=assignment.id,
            revision=assignment.revision,
            engagement_id=assignment.engagement_id,
            waits_on=missing.waits_on,
            message=missing.message,
        )
    )
