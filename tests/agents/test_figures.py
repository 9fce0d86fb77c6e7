"""The figures of an engagement, as users read them."""

from __future__ import annotations

import pytest

from ..builders import (
    Object,
    Task,
    approval,
    assignment,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    ready_task,
    resource,
    time_entry,
)

FULL_WEEK = time_entry(status="approved", quantity="40")
"""40 hours at a cost of 50 EUR: 2,000 EUR."""


def completion(task: Task) -> tuple[str | None, str | None]:
    """Estimate at completion and estimate to complete, as the figures tell them."""
    figures = task.figures()
    return figures.get("estimate_at_completion"), figures.get("estimate_to_complete")


def estimated(cost: str | None, revision: int = 1, **fee: object) -> Object:
    """A fixed fee of 5,000 EUR whose terms estimate a cost."""
    return engagement(
        revision=revision, contract_type="fixed_fee", fee={"amount": "5000", "estimated_cost": cost, **fee}
    )


def test_figures_without_terms_have_no_currency() -> None:
    """Entries of an unknown engagement are counted and held; there is no money yet."""
    task = Task()
    task.send("time-entries", time_entry(), time_entry(id="2"))
    figures = task.figures()

    assert (figures["entries"], figures["held_entries"], figures["billed"]) == (2, {"engagement_unknown": 2}, "0")
    assert not {"currency", "contract_type", "planned_cost"} & set(figures)


def test_figures_tell_hours_money_and_margin() -> None:
    """Hours by standing, value by where it stands, revenue less cost."""
    task = ready_task()
    task.send(
        "time-entries",
        time_entry(status="approved"),
        time_entry(id="2"),
        time_entry(id="3", status="approved", billable=False, quantity="1"),
    )
    task.send("expenses", expense(status="approved"))
    figures = task.figures()
    expected = {
        "customer_id": "C1", "legal_entity_id": "DE", "contract_type": "time_and_materials", "currency": "EUR", "entries": 4,
        "submitted_hours": "8", "approved_hours": "8", "non_billable_hours": "1", "approved_value": "900.00",
        "billed": "900.00", "fees": "0.00", "unbilled": "800.00", "held": "0.00", "held_entries": {}, "earned": "900.00",
        "cost": "950.00", "margin": "-50.00", "planned_hours": "0", "planned_cost": "0.00",
        "contract_asset": "0.00", "contract_liability": "0.00", "loss_provision": "0.00",
        "non_chargeable": "0.00", "deferred": "0.00", "rounding": "0.00",
    }  # fmt: skip

    assert expected | {"engagement_id": "E1"} == figures


def test_figures_go_out_once_a_transaction() -> None:
    """However many records of an engagement a slab holds, the latest figures leave once."""
    task = ready_task()
    task.send("time-entries", *(time_entry(id=str(at), status="approved") for at in range(5)))

    assert [figures["billed"] for figures in task.out["engagement-figures"]] == ["4000.00"]


def test_engagements_do_not_mix() -> None:
    """Each engagement has its own figures, of its own entries."""
    task = ready_task()
    task.send("engagements", engagement(id="E2", rates=[{"rate": "200"}]))
    task.send("time-entries", time_entry(status="approved"), time_entry(engagement_id="E2", status="approved"))

    assert [task.figures(name)["billed"] for name in ("E1", "E2")] == ["800.00", "1600.00"]


def test_a_restored_task_goes_on_from_the_same_figures() -> None:
    """Sums are kept, not counted again."""
    task = ready_task()
    task.send("time-entries", time_entry())
    task.restart()
    task.send("approvals", approval())

    assert (task.figures()["billed"], task.figures()["unbilled"], task.figures()["entries"]) == ("800.00", "0.00", 1)


def test_a_fixed_fee_completes_at_its_estimate() -> None:
    """Of 3,000 expected 2,000 has arisen, so 1,000 is to come; what assignments plan plays no part beside an estimate."""
    task = ready_task(estimated("3000"))
    task.send("assignments", assignment())
    task.send("time-entries", FULL_WEEK)

    assert completion(task) == ("3000.00", "1000.00")


