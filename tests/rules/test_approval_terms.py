"""What a contract asks of approval beyond levels: amounts, approval without a decision, named approvers and delegates."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from billtide.agents.rules.approval_terms import ApprovalTerms, approval_terms
from billtide.codecs.engagement import Policies
from billtide.codecs.entry_state import Decision
from billtide.codecs.errors import UndecodableError

from ..builders import Object, Task, approval, assignment, engagement, expense, rate_card, ready_task, time_entry, year

FINANCE = {"level": "finance", "amount": "800"}
NOVEMBER = {"valid_from": "2026-11-01", "valid_to": "2026-11-30"}


def policies(**changes: object) -> Policies:
    """Policies as they come on the wire."""
    return msgspec.convert(changes, Policies)


def compiled(**changes: object) -> ApprovalTerms:
    """Approval terms of an engagement in EUR."""
    return ApprovalTerms(policies(**changes), "EUR")


def task_with(**changes: object) -> Task:
    """A task with these policies; an analyst is 100 an hour and costs 50."""
    return ready_task(engagement(policies=changes))


def figures(task: Task, *names: str) -> list[str]:
    found = task.figures()
    return [found[name] for name in names]


def test_nothing_asked_is_no_terms() -> None:
    """A contract with levels alone has none, so its entries pay nothing for what it does not use."""
    assert approval_terms(policies(approval_levels=["manager", "finance"]), "EUR") is None


@pytest.mark.parametrize(
    ("price", "cost", "expected"),
    [
        pytest.param(99_99, 0, ((), True), id="under-the-amount-of-no-decision"),
        pytest.param(100_00, 0, (("manager",), False), id="at-that-amount"),
        pytest.param(799_99, 499_99, (("manager",), False), id="under-both-thresholds"),
        pytest.param(800_00, 0, (("manager", "finance"), False), id="at-a-threshold"),
        pytest.param(200_00, 500_00, (("manager", "project"), False), id="at-a-threshold-by-cost"),
        pytest.param(50_00, 500_00, (("project",), True), id="small-price-and-large-cost"),
    ],
)
def test_levels_by_amount(price: int, cost: int, expected: tuple[tuple[str, ...], bool]) -> None:
    """An entry needs the contract's levels unless it is small, and the level of each threshold it reaches."""
    by_cost = {"level": "project", "amount": "500", "of": "cost"}
    terms = compiled(approval_levels=["manager"], approval_thresholds=[FINANCE, by_cost], auto_approve_under="100")

    assert expected == terms.required(price, cost)


@pytest.mark.parametrize(
    ("hours", "levels", "billed", "unbilled"),
    [
        pytest.param("7.99", ["manager"], "799.00", "0.00", id="under-it-needs-no-finance"),
        pytest.param("8", ["manager"], "0.00", "800.00", id="at-the-amount-waits-for-finance"),
        pytest.param("8", ["manager", "finance"], "800.00", "0.00", id="finance-approves"),
        pytest.param("8", ["finance"], "800.00", "0.00", id="any-level-and-finance"),
        pytest.param("-8", ["manager"], "0.00", "-800.00", id="a-credit-is-weighed-like-a-charge"),
    ],
)
def test_a_large_entry_waits_for_the_level_of_its_threshold(
    hours: str, levels: list[str], billed: str, unbilled: str
) -> None:
    """Until then it is accrued and nothing of it is billed (M6)."""
    task = task_with(approval_thresholds=[FINANCE])
    task.send("time-entries", time_entry(quantity=hours))
    for level in levels:
        task.send("approvals", approval(level=level))

    assert figures(task, "billed", "unbilled") == [billed, unbilled]


@pytest.mark.parametrize(
    ("sent", "billed", "cost"),
    [
        pytest.param(time_entry(quantity="16", billable=False), "0.00", "800.00", id="not-billable-by-cost"),
        pytest.param(time_entry(quantity="8", billable=False), "0.00", "400.00", id="small-cost"),
    ],
)
def test_what_nobody_pays_for_is_weighed_by_its_cost(sent: Object, billed: str, cost: str) -> None:
    """No price is not a price of zero: 16 h at 50 reach the threshold, 8 h do not."""
    task = task_with(approval_thresholds=[FINANCE])
    task.send("time-entries", sent)
    task.send("approvals", approval())
    hours = "non_billable_hours" if cost == "400.00" else "submitted_hours"

    assert figures(task, "billed", "cost", hours) == [billed, cost, sent["quantity"]]


def test_an_expense_is_weighed_too() -> None:
    """An expense of 1,000 waits for finance as time does."""
    task = task_with(approval_thresholds=[FINANCE])
    task.send("expenses", expense(amount="1000"))
    task.send("approvals", approval(entry_type="expense"))
    assert figures(task, "billed") == ["0.00"]
    task.send("approvals", approval(entry_type="expense", level="finance"))

    assert figures(task, "billed") == ["1000.00"]


