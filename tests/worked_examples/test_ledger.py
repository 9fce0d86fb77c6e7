"""Published figures about currencies and accruals, by their number in the collection of worked examples."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ..builders import Object, Task, approval, engagement, expense, fx_rate, period, rate_card, ready_task, time_entry

QUOTED = [
    pytest.param({"quotation": "either"}, "350.00", id="27: EUR 2 per USD 1 as it is quoted (odoo PR #74844): 350 USD"),
    pytest.param(
        {"agreed_rates": [{"base": "EUR", "rate": "0.5"}]}, "350.00", id="27: the same, fixed by the terms: 350 USD"
    ),
    pytest.param(None, None, id="27: by default the pair's own rate is waited for, 700 is never billed"),
]


@pytest.mark.parametrize(("policy", "billed"), QUOTED)
def test_an_amount_is_divided_by_the_opposite_quotation(policy: Object | None, billed: str | None) -> None:
    """700 EUR where one USD is 2 EUR."""
    task = ready_task(engagement(currency="USD", policies={"fx_policy": policy}))
    task.refer("fx-rates", fx_rate(base="USD", quote="EUR", rate="2"))
    task.send("expenses", expense(status="approved", amount="700"))

    assert task.amounts() == ([] if billed is None else [billed])
    assert task.figures()["held_entries"] == ({"fx_rate_missing": 1} if billed is None else {})


def ten_hours(day: str, name: str) -> Object:
    """10 hours, submitted."""
    return time_entry(id=name, work_date=day, quantity="10")


def days(first: int, last: int, status: str, revision: int) -> Object:
    """Some days of January 2020 as a period."""
    dates = {"start_date": f"2020-01-{first:02}", "end_date": f"2020-01-{last:02}"}
    return period(id=f"from-{first}", status=status, revision=revision, **dates)


def accruing(policies: Object, *entries: Object) -> Task:
    """Entries at 90 an hour in four periods, each closed after its own entries arrived, the last one left open."""
    task = ready_task(engagement(policies={"work_in_progress": "reverse_next_period", **policies}))
    task.refer("rate-cards", rate_card(version=2, effective_from="2020-01-01", lines=[{"rate": "90"}]))
    task.refer(
        "resources",
        {"id": "R1", "revision": 2, "legal_entity_id": "DE", "cost_rates": [{"rate": "1", "currency": "EUR"}]},
    )
    periods = [(1, 1), (2, 3), (4, 7), (8, 9)]
    task.refer("periods", *(days(first, last, "future", 1) for first, last in periods))
    for first, last in periods:
        task.refer("periods", days(first, last, "open", 2))
        for sent in entries:
            day = dt.date.fromisoformat(sent.get("decided_on", sent.get("work_date"))).day
            if first <= day <= last:
                task.send("approvals" if "verdict" in sent else "time-entries", sent)
        if last < periods[-1][1]:
            task.refer("periods", days(first, last, "closed", 3))
    return task


def balance(task: Task, day: int) -> Decimal:
    """Work in progress as of a day of January 2020, from the journals alone."""
    return sum(
        (
            Decimal(line["amount"]) * (1 if line["side"] == "debit" else -1)
            for event in task.out["accruals"]
            for line in event["lines"]
            if line["account"] == "work_in_progress" and event["accounting_date"] <= f"2020-01-{day:02}"
        ),
        start=Decimal(),
    )


UNBILLED = ten_hours("2020-01-02", "1"), ten_hours("2020-01-05", "2")
BILLED = (
    ten_hours("2020-01-02", "1"),
    approval(entry_id="1", decided_on="2020-01-04"),
    ten_hours("2020-01-06", "2"),
    approval(entry_id="2", decided_on="2020-01-08"),
)
ACCRUED = [
    pytest.param({"accounting_date": "period_end"}, UNBILLED, {1: 0, 3: 900, 4: 0, 7: 1800, 8: 0, 9: 1800}, id="32: not invoiced, accrued at the end of each period, with its reversal on the next day"),
    pytest.param({}, UNBILLED, {1: 0, 3: 900, 4: 900, 7: 1800, 9: 1800}, id="32: not invoiced, accrued with the work: the balance of every day"),
    pytest.param({"accounting_date": "approval_date"}, BILLED, {1: 0, 2: 900, 5: 0, 7: 900, 9: 0}, id="32: 10 h on 2 and on 6 January, billed on the 4th and the 8th"),
]  # fmt: skip


@pytest.mark.parametrize(("policies", "entries", "balances"), ACCRUED)
def test_accrued_entries_as_of_a_day(policies: Object, entries: tuple[Object, ...], balances: dict[int, int]) -> None:
    """Odoo, test_sale_timesheet_accrued_entries.py: what is to be invoiced at 90 an hour as of some days."""
    task = accruing(policies, *entries)

    assert {day: balance(task, day) for day in balances} == balances
