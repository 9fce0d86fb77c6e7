"""Terms and reference data that change after the entries they are about: the order of arrival makes no difference.

M9 says so of any interleaving of streams. Whoever narrows that law (to "the terms in force when an entry is settled
stay with it") has to change these tests with it.
"""

from __future__ import annotations

import pytest

from ..builders import (
    REFERENCES,
    approval,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)

FIGURES = ("billed", "unbilled", "held", "earned", "cost", "submitted_hours", "approved_hours")
ENTRIES = {
    "submitted": [("time-entries", time_entry())],
    "approved": [("time-entries", time_entry(status="approved"))],
    "by-manager": [("time-entries", time_entry()), ("approvals", approval())],
    "expense": [("expenses", expense(status="approved", currency="USD"))],
}
CHANGES = {
    "own-rate": ("engagements", engagement(revision=2, rates=[{"rate": "95"}])),
    "contract-type": ("engagements", engagement(revision=2, contract_type="non_billable")),
    "approval-levels": ("engagements", engagement(revision=2, policies={"approval_levels": ["finance"]})),
    "accrual": ("engagements", engagement(revision=2, policies={"accrue_at": "approval"})),
    "expense-terms": ("engagements", engagement(revision=2, expenses={"policy": "non_billable"})),
    "card-version": ("rate-cards", rate_card(version=2, lines=[{"rate": "130"}])),
    "cost-rate": ("resources", resource(revision=2, cost_rates=[{"rate": "55", "currency": "EUR"}])),
    "exchange-rate": ("fx-rates", fx_rate(revision=2, rate="0.8")),
}


@pytest.mark.parametrize(
    ("entries", "change"),
    [pytest.param(entries, change, id=f"{entries}-{change}") for entries in ENTRIES for change in CHANGES],
)
def test_a_change_before_or_after_an_entry_makes_the_same_money(entries: str, change: str) -> None:
    """Entries settled already follow a change as entries that come after it do (M9)."""
    figures = []
    for steps in ([*ENTRIES[entries], CHANGES[change]], [CHANGES[change], *ENTRIES[entries]]):
        task = ready_task()
        task.refer("fx-rates", fx_rate())
        for stream, sent in steps:
            if stream in REFERENCES:
                task.refer(stream, sent)
            else:
                task.send(stream, sent)
        figures.append({name: task.figures()[name] for name in FIGURES})

    assert figures[0] == figures[1]


def test_a_period_that_closes_keeps_what_is_posted() -> None:
    """Closing is an event in time, not a change of terms: what was posted before it stands."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved"))
    task.refer("periods", year("closed", revision=2))

    assert task.figures()["billed"] == "800.00"


def test_an_engagement_that_becomes_a_fixed_fee_bills_no_expense_twice() -> None:
    """The expense stays billed once and now counts as cost of the fee (M1)."""
    task = ready_task()
    task.send("expenses", expense(status="approved"))
    task.send("engagements", fixed_fee(revision=2))
    task.send("approvals", approval(entry_type="expense"))

    assert task.amounts() == ["100.00"]
    assert task.figures()["billed"] == "100.00"
    assert [event["method"] for event in task.out["revenue"]] == ["as_billed", "cost_to_cost"]
