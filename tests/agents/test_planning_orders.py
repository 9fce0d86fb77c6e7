"""Assignments, terms and people in any order: the same plan, and holds that end once (M8, M9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import assignment, engagement, resource
from ..rules import sums
from ..rules.histories import History, chances, play

if TYPE_CHECKING:
    from random import Random

    from ..builders import Task

WEEKS = ["2026-11-23", "2026-11-30", "2026-12-07"]
PLAN = ("planned_time", "planned_cost", "planned_cost_missing")
revisions = st.fixed_dictionaries(
    {
        "resource_id": st.sampled_from(["R1", "R2"]),
        "status": st.sampled_from(["active", "active", "cancelled"]),
        "booking": st.sampled_from(["hard", "soft"]),
        "weeks": st.lists(
            st.builds(lambda week, hours: {"week": week, "hours": hours}, st.sampled_from(WEEKS), st.sampled_from(["0", "7.5", "20"])),
            unique_by=lambda planned: planned["week"],
            max_size=3,
        ),
    }
)  # fmt: skip


@st.composite
def plans(draw: st.DrawFn) -> History:
    """Revisions of two assignments, again and late, with terms and two people."""
    sent = [
        assignment(id=name, revision=at, **changes)
        for name in ("A1", "A2")
        for at, changes in enumerate(draw(st.lists(revisions, max_size=3)), start=1)
    ]
    order = draw(st.permutations(sent))
    people = [
        resource(id=name, cost_rates=[{"rate": rate, "currency": "EUR"}])
        for name, rate in (("R1", "50"), ("R2", "61.37"))
    ]
    return History(
        engagement(), {"assignments": [*order, *order[:1]], "engagements": [engagement()], "resources": people}
    )


def told(task: Task) -> dict[tuple[str, str, str], tuple[str, str, str | None]]:
    """What was foretold last of each assignment, person and week that plans something: hours, booking, cost."""
    latest = {(e["assignment_id"], e["resource_id"], e["week"]): e for e in task.out["assignment-forecasts"]}
    return {
        key: (event["hours"], event["booking"], event.get("expected_cost"))
        for key, event in latest.items()
        if event["hours"] != "0"
    }


@settings(max_examples=100)
@given(plans(), chances, chances)
def test_any_order_makes_the_same_plan(history: History, chance: Random, other: Random) -> None:
    """Planned hours and cost, and what forecasts say last, do not depend on the order in which streams meet."""
    one, two = play(history.interleaved(chance)), play(history.interleaved(other), restart_every=3)
    states = [task.state.engagements.get(task.state.engagements.key("E1")) for task in (one, two)]

    assert [getattr(states[0], name) for name in PLAN] == [getattr(states[1], name) for name in PLAN]
    assert told(one) == told(two)


@settings(max_examples=100)
@given(plans(), chances)
def test_the_plan_is_the_sum_of_the_forecasts(history: History, chance: Random) -> None:
    """With terms and people known, planned cost is what the latest forecasts add up to; holds have ended once."""
    task = play(history.interleaved(chance), lambda now, _: sums.holds_end_once(now))
    sums.ids_are_unique(task)
    state = task.state.engagements.get(task.state.engagements.key("E1"))

    assert state is not None
    assert state.planned_cost == sum(sums.minor(cost) for _, _, cost in told(task).values() if cost)
    assert (state.planned_cost_missing, task.state.holds.waited_on()) == (0, [])
