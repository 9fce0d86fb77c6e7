"""What an entry waits for is the first thing missing, whatever stood of it before."""

from __future__ import annotations

import pytest

from ..builders import Task, engagement, period, rate_card, resource, time_entry


@pytest.mark.parametrize("posted", [False, True], ids=["nothing-stood", "a-revision-stood"])
def test_a_closed_period_is_named_before_a_missing_cost_rate(posted: bool) -> None:  # noqa: FBT001
    """Of period and cost rate the period comes first, so that the reason does not depend on what came before (M9)."""
    task = Task()
    task.refer(
        "periods", period(), period(id="2026-10", start_date="2026-10-01", end_date="2026-10-31", status="closed")
    )
    task.refer("resources", resource(cost_rates=[{"rate": "50", "currency": "EUR", "effective_from": "2026-11-01"}]))
    task.refer("rate-cards", rate_card())
    task.send("engagements", engagement())
    if posted:
        task.send("time-entries", time_entry())
    task.send("time-entries", time_entry(revision=2, work_date="2026-10-20", status="approved"))

    assert task.figures()["held_entries"] == {"period_closed": 1}
