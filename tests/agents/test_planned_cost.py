"""What a plan costs follows the cost rate of the person, also one that comes after the plan."""

from __future__ import annotations

from ..builders import assignment, ready_task, resource


def test_a_plan_is_costed_again_when_the_cost_rate_changes() -> None:
    """20 hours at 60 EUR are 1,200 EUR, whichever came first, the plan or the rate (M9)."""
    task = ready_task()
    task.send("assignments", assignment())
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "60", "currency": "EUR"}]))

    assert task.figures()["planned_cost"] == "1200.00"