def test_what_the_source_approved_needs_no_level() -> None:
    """An entry that comes approved was approved where it was made; a threshold does not ask again."""
    task = task_with(approval_thresholds=[FINANCE])
    task.send("time-entries", time_entry(status="approved"))

    assert figures(task, "billed") == ["800.00"]


@pytest.mark.parametrize(
    ("status", "billed"),
    [
        pytest.param("submitted", "100.00", id="handed-in"),
        pytest.param("draft", "0.00", id="drafted"),
        pytest.param("rejected", "0.00", id="rejected"),
        pytest.param("deleted", "0.00", id="deleted"),
    ],
)
def test_a_small_entry_needs_no_decision(status: str, billed: str) -> None:
    """Under the amount handing in is enough; a draft is not handed in, and what is withdrawn stays so."""
    task = task_with(approval_levels=["manager"], auto_approve_under="100.01")
    task.send("time-entries", time_entry(quantity="1", status=status))

    assert figures(task, "billed") == [billed]


def test_a_small_entry_can_still_be_rejected() -> None:
    """A decision withdraws what needed none: the bill is reversed."""
    task = task_with(auto_approve_under="500")
    task.send("time-entries", time_entry(quantity="1"))
    task.send("approvals", approval(verdict="rejected"))

    assert task.amounts() == ["100.00", "-100.00"]


def test_an_entry_that_grows_over_the_amount_waits() -> None:
    """The small version stays billed until somebody approves the large one."""
    task = task_with(auto_approve_under="500")
    task.send("time-entries", time_entry(quantity="1"))
    task.send("time-entries", time_entry(quantity="8", revision=2))
    assert figures(task, "billed", "unbilled") == ["100.00", "0.00"]
    task.send("approvals", approval(entry_revision=2))

    assert figures(task, "billed") == ["800.00"]


def test_an_unknown_weight_is_no_small_one() -> None:
    """Without a rate the entry is held for the rate, and judged when it comes."""
    task = task_with(auto_approve_under="500", accrue_at="approval")
    task.send("time-entries", time_entry(role="partner", quantity="2"))
    assert task.figures()["held_entries"] == {"rate_missing": 1}
    assert task.out["billing"] == []
    task.refer("rate-cards", rate_card(version=2, lines=[{"role": "partner", "rate": "200"}]))

    assert figures(task, "billed") == ["400.00"]


@pytest.mark.parametrize("last", ["rate-cards", "time-entries"])
def test_a_weight_is_waited_for_whatever_the_period_of_the_work(last: str) -> None:
    """Handed in for a month that has not begun, large work needs a decision: no hold is left when its rate comes last."""
    task = task_with(auto_approve_under="500", accrue_at="approval")
    task.refer("periods", year("future", id="2027", start_date="2027-01-01", end_date="2027-12-31"))
    card = rate_card(version=2, lines=[{"role": "partner", "rate": "200"}])
    if last == "time-entries":
        task.refer("rate-cards", card)
    task.send("time-entries", time_entry(role="partner", work_date="2027-01-04"))
    if last == "rate-cards":
        assert task.figures()["held_entries"] == {"rate_missing": 1}
        task.refer("rate-cards", card)

    assert task.figures()["held_entries"] == {}


@pytest.mark.parametrize("first", ["assignments", "time-entries"])
def test_an_assignment_that_becomes_known_weighs_what_names_it(first: str) -> None:
    """Work for a month that has not begun is small as soon as its assignment is known, and counts as approved hours."""
    task = task_with(auto_approve_under="500")
    task.refer("periods", year("future", id="2027", start_date="2027-01-01", end_date="2027-12-31"))
    entry = ("time-entries", time_entry(quantity="2", assignment_id="A1", work_date="2027-01-04"))
    planned = ("assignments", assignment(source="psa"))
    for stream, sent in (planned, entry) if first == "assignments" else (entry, planned):
        task.send(stream, sent)

    assert figures(task, "submitted_hours", "approved_hours") == ["0", "2"]


