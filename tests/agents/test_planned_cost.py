"""What a plan costs follows the cost rate of the person, also one that comes after the plan."""

from __future__ import annotations

from ..builders import assignment, engagement, fx_rate, ready_task, resource

DEARER = {"base": "USD", "rate": "0.8"}


def test_a_plan_is_costed_again_when_the_cost_rate_changes() -> None:
    """20 hours at 60 EUR are 1,200 EUR, whichever came first, the plan or the rate (M9)."""
    task = ready_task()
    task.send("assignments", assignment())
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "60", "currency": "EUR"}]))

    assert task.figures()["planned_cost"] == "1200.00"


def test_a_plan_is_costed_again_when_terms_convert_in_another_way() -> None:
    """20 hours at 50 USD are 1,000 USD: 900.00 EUR at the day's 0.9, and 800.00 at 0.8, which new terms agree (M9)."""
    task = ready_task()
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "50", "currency": "USD"}]))
    task.refer("fx-rates", fx_rate(rate="0.9"))
    task.send("assignments", assignment())
    before = task.figures()["planned_cost"]
    task.send("engagements", engagement(revision=2, policies={"fx_policy": {"agreed_rates": [DEARER]}}))

    assert (before, task.figures()["planned_cost"]) == ("900.00", "800.00")
