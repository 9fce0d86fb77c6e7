"""The figures of an engagement, as users read them."""

from __future__ import annotations

from ..builders import Task, approval, engagement, expense, ready_task, time_entry


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
