"""Published worked examples, from records in to money out, by their numbers in the collection they were gathered in."""

from __future__ import annotations

from ..builders import Object, Task, engagement, expense, fixed_fee, fx_rate, ready_task, resource, time_entry


def costing(rate: str, terms: Object) -> Task:
    """A task in which R1 costs this much."""
    task = ready_task(terms)
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": rate, "currency": "EUR"}]))
    return task


def sums(task: Task, *names: str) -> list[str]:
    """Figures of the engagement."""
    figures = task.figures()
    return [figures[name] for name in names]


def test_1_time_and_materials_is_unbilled_until_approved() -> None:
    """8 h, cost 100, bill 200: cost 800 and unbilled 1,600; approved: billed 1,600."""
    task = costing("100", engagement(rates=[{"rate": "200"}]))
    task.send("time-entries", time_entry())
    assert sums(task, "cost", "unbilled", "billed") == ["800.00", "1600.00", "0.00"]
    task.send("time-entries", time_entry(revision=2, status="approved"))

    assert sums(task, "cost", "unbilled", "billed") == ["800.00", "0.00", "1600.00"]


def test_2_recalled_time_nets_to_zero() -> None:
    """The same, recalled: cost -800 and unbilled -1,600; net 0."""
    task = costing("100", engagement(rates=[{"rate": "200"}]))
    task.send("time-entries", time_entry())
    task.send("time-entries", time_entry(revision=2, status="recalled"))

    assert sums(task, "cost", "unbilled", "billed") == ["0.00", "0.00", "0.00"]


def test_4_a_fixed_price_posts_cost_and_bills_no_time() -> None:
    """8 h at cost 100: cost 800 and no billing line."""
    task = costing("100", fixed_fee())
    task.send("time-entries", time_entry(status="approved"))

    assert sums(task, "cost", "billed", "unbilled") == ["800.00", "0.00", "0.00"]
    assert task.out["billing"] == []


def test_5_an_accrual_is_two_balanced_pairs_and_billing_reverses_one() -> None:
    """1 h, cost 50, bill 75: 50 project cost to payroll, 75 work in progress to accrued revenue; billing reverses the 75."""
    task = costing("50", engagement(rates=[{"rate": "75"}]))
    task.send("time-entries", time_entry(quantity="1"))
    task.send("time-entries", time_entry(quantity="1", revision=2, status="approved"))
    pairs = [
        tuple((line["side"], line["account"], line["amount"]) for line in event["lines"])
        for event in task.out["accruals"]
    ]

    assert pairs == [
        (("debit", "project_cost", "50.00"), ("credit", "payroll_allocation", "50.00")),
        (("debit", "work_in_progress", "75.00"), ("credit", "accrued_revenue", "75.00")),
        (("debit", "accrued_revenue", "75.00"), ("credit", "work_in_progress", "75.00")),
    ]
    assert sums(task, "margin") == ["25.00"]


def test_18_ten_hours_at_100_earn_1000_at_approval() -> None:
    """Revenue of time and materials is earned with its billing line."""
    task = ready_task(engagement(policies={"accrue_at": "approval"}))
    task.send("time-entries", time_entry(quantity="10"))
    assert task.out["revenue"] == []
    task.send("time-entries", time_entry(quantity="10", revision=2, status="approved"))

    assert task.amounts("revenue") == ["1000.00"]


def test_20_the_standards_series_of_estimates() -> None:
    """600,000; modification to 1,350,000 over 820,000: +91,463.41; +82,000 cost; estimate 850,000: -29,169.29."""
    task = costing("1000", fixed_fee())
    task.send("time-entries", time_entry(status="approved", quantity="420"))
    for revision, estimate in ((2, "820000"), (3, "850000")):
        terms = fixed_fee(revision=revision) | {"fee": {"amount": "1350000", "estimated_cost": estimate}}
        task.send("engagements", terms)
        if revision == 2:
            task.send("time-entries", time_entry(id="2", status="approved", quantity="82"))

    assert task.amounts("revenue") == ["600000.00", "91463.41", "135000.00", "-29169.29"]
    assert task.amounts("revenue", "earned_to_date")[-1] == "797294.12"


def test_27_an_expense_in_another_currency_is_divided_not_multiplied() -> None:
    """700 EUR where a dollar is 2 EUR are 350 USD."""
    task = ready_task(engagement(currency="USD"))
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="0.5"))
    task.send("expenses", expense(status="approved", amount="700"))

    assert task.amounts() == ["350.00"]