@pytest.mark.parametrize("last", ["rate-cards", "approvals"])
def test_a_rate_that_rises_over_a_threshold_asks_for_its_level(last: str) -> None:
    """Before the approval or after it: what is worth 1,600 now is not billed before finance approves (M6, M9)."""
    task = task_with(approval_thresholds=[{"level": "finance", "amount": "900"}])
    task.send("time-entries", time_entry())
    if last == "rate-cards":
        task.send("approvals", approval())
    task.refer("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "200"}]))
    if last == "approvals":
        task.send("approvals", approval())
    assert figures(task, "billed", "unbilled") == ["0.00", "1600.00"]
    task.send("approvals", approval(level="finance"))

    assert figures(task, "billed", "unbilled") == ["1600.00", "0.00"]


def test_a_period_that_closes_does_not_undo_an_approval() -> None:
    """The weight is known also when nothing of its date can be posted any more."""
    task = task_with(approval_thresholds=[{"level": "finance", "amount": "900"}])
    task.send("time-entries", time_entry())
    task.send("approvals", approval())
    task.refer("periods", year("closed", revision=2))
    task.clear()

    assert task.send("approvals", approval(level="project")) == "applied"
    assert task.out["billing"] == []
    assert figures(task, "billed") == ["800.00"]


def test_terms_that_ask_for_more_take_a_bill_back() -> None:
    """A threshold that comes with new terms holds for what is billed already (M9)."""
    task = task_with()
    task.send("time-entries", time_entry())
    task.send("approvals", approval())
    task.send("engagements", engagement(revision=2, policies={"approval_thresholds": [FINANCE]}))

    assert figures(task, "billed", "unbilled") == ["0.00", "800.00"]


NAMED = [
    {"approver_id": "R-1", "level": "manager"},
    {"approver_id": "R-2", "level": "finance", **NOVEMBER},
    {"approver_id": "R-3", "level": "project", "delegates": [{"approver_id": "R-4", **NOVEMBER}]},
]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "approver", "on_behalf_of", "on", "allowed"),
    [
        pytest.param("manager", "R-1", "", None, True, id="named"),
        pytest.param("manager", "R-9", "", None, False, id="somebody-else"),
        pytest.param("manager", "", "", None, False, id="nobody-said"),
        pytest.param("finance", "R-1", "", None, False, id="named-for-another-level"),
        pytest.param("finance", "R-2", "", dt.date(2026, 11, 1), True, id="on-the-first-day"),
        pytest.param("finance", "R-2", "", dt.date(2026, 11, 30), True, id="on-the-last-day"),
        pytest.param("finance", "R-2", "", dt.date(2026, 10, 31), False, id="before"),
        pytest.param("finance", "R-2", "", dt.date(2026, 12, 1), False, id="after"),
        pytest.param("finance", "R-2", "", None, False, id="dated-and-no-day-given"),
        pytest.param("project", "R-4", "R-3", dt.date(2026, 11, 15), True, id="a-delegate"),
        pytest.param("project", "R-4", "R-3", dt.date(2026, 12, 1), False, id="a-delegate-of-last-month"),
        pytest.param("project", "R-4", "", dt.date(2026, 11, 15), False, id="a-delegate-in-their-own-name"),
        pytest.param("project", "R-9", "R-3", dt.date(2026, 11, 15), False, id="no-delegate-of-theirs"),
        pytest.param("manager", "R-4", "R-1", dt.date(2026, 11, 15), False, id="a-delegate-of-somebody-else"),
    ],
)
def test_who_may_decide(level: Any, approver: str, on_behalf_of: str, on: dt.date | None, allowed: bool) -> None:  # noqa: FBT001
    """Approver and delegate both have to be named for the level and valid on the day."""
    decision = Decision(1, level, 1, "approved", approver, on_behalf_of, on)

    assert compiled(approvers=NAMED).may_decide(decision) is allowed
    assert compiled(auto_approve_under="1").may_decide(decision)


WRONG = [
    pytest.param({"approval_thresholds": [{"level": "finance", "amount": "-1"}]}, "$.policies.approval_thresholds[0].amount", id="amount-below-zero"),
    pytest.param({"approval_thresholds": [{"level": "finance", "amount": "1.005"}]}, "$.policies.approval_thresholds[0].amount", id="half-a-cent"),
    pytest.param({"auto_approve_under": "-1"}, "$.policies.auto_approve_under", id="no-decision-below-zero"),
    pytest.param({"approvers": [{"approver_id": "R-1", "level": "finance", "valid_from": "2026-02-01", "valid_to": "2026-01-31"}]}, "$.policies.approvers[0].valid_to", id="ends-before-it-begins"),
    pytest.param({"approvers": [{"approver_id": "R-1", "level": "finance", "delegates": [{"approver_id": "R-2", "valid_from": "2026-02-01", "valid_to": "2026-01-31"}]}]}, "$.policies.approvers[0].delegates[0].valid_to", id="delegate-ends-before-it-begins"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), WRONG)
def test_terms_that_make_no_sense_are_refused(sent: Object, field: str) -> None:
    """The sender reads which field is wrong and what to do."""
    with pytest.raises(UndecodableError) as raised:
        compiled(**sent)

    assert raised.value.field == field
    assert raised.value.problem
    assert raised.value.fix
