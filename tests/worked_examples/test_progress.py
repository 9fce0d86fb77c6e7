"""Published figures of fixed fees, milestones and percent complete, from records in to money out.

Ids are the numbers of the collection the figures were gathered in; the source is named in each case.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ..builders import Object, Task, engagement, ready_task, resource, time_entry


class Schedule(NamedTuple):
    """A contract on its reporting date: costs by what they count as, what was billed, and what must come out."""

    fee: str
    estimated_cost: str
    costs: tuple[tuple[str, str | None], ...]
    billed: str
    earned: str
    contract_asset: str
    contract_liability: str


def costing(terms: Object, rate: str = "1000") -> Task:
    """A task in which R1 costs this much an hour."""
    task = ready_task(terms)
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": rate, "currency": "EUR"}]))
    return task


def fixed(fee: Object, **changes: object) -> Object:
    """A fixed fee engagement."""
    return engagement(contract_type="fixed_fee", fee=fee, **changes)


def approve(task: Task, name: str, hours: str, work_date: str = "2026-11-20", **changes: object) -> None:
    """Approved time."""
    task.send("time-entries", time_entry(id=name, status="approved", quantity=hours, work_date=work_date, **changes))


def test_4_a_milestone_bills_and_is_credited_while_time_gives_cost_only() -> None:
    """8 h at 100: cost 800 only; milestone billed 5,000; credited -5,000, cost unchanged (Dynamics, ActualonFP)."""
    agreed: Object = {"amount": "5000", "estimated_cost": "4000"}
    milestone = {"id": "M1", "amount": "5000"}
    task = costing(fixed(agreed | {"milestones": [milestone]}), "100")
    approve(task, "1", "8")
    assert (task.out["billing"], task.figures()["cost"]) == ([], "800.00")
    reached = [milestone | {"reached_on": "2026-11-30"}]
    task.send("engagements", fixed(agreed | {"milestones": reached}, revision=2))
    assert (task.amounts(), task.figures()["fees"], task.figures()["cost"]) == (["5000.00"], "5000.00", "800.00")
    task.send("engagements", fixed(agreed | {"milestones": [milestone]}, revision=3))

    assert task.amounts() == ["5000.00", "-5000.00"]
    assert (task.figures()["fees"], task.figures()["cost"]) == ("0.00", "800.00")
    assert sum(event["kind"] == "cost" for event in task.out["accruals"]) == 1


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"estimated_cost": "100000"}, id="17-cost-to-cost"),
        pytest.param({"progress": "hours_to_hours", "estimated_hours": "100"}, id="17-hours-to-hours"),
        pytest.param(
            {"progress": "hours_to_hours", "estimated_hours": "100", "percent_places": 0}, id="17-whole-percent"
        ),
    ],
)
def test_17_ten_then_fifteen_percent(terms: Object) -> None:
    """Charges of 300: 10 % in January earn 30; 15 % in February earn 15 more, 45 in all (NetSuite percent complete)."""
    task = costing(fixed({"amount": "300", **terms, "loss_provision": "none"}))
    approve(task, "1", "10", "2026-01-31")
    approve(task, "2", "5", "2026-02-28")

    assert task.amounts("revenue") == ["30.00", "15.00"]
    assert task.amounts("revenue", "earned_to_date")[-1] == "45.00"


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"estimated_cost": "100000"}, id="19-cost-to-cost"),
        pytest.param({"progress": "hours_to_hours", "estimated_hours": "100"}, id="19-hours-to-hours"),
    ],
)
def test_19_what_is_recognised_already_is_taken_off(terms: Object) -> None:
    """A contract of 200,000, 60 % done, 80,000 recognised already: 40,000 this period (guide to NetSuite)."""
    task = costing(fixed({"amount": "200000", **terms}))
    approve(task, "1", "40", "2026-01-31")
    assert task.amounts("revenue") == ["80000.00"]
    approve(task, "2", "20", "2026-02-28")

    assert task.amounts("revenue")[1:] == ["40000.00"]


def test_19_milestones_reached_are_sixty_percent() -> None:
    """The same by milestones: 40 % reached and recognised, then 20 % more are 40,000."""
    shares = (("M1", "40", "2026-01-31"), ("M2", "20", "2026-02-28"), ("M3", "40", None))
    task = ready_task()
    for revision, reached in ((2, {"M1"}), (3, {"M1", "M2"})):
        milestones = [
            {"id": name, "percent": percent} | ({"reached_on": date} if name in reached else {})
            for name, percent, date in shares
        ]
        fee = {"amount": "200000", "progress": "milestone", "milestones": milestones}
        task.send("engagements", fixed(fee, revision=revision))

    assert task.amounts("revenue") == ["80000.00", "40000.00"]


SERIES = [
    pytest.param({}, ["600000.00", "91463.41", "135000.00", "-29169.29", "32558.82"], "829852.94", id="20-unrounded"),
    pytest.param(
        {"percent_places": 1}, ["600000.00", "91200.00", "135000.00", "-28350.00", "32400.00"], "830250.00",
        id="20-percent-to-one-place-as-the-standard-prints",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "revenue", "total"), SERIES)
def test_20_the_standards_series(policy: Object, revenue: list[str], total: str) -> None:
    """Modification, more cost, a new estimate and a late cost of 29 September (IFRS 15 Example 8, IE42-IE47).

    420 of 700 of a million; 1,350,000 over 820; 82 more; an estimate of 850; 20.5 late (all in thousands).
    """
    task = costing(fixed({"amount": "1000000", "estimated_cost": "700000", **policy}))
    approve(task, "1", "420", "2026-08-31")
    task.send("engagements", fixed({"amount": "1350000", "estimated_cost": "820000", **policy}, revision=2))
    approve(task, "2", "82", "2026-09-25")
    task.send("engagements", fixed({"amount": "1350000", "estimated_cost": "850000", **policy}, revision=3))
    approve(task, "3", "20.5", "2026-09-29")

    assert task.amounts("revenue") == revenue
    assert task.amounts("revenue", "earned_to_date")[-1] == total


def test_20_the_late_cost_in_its_place_gives_the_same_total() -> None:
    """The 29 September cost before the new estimate: +33,750.00 and -30,360.47, the same 829,852.94 in all (M9)."""
    task = costing(fixed({"amount": "1350000", "estimated_cost": "820000"}))
    approve(task, "1", "502", "2026-09-25")
    approve(task, "3", "20.5", "2026-09-29")
    task.send("engagements", fixed({"amount": "1350000", "estimated_cost": "850000"}, revision=2))

    assert task.amounts("revenue")[1:] == ["33750.00", "-30360.47"]
    assert task.amounts("revenue", "earned_to_date")[-1] == "829852.94"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Schedule("1000000", "800000", (("200", None), ("200", None)), "450000", "500000.00", "50000.00", "0.00"), id="23-contract-asset"),
        pytest.param(Schedule("800000", "720000", (("420", None), ("80", "waste")), "500000", "466666.67", "0.00", "33333.33"), id="23-rework"),
        pytest.param(Schedule("500000", "570000", (("350", None), ("70", "uninstalled")), "371000", "371000.00", "0.00", "0.00"), id="23-uninstalled"),
        pytest.param(Schedule("5000000", "4000000", (("500", None), ("1500", "uninstalled")), "1", "2200000.00", "2199999.00", "0.00"), id="IFRS-15-example-19"),
        pytest.param(Schedule("1000000", "800000", (("300", None), ("50", "waste")), "1", "375000.00", "374999.00", "0.00"), id="waste-earns-nothing"),
    ],
)  # fmt: skip
def test_23_a_schedule_of_work_in_progress(case: Schedule) -> None:
    """Revenue by cost to cost, and what is earned beyond the bill or billed beyond what is earned (the-wip-tally).

    The estimate of the rework case is cost without rework and what is to come: 420,000 + 300,000.
    """
    rest = str(int(case.fee) - int(case.billed))
    milestones = [{"id": "M1", "amount": case.billed, "reached_on": "2026-11-30"}, {"id": "M2", "amount": rest}]
    task = costing(fixed({"amount": case.fee, "estimated_cost": case.estimated_cost, "milestones": milestones}))
    for at, (hours, excluded) in enumerate(case.costs):
        approve(task, str(at), hours, **({} if excluded is None else {"progress_excluded": excluded}))
    figures = task.figures()

    assert figures["earned"] == case.earned
    assert (figures["contract_asset"], figures["contract_liability"]) == (case.contract_asset, case.contract_liability)


def test_23_revenue_of_the_period_is_the_difference() -> None:
    """400,000 of 800,000 cost, half of it in this period: 250,000 of the 500,000 are this period's."""
    task = costing(fixed({"amount": "1000000", "estimated_cost": "800000"}))
    approve(task, "1", "200", "2026-09-30")
    approve(task, "2", "200", "2026-10-31")

    assert [(e["accounting_date"], e["amount"]) for e in task.out["revenue"]] == [
        ("2026-09-30", "250000.00"),
        ("2026-10-31", "250000.00"),
    ]


def test_expected_uninstalled_cost_is_left_out_before_it_arises() -> None:
    """IFRS 15 Example 19 before the lifts arrive: 20 % of 3,500,000 are 700,000; with them 2,200,000."""
    fee = {"amount": "5000000", "estimated_cost": "4000000", "uninstalled_cost": "1500000"}
    task = costing(fixed(fee))
    approve(task, "1", "500")
    approve(task, "2", "1500", progress_excluded="uninstalled")

    assert task.amounts("revenue", "earned_to_date") == ["700000.00", "2200000.00"]
