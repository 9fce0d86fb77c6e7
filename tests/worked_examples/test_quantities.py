"""Published figures about quantities and prices of time, by their numbers in the collection of worked examples.

Systems: D is Dynamics 365 Project Operations, EN is ERPNext, KI is Kimai, OCA is the Odoo Community Association.

Of example 29 the first three figures round begin and end of the work, clock times that a time entry here does not
carry: 12:17:35 to 13:32:52 becomes 4,500 s by moving both ends. The source gives no figure for that duration, so
none is stated. Its last two figures round the duration and are cases below.
"""

from __future__ import annotations

import pytest

from ..builders import Object, Task, engagement, rate_card, ready_task, resource, time_entry, year


def billed(task: Task, **changes: object) -> list[tuple[str, str]]:
    """Quantity and amount of the lines after one more approved entry."""
    task.send("time-entries", time_entry(status="approved", **changes))
    return [(f"{line['quantity']} {line['unit']}", line["amount"]) for line in task.out["billing"]]


def sums(task: Task, *names: str) -> list[str]:
    """Figures of the engagement."""
    figures = task.figures()
    return [figures[name] for name in names]


@pytest.mark.parametrize(
    ("billable", "chargeable", "difference"),
    [
        pytest.param("8", "1600.00", None, id="1-approver-bills-8"),
        pytest.param("6", "1200.00", ("not_charged", "400.00 EUR"), id="1-approver-bills-6"),
        pytest.param("10", "2000.00", ("over_charged", "400.00 EUR"), id="1-approver-bills-10"),
    ],
)
def test_1_the_approver_bills_another_quantity(
    billable: str, chargeable: str, difference: tuple[str, str] | None
) -> None:
    """D, ActualsonTM: 8 h, cost 100, bill 200. Bills 6: cost 800, chargeable 1,200, non-chargeable 400. Bills 10: 2,000."""
    task = ready_task(engagement(rates=[{"rate": "200"}]))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "100", "currency": "EUR"}]))
    task.send("time-entries", time_entry())
    assert sums(task, "cost", "unbilled", "billed") == ["800.00", "1600.00", "0.00"]
    task.send("time-entries", time_entry(revision=2, status="approved", billable_quantity=billable))
    steps = [(step["step"], step["value"]) for step in task.out["billing"][0]["trace"]]

    assert sums(task, "cost", "unbilled", "billed") == ["800.00", "0.00", chargeable]
    assert [step for step in steps if step[0].endswith("_charged")] == ([difference] if difference else [])


def test_7_overtime_costs_fifteen_percent_more() -> None:
    """D, set up custom fields as pricing dimensions: base 100, 8 h regular + 2 h overtime onsite +15 %: 800 + 230 = 1,030."""
    terms = engagement(rates=[{"rate": "100"}], policies={"multipliers": {"by_work_type": {"overtime onsite": "1.15"}}})
    task = ready_task(terms)
    billed(task, work_type="regular")

    assert billed(task, id="2", quantity="2", work_type="overtime onsite") == [("8 hour", "800.00"), ("2 hour", "230.00")]  # fmt: skip
    assert sums(task, "billed") == ["1030.00"]


DATED = [
    rate_card(id="list", version=at, effective_from=start, effective_to="2026-06-30", lines=[{"rate": rate}])
    for at, (start, rate) in enumerate((("2026-01-01", "100"), ("2026-03-15", "110"), ("2026-04-01", "120")), start=1)
]


@pytest.mark.parametrize(
    ("date", "rate"),
    [
        pytest.param("2026-01-01", "100", id="8-the-first-day"),
        pytest.param("2026-03-14", "100", id="8-the-day-before-the-override"),
        pytest.param("2026-03-15", "110", id="8-the-override-begins"),
        pytest.param("2026-03-31", "110", id="8-until-the-next-whatever-the-table-says"),
        pytest.param("2026-04-01", "120", id="8-the-next-begins"),
        pytest.param("2026-06-30", "120", id="8-the-last-day"),
    ],
)
def test_8_a_dated_price_holds_until_the_next(date: str, rate: str) -> None:
    """D, date effective price overrides: 100 from 1 Jan, 110 from 15 Mar, 120 from 1 Apr, the list ends on 30 Jun."""
    task = Task()
    task.refer("rate-cards", *DATED)
    task.refer("resources", resource())
    task.refer("periods", year())
    task.send("engagements", engagement())

    assert billed(task, quantity="1", work_date=date) == [("1 hour", f"{rate}.00")]


def test_8_after_the_lists_end_nothing_has_a_price() -> None:
    """The figures stop at the list's end, 30 Jun; here work of 1 Jul is held until a list covers it."""
    task = Task()
    task.refer("rate-cards", *DATED)
    task.refer("resources", resource())
    task.refer("periods", year())
    task.send("engagements", engagement())

    assert billed(task, work_date="2026-07-01") == []
    assert [event["reason"] for event in task.out["exceptions"]] == ["rate_missing"]


def test_8_an_override_of_one_contract_leaves_the_others() -> None:
    """D, as above: from 15 Mar the contract "Arm Installation" pays 110, all others the list's 120."""
    task = ready_task(engagement(name="Arm Installation", rates=[{"rate": "110", "effective_from": "2026-03-15"}]))
    task.refer("rate-cards", rate_card(id="list", scope="region", scope_id="west", lines=[{"rate": "120"}]))
    task.send("engagements", engagement(id="E2", region="west"))
    billed(task, quantity="1", work_date="2026-03-15")

    assert billed(task, quantity="1", work_date="2026-03-15", engagement_id="E2")[1] == ("1 hour", "120.00")
    assert task.amounts() == ["110.00", "120.00"]