def test_completion_is_never_below_the_cost_that_has_arisen() -> None:
    """Of 1,500 expected 2,000 has arisen: that is the new estimate, and nothing is to come."""
    task = ready_task(estimated("1500"))
    task.send("time-entries", FULL_WEEK)

    assert completion(task) == ("2000.00", "0.00")


def test_new_terms_bring_a_new_estimate() -> None:
    """The latest estimate counts."""
    task = ready_task(estimated("3000"))
    task.send("time-entries", FULL_WEEK)
    task.send("engagements", estimated("4500", revision=2))

    assert completion(task) == ("4500.00", "2500.00")


@pytest.mark.parametrize(
    ("excluded", "told"),
    [("waste", ("3400.00", "1000.00")), ("uninstalled", ("3000.00", "600.00"))],
)
def test_waste_comes_on_top_of_the_estimate(excluded: str, told: tuple[str, str]) -> None:
    """The estimate is without waste, as in progress: 400 of it leave what is to come; uninstalled cost is part of it."""
    task = ready_task(estimated("3000", uninstalled_cost="500"))
    task.send("time-entries", FULL_WEEK, time_entry(id="2", status="approved", progress_excluded=excluded))

    assert completion(task) == told


def test_work_by_time_completes_at_its_plan() -> None:
    """20 planned hours cost 1,000, of which 8 hours, 400, have arisen; 40 more hours go beyond the plan."""
    task = ready_task()
    task.send("assignments", assignment())
    task.send("time-entries", time_entry(status="approved"))
    within = completion(task)
    task.send("time-entries", time_entry(id="2", status="approved", quantity="40"))

    assert (within, completion(task)) == (("1000.00", "600.00"), ("2400.00", "0.00"))


def test_a_fixed_fee_without_an_estimate_completes_at_its_plan() -> None:
    """Progress by hours needs no estimated cost; then the planned 1,000 is what is known."""
    task = ready_task(estimated(None, progress="hours_to_hours", estimated_hours="20"))
    task.send("assignments", assignment())

    assert completion(task) == ("1000.00", "1000.00")


def test_completion_is_unknown_without_estimate_and_plan() -> None:
    """Unknown is not zero, whatever cost has arisen, and also once a plan is cancelled."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved"))
    before = completion(task)
    task.send("assignments", assignment(), assignment(revision=2, status="cancelled"))

    assert before == completion(task) == (None, None)


def test_completion_is_unknown_while_a_part_of_the_plan_is() -> None:
    """A planned week of somebody unknown has no cost: nothing is told by the plan, and an estimate needs no plan."""
    task = ready_task()
    task.send("assignments", assignment(), assignment(id="A2", resource_id="R9"))
    by_plan = completion(task)
    task.send("engagements", fixed_fee(revision=2))

    assert (by_plan, completion(task)) == ((None, None), ("700000.00", "700000.00"))


def test_completion_follows_a_changed_cost_rate() -> None:
    """20 hours at 50 USD are 900 EUR at 0.9; at 60 EUR they are 1,200 (M9)."""
    task = ready_task()
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "50", "currency": "USD"}]))
    task.refer("fx-rates", fx_rate(rate="0.9"))
    task.send("assignments", assignment())
    before = completion(task)
    task.refer("resources", resource(revision=3, cost_rates=[{"rate": "60", "currency": "EUR"}]))

    assert (before, completion(task)) == (("900.00", "900.00"), ("1200.00", "1200.00"))


def test_an_estimate_counts_with_a_fixed_fee_alone() -> None:
    """Nobody reads what a retainer's fee calls an estimate, not even whether it is an amount: its plan counts."""
    fee = {"amount": "5000", "term": "month", "estimated_cost": "0.001"}
    task = ready_task(engagement(contract_type="retainer", fee=fee))
    task.send("assignments", assignment())

    assert completion(task) == ("1000.00", "1000.00")
