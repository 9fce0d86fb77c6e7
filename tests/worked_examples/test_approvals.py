"""Published examples of recall, return and partly billed work, by their numbers in the collection they were gathered in."""

from __future__ import annotations

import pytest

from ..builders import Object, Task, approval, engagement, ready_task, resource, time_entry

RECALLS = [
    pytest.param([time_entry(revision=2, status="recalled")], [], id="2-recalled-by-the-person (Dynamics, ActualsonTM)"),
    pytest.param([], [approval(verdict="recalled")], id="2-recalled-by-the-approver (Dynamics, ActualsonTM)"),
    pytest.param([time_entry(revision=2, status="deleted")], [], id="2-cancelled (Dynamics, ActualsonTM)"),
]  # fmt: skip
STATES = [
    pytest.param([approval()], "100.00", "100.00", id="36-one-of-two-logs: partly billed (ERPNext, test_timesheet)"),
    pytest.param([approval(), approval(entry_id="2")], "200.00", "0.00", id="36-both-logs: billed (ERPNext, test_timesheet)"),
    pytest.param(
        [approval(), approval(entry_id="2"), approval(entry_id="2", sequence=2, verdict="recalled")], "100.00", "0.00",
        id="36-second-returned: partly billed (ERPNext, test_timesheet)",
    ),
    pytest.param(
        [approval(), approval(entry_id="2"), approval(entry_id="2", sequence=2, verdict="recalled"), approval(entry_id="2", sequence=3)],
        "200.00", "0.00", id="36-return-cancelled: billed (ERPNext, test_timesheet)",
    ),
]  # fmt: skip


def worked(rate: str, *entries: Object) -> Task:
    """Entries handed in under time and materials, at this rate and a cost of 100."""
    task = ready_task(engagement(rates=[{"rate": rate}]))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "100", "currency": "EUR"}]))
    task.send("time-entries", *entries)
    return task


def figures(task: Task, *names: str) -> list[str]:
    found = task.figures()
    return [found[name] for name in names]


@pytest.mark.parametrize(("entries", "decisions"), RECALLS)
def test_2_a_recall_mirrors_what_was_accrued(entries: list[Object], decisions: list[Object]) -> None:
    """8 h, cost 100, bill 200: cost -800 and unbilled -1,600, each naming what it mirrors; net 0."""
    task = worked("200", time_entry())
    before = list(task.out["accruals"])
    task.clear()
    for sent in entries:
        task.send("time-entries", sent)
    for sent in decisions:
        task.send("approvals", sent)
    mirrors = {event["reverses"]: event["lines"][1]["amount"] for event in task.out["accruals"]}

    assert mirrors == {event["id"]: event["lines"][0]["amount"] for event in before}
    assert sorted(mirrors.values()) == ["1600.00", "800.00"]
    assert figures(task, "cost", "unbilled", "billed") == ["0.00", "0.00", "0.00"]


@pytest.mark.parametrize(("entries", "decisions"), RECALLS)
def test_2_a_recall_mirrors_what_was_billed(entries: list[Object], decisions: list[Object]) -> None:
    """The same after approval: the line of 1,600 is followed by its mirror, quantity and amount negated."""
    task = worked("200", time_entry())
    task.send("approvals", approval())
    for sent in entries:
        task.send("time-entries", sent)
    for sent in decisions:
        task.send("approvals", {**sent, "sequence": 2})
    charge, mirror = task.out["billing"]

    assert (charge["quantity"], charge["amount"]) == ("8", "1600.00")
    assert (mirror["quantity"], mirror["amount"], mirror["reverses"]) == ("-8", "-1600.00", charge["id"])
    assert mirror["rate"] == charge["rate"]
    assert figures(task, "cost", "unbilled", "billed") == ["0.00", "0.00", "0.00"]


@pytest.mark.parametrize(("decisions", "billed", "unbilled"), STATES)
def test_36_logs_are_billed_one_by_one(decisions: list[Object], billed: str, unbilled: str) -> None:
    """2 logs of 2 h at 50: what is billed and what is not is the state the source calls billed or partly billed."""
    task = worked("50", time_entry(quantity="2"), time_entry(id="2", quantity="2"))
    for decision in decisions:
        task.send("approvals", decision)

    assert figures(task, "billed", "unbilled") == [billed, unbilled]
