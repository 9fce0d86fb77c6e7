"""From assignments to forecasts to utilisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..builders import (
    Object,
    Task,
    assignment,
    engagement,
    ready_task,
    resource,
    time_entry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NEXT = [{"week": "2026-11-30", "hours": "8"}]


def forecasts(task: Task) -> list[tuple[str, str, str, str | None]]:
    """What was foretold: person, week, hours, cost."""
    return [(e["resource_id"], e["week"], e["hours"], e.get("expected_cost")) for e in task.out["assignment-forecasts"]]


def add_up(task: Task) -> Sequence[Object]:
    """Hand the forecasts so far to the agent of the people; what it tells."""
    sent = list(task.out["assignment-forecasts"])
    task.clear()
    for forecast in sent:
        task.send("assignment-forecasts", forecast)
    return task.out["utilisation"]


def test_an_assignment_is_foretold_by_week() -> None:
    """Hours and labour cost by week, and the sums in the engagement's figures."""
    task = ready_task(engagement(planned_revenue="2400"))
    task.send("assignments", assignment())
    figures = task.figures()

    assert forecasts(task) == [("R1", "2026-11-23", "20", "1000.00")]
    assert [figures[name] for name in ("planned_hours", "planned_cost", "planned_revenue", "planned_margin")] == ["20", "1000.00", "2400.00", "1400.00"]  # fmt: skip


def test_only_weeks_that_change_are_told() -> None:
    """A new revision replaces what changed and takes back what it no longer plans, as hours 0."""
    task = ready_task()
    task.send("assignments", assignment(weeks=[{"week": "2026-11-23", "hours": "20"}, *NEXT]))
    task.clear()
    task.send("assignments", assignment(revision=2, weeks=NEXT))

    assert forecasts(task) == [("R1", "2026-11-23", "0", None)]
    assert task.figures()["planned_hours"] == "8"


def test_a_week_that_becomes_soft_is_told_again() -> None:
    """The same hours, no longer firm, change the person's hard and soft hours."""
    task = ready_task()
    task.send("assignments", assignment())
    task.send("assignments", assignment(revision=2, booking="soft"))

    week = add_up(task)[-1]

    assert (week["hard_hours"], week["soft_hours"]) == ("0", "20")


def test_a_cancelled_assignment_takes_everything_back() -> None:
    """Cancelled is the tombstone: planned hours and cost are zero again."""
    task = ready_task()
    task.send("assignments", assignment())
    task.send("assignments", assignment(revision=2, status="cancelled"))
    figures = task.figures()

    assert forecasts(task)[-1] == ("R1", "2026-11-23", "0", None)
    assert (figures["planned_hours"], figures["planned_cost"]) == ("0", "0.00")


def test_another_person_takes_over() -> None:
    """What the first person was planned for is taken back before the second's is told."""
    task = ready_task()
    task.refer("resources", resource(id="R2", cost_rates=[{"rate": "70", "currency": "EUR"}]))
    task.send("assignments", assignment())
    task.send("assignments", assignment(revision=2, resource_id="R2"))

    assert forecasts(task)[1:] == [("R1", "2026-11-23", "0", None), ("R2", "2026-11-23", "20", "1400.00")]
    assert [(week["resource_id"], week["hard_hours"]) for week in add_up(task)] == [
        ("R1", "20"),
        ("R1", "0"),
        ("R2", "20"),
    ]


def test_a_cost_that_is_unknown_is_told_when_it_is_known() -> None:
    """Hours go out at once, the cost as soon as the engagement and the person are there; held and released like money."""
    task = Task()
    assert task.send("assignments", assignment()) == "held"
    task.send("engagements", engagement())
    task.refer("resources", resource())

    assert [row[3] for row in forecasts(task)] == [None, None, "1000.00"] or [row[3] for row in forecasts(task)] == [
        None,
        "1000.00",
    ]
    assert [(e["action"], e["reason"]) for e in task.out["exceptions"]] == [
        ("held", "engagement_unknown"),
        ("held", "resource_unknown"),
        ("released", "resource_unknown"),
    ]
    assert task.figures()["planned_cost"] == "1000.00"


def test_a_new_reason_is_told_though_the_word_is_the_same() -> None:
    """A person who arrives without a cost rate is no longer unknown: the hold says what is missing now."""
    task = ready_task()
    task.send("assignments", assignment(resource_id="R9"))
    task.refer("resources", resource(id="R9", cost_rates=[]))

    assert [e["reason"] for e in task.out["exceptions"]] == ["resource_unknown", "cost_rate_missing"]


def test_planned_cost_is_absent_while_a_week_of_it_is() -> None:
    """Unknown is not zero: neither planned cost nor planned margin is shown."""
    task = ready_task(engagement(planned_revenue="2400"))
    task.send("assignments", assignment(), assignment(id="A2", resource_id="R9"))

    assert {"planned_cost", "planned_margin"} & set(task.figures()) == set()
    assert task.figures()["planned_hours"] == "40"


def test_an_entry_takes_the_rate_of_its_assignment() -> None:
    """An assignment that comes after the entry releases it at the agreed rate."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved", assignment_id="A1"))
    task.send("assignments", assignment(source="psa", rate="90"))

    assert task.amounts() == ["720.00"]


def test_utilisation_adds_up_over_engagements() -> None:
    """A person's week over all assignments, hard and soft, in percent of the capacity."""
    task = ready_task()
    task.send("engagements", engagement(id="E2"))
    task.send("assignments", assignment())
    task.send(
        "assignments",
        assignment(id="A2", engagement_id="E2", booking="soft", weeks=[{"week": "2026-11-23", "hours": "12"}]),
    )
    told = [(week["hard_hours"], week["soft_hours"], week["percent"]) for week in add_up(task)]

    assert told == [("20", "0", "50.00"), ("20", "12", "80.00")]


def test_a_share_again_is_a_duplicate_and_an_earlier_one_stale() -> None:
    """A person's week changes only by what is new."""
    task = ready_task()
    task.send("assignments", assignment())
    task.send("assignments", assignment(revision=2, weeks=[{"week": "2026-11-23", "hours": "30"}]))
    first, second = task.out["assignment-forecasts"]
    outcomes = [task.send("assignment-forecasts", sent) for sent in (second, second, first)]

    assert outcomes == ["applied", "duplicate", "stale"]
    assert [week["hard_hours"] for week in task.out["utilisation"]] == ["30"]


def test_a_week_is_told_again_when_the_person_is_known() -> None:
    """Without a capacity there is no percentage; it follows."""
    task = Task()
    task.send("engagements", engagement())
    task.send("assignments", assignment())
    add_up(task)
    task.refer("resources", resource())

    assert [week.get("percent") for week in task.out["utilisation"]] == [None, "50.00"]


def test_a_week_is_told_again_when_the_capacity_changes() -> None:
    """The latest utilisation is of the latest capacity, whichever came first (M9)."""
    task = ready_task()
    task.send("assignments", assignment())
    add_up(task)
    task.refer("resources", resource(revision=2, weekly_capacity_hours="20"))

    assert task.out["utilisation"][-1]["percent"] == "100.00"