@pytest.mark.parametrize(
    ("hours", "by_half_days", "exact"),
    [
        pytest.param("3", "572.50", "429.38", id="15-3-hours"),
        pytest.param("4", "572.50", "572.50", id="15-4-hours"),
        pytest.param("5", "1145.00", "715.63", id="15-5-hours"),
        pytest.param("8", "1145.00", "1145.00", id="15-8-hours"),
    ],
)
def test_15_hours_become_half_days_or_days(hours: str, by_half_days: str, exact: str) -> None:
    """TOP Step, converting hours to days, at 1,145 a day: up to 4 h 50 %, above 100 %; else by the hour."""
    rates = [{"rate": "1145", "unit": "day"}]
    halves = ready_task(engagement(rates=rates, policies={"day_rounding": "half_day"}))

    assert [amount for _, amount in billed(halves, quantity=hours)] == [by_half_days]
    assert [amount for _, amount in billed(ready_task(engagement(rates=rates)), quantity=hours)] == [exact]


@pytest.mark.parametrize(
    ("rate", "hours", "expected", "limited_by"),
    [
        pytest.param({"rate": "10", "minimum_charge": "100"}, "8", "100.00", "minimum_charge", id="16-8-x-10-minimum-100"),
        pytest.param({"rate": "12", "maximum_charge": "240"}, "25", "240.00", "maximum_charge", id="16-25-x-12-maximum-240"),
        pytest.param({"rate": "12", "minimum_charge": "100", "maximum_charge": "240"}, "10", "120.00", None, id="16-10-x-12-in-range"),
    ],
)  # fmt: skip
def test_16_a_rate_has_a_minimum_and_a_maximum_charge(
    rate: Object, hours: str, expected: str, limited_by: str | None
) -> None:
    """Zuora, charge-level min/max rules: 80 becomes 100, 300 becomes 240, 120 stays."""
    task = ready_task(engagement(rates=[rate]))

    assert billed(task, quantity=hours) == [(f"{hours} hour", expected)]
    assert task.out["billing"][0].get("limited_by") == limited_by


def rounding(**policy: object) -> Task:
    """A task that rounds billed time, at 60 an hour, so that a minute is worth 1."""
    return ready_task(engagement(rates=[{"rate": "60"}], policies={"time_rounding": policy}))


@pytest.mark.parametrize(
    ("mode", "minutes"),
    [
        pytest.param("up", "180", id="29-ceil-10800-s"),
        pytest.param("nearest", "150", id="29-closest-9000-s"),
    ],
)
def test_29_a_duration_is_rounded_to_half_hours(mode: str, minutes: str) -> None:
    """KI, CeilRoundingTest and ClosestRoundingTest: 12:10:51 to 14:40:52 is 9,001 s, here to the millionth of a minute."""
    task = rounding(unit_minutes=30, mode=mode)

    assert billed(task, quantity="150.016667", unit="minute") == [(f"{minutes} minute", f"{minutes}.00")]


@pytest.mark.parametrize(
    ("policy", "quantity", "expected"),
    [
        pytest.param({"unit_minutes": 15, "mode": "up"}, "1", "2", id="30-quarters-up-1"),
        pytest.param({"unit_minutes": 15, "mode": "up"}, "0.9", "2", id="30-quarters-up-0.9"),
        pytest.param({"unit_minutes": 60, "mode": "up"}, "0.6", "2", id="30-hours-up-0.6"),
        pytest.param({"unit_minutes": 15, "mode": "nearest"}, "1.01", "2", id="30-quarters-half-up-1.01"),
        pytest.param({"unit_minutes": 15, "mode": "up"}, "1.1", "2.25", id="30-quarters-up-1.1"),
    ],
)
def test_30_twice_the_time_is_rounded(policy: Object, quantity: str, expected: str) -> None:
    """OCA, test_rounded, factor 200 %: the doubled time is rounded, not the rounded time doubled."""
    ((actual, _),) = billed(rounding(factor_percent="200", **policy), quantity=quantity)

    assert actual == f"{expected} hour"


def test_30_each_line_is_rounded() -> None:
    """OCA, test_rounded: lines of 1 and 1.1 at 200 % are 2.0 + 2.25 = 4.25 hours, each rounded alone."""
    task = rounding(unit_minutes=15, mode="up", factor_percent="200")
    billed(task, quantity="1")

    assert [quantity for quantity, _ in billed(task, id="2", quantity="1.1")] == ["2 hour", "2.25 hour"]
    assert sums(task, "billed", "approved_hours") == ["255.00", "2.1"]


def test_38_a_role_that_is_not_found_is_held_not_free() -> None:
    """D prices it at a rate of 0; here it is held by its reason until a rate comes, and nothing is billed."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved", role="nobody"))

    assert task.out["billing"] == []
    assert [event["reason"] for event in task.out["exceptions"]] == ["rate_missing"]


def test_38_work_at_a_rate_of_zero_counts_as_billed_hours() -> None:
    """EN, test_timesheet: 0.5 of 2 h billed at a rate of zero are 25 %; the line is there, with its hours."""
    task = ready_task(engagement(rates=[{"rate": "0"}]))
    task.send("time-entries", time_entry(id="2", quantity="1.5"))

    assert billed(task, quantity="0.5") == [("0.5 hour", "0.00")]
    assert sums(task, "approved_hours", "submitted_hours") == ["0.5", "1.5"]
