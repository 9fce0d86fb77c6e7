"""Account numbers from an account map to journals: what is posted has them, and keeps them when it is reversed."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from billtide.agents.reference import apply_reference
from billtide.codecs.wire import encode

from ..builders import (
    Object,
    Task,
    account_map,
    approval,
    engagement,
    expense,
    invoice,
    payment,
    period,
    ready_task,
    time_entry,
    year,
)

NUMBERS = {
    "work_in_progress": "1400", "accrued_revenue": "4090", "project_cost": "6000", "project_expense": "6300",
    "payroll_allocation": "6900", "employee_payable": "3300", "unbilled_receivable": "1410", "revenue": "4000",
    "contract_asset": "1420", "project_loss": "6990", "loss_provision": "3090", "deferred_revenue": "2400",
    "receivable": "1200", "tax_payable": "1776", "cash": "1800",
}  # fmt: skip
LINES = tuple({"account": account, "number": number} for account, number in NUMBERS.items())
HOLD = {"unmapped_account": "hold"}


def journals(task: Task) -> list[tuple[str, ...]]:
    """Accounts with their numbers, of every journal that left."""
    events = [*task.out["accruals"], *task.out["revenue"]]
    return [tuple(f"{line['account']} {line.get('number', '-')}" for line in event["lines"]) for event in events]


def mapped(terms: Object | None = None, *lines: Object) -> Task:
    """A task whose legal entity has a map."""
    task = ready_task(terms)
    task.refer("account-maps", account_map(*(lines or LINES)))
    return task


def test_every_journal_of_an_entry_carries_the_numbers() -> None:
    """Cost, work in progress, its reversal and revenue, each account with its own number."""
    task = mapped()
    task.send("time-entries", time_entry())
    task.send("approvals", approval())
    task.send("expenses", expense(status="approved"))
    found = {line for journal in journals(task) for line in journal}

    others = {
        "contract_asset",
        "project_loss",
        "loss_provision",
        "deferred_revenue",
        "receivable",
        "tax_payable",
        "cash",
    }
    used = NUMBERS.keys() - others
    assert found == {f"{account} {NUMBERS[account]}" for account in used}


def test_without_a_map_accounts_are_named_as_ever() -> None:
    """No line has a number, and the event no new field."""
    task = ready_task()
    task.refer("account-maps", account_map(*LINES, legal_entity_id="AT"))
    task.send("time-entries", time_entry(status="approved"))

    assert all(set(line) == {"account", "side", "amount"} for event in task.out["revenue"] for line in event["lines"])


def test_an_account_without_a_number_is_posted_by_its_name() -> None:
    """By default what the map does not know is no reason to wait."""
    task = mapped(None, {"account": "revenue", "number": "4000"})
    task.send("time-entries", time_entry(status="approved"))

    assert journals(task) == [("project_cost -", "payroll_allocation -"), ("unbilled_receivable -", "revenue 4000")]


def test_an_expense_is_mapped_by_its_category() -> None:
    """Of a map with a number for travel and one for the rest."""
    task = mapped(
        None, {"account": "revenue", "number": "1"}, {"account": "revenue", "number": "2", "category": "travel"}
    )
    task.send("expenses", expense(status="approved"))
    task.send("expenses", expense(id="2", status="approved", category="hotel"))

    assert [event["lines"][1]["number"] for event in task.out["revenue"]] == ["2", "1"]


def test_a_reversal_keeps_the_numbers_of_the_original() -> None:
    """New numbers and another practice since: what stood is reversed by its own, what is posted anew has the new."""
    task = mapped()
    task.send("time-entries", time_entry())
    task.send("time-entries", time_entry(id="2", status="approved"))
    task.refer("account-maps", account_map(*({**line, "number": f"9{line['number']}"} for line in LINES), version=2))
    task.clear()
    task.send("time-entries", time_entry(revision=2, quantity="4"))
    task.send("time-entries", time_entry(id="2", revision=2, status="approved", quantity="4"))

    moved = [*task.out["accruals"], *task.out["revenue"]]
    assert {bool(event.get("reverses")) for event in moved} == {True, False}
    for event in moved:
        for line in event["lines"]:
            prefix = "" if event.get("reverses") else "9"
            assert line["number"] == prefix + NUMBERS[line["account"]]


@pytest.mark.parametrize("correction", ["reverse_and_rebill", "adjust"])
def test_numbers_balance_whatever_is_corrected(correction: str) -> None:
    """M3 by number: after a correction and a withdrawal each account of the books is as it was before."""
    task = mapped(engagement(policies={"correction": correction}))
    task.send("expenses", expense(status="approved"))
    task.refer("account-maps", account_map(*({**line, "number": f"9{line['number']}"} for line in LINES), version=2))
    task.send("expenses", expense(revision=2, status="approved", amount="60"))
    task.send("expenses", expense(revision=3, status="deleted"))

    left: Counter[str] = Counter()
    for event in [*task.out["accruals"], *task.out["revenue"]]:
        for line in event["lines"]:
            left[line["number"]] += Decimal(line["amount"]) * (1 if line["side"] == "debit" else -1)
    assert len(left) > 4
    assert not any(left.values())


@pytest.mark.parametrize("billed", ["advance", "arrears"])
def test_a_subscription_carries_numbers(billed: str) -> None:
    """Its bill, its deferral and its revenue; for another customer the bill is reversed by the numbers it had."""
    fee = {"amount": "120", "term": "month", "billed": billed, "billed_terms": "rebill"}
    terms = engagement(contract_type="subscription", fee=fee, start_date="2026-11-01", end_date="2026-11-30")
    task = mapped()
    task.send("engagements", {**terms, "id": "E2"})
    old = {number for journal in journals(task) for line in journal for number in line.split()[1:]}
    task.refer("account-maps", account_map(*({**line, "number": f"9{line['number']}"} for line in LINES), version=2))
    task.clear()
    task.send("engagements", {**terms, "id": "E2", "revision": 2, "customer_id": "C2"})

    assert "-" not in old
    assert old == {"1410", "4000", "2400" if billed == "advance" else "1420"}
    reversal = next(event for event in task.out["accruals"] if event["action"] == "reversal")
    assert {line["number"] for line in reversal["lines"]} < old


def test_a_prepaid_balance_carries_numbers() -> None:
    """A retainer that work uses up: its bill, and what is drawn against deferred revenue."""
    fee = {"amount": "1000", "term": "month", "drawdown": {}}
    task = mapped()
    terms = engagement(contract_type="retainer", fee=fee, start_date="2026-11-01", end_date="2026-11-30")
    task.send("engagements", {**terms, "id": "E2"})
    task.send("time-entries", time_entry(engagement_id="E2", status="approved"))
    found = {line for journal in journals(task) for line in journal}

    used = {"project_cost", "payroll_allocation", "unbilled_receivable", "deferred_revenue", "revenue"}
    assert found == {f"{account} {NUMBERS[account]}" for account in used}


def test_documents_of_the_erp_carry_numbers() -> None:
    """An invoice with tax and its payment; cancelled under another map, they are reversed by the numbers they had."""
    task = mapped()
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.send("invoices", invoice(tax_amount="152"))
    task.send("payments", payment("952"))
    task.refer("account-maps", account_map(*({**line, "number": f"9{line['number']}"} for line in LINES), version=2))
    task.send("invoices", invoice(revision=2, tax_amount="152", status="cancelled"))
    events = task.out["accruals"]

    assert {event["action"] for event in events} == {"accrual", "reversal"}
    used = {"receivable", "unbilled_receivable", "tax_payable", "cash"}
    assert {line for journal in journals(task) for line in journal} == {f"{name} {NUMBERS[name]}" for name in used}


def fee(estimated_cost: str, revision: int = 1, **reached: str) -> Object:
    """A fixed fee of 1,000 with one milestone."""
    milestones = [{"id": "M", "amount": "1000", **reached}]
    terms = {"amount": "1000", "estimated_cost": estimated_cost, "milestones": milestones}
    return engagement(contract_type="fixed_fee", fee=terms, revision=revision)


def test_what_the_terms_post_carries_numbers_too() -> None:
    """A fixed fee: progress, a milestone and its reversal."""
    task = mapped(fee("700"))
    task.send("engagements", fee("700", 2, reached_on="2026-11-20"))
    task.send("time-entries", time_entry(status="approved"))
    task.send("engagements", fee("700", 3))
    found = {line for journal in journals(task) for line in journal}

    fixed = {"unbilled_receivable", "contract_asset", "revenue", "project_cost", "payroll_allocation"}
    assert found == {f"{account} {NUMBERS[account]}" for account in fixed}


def test_a_provided_loss_carries_numbers() -> None:
    """Known before any work: 1,000 lost of a fee of 1,000."""
    task = mapped(fee("700"))
    task.send("engagements", fee("2000", 2))

    assert journals(task) == [("project_loss 6990", "loss_provision 3090")]


def test_a_retainers_fee_carries_numbers() -> None:
    """The fee of a term whose period opens after the map came."""
    task = mapped(engagement(contract_type="retainer", fee={"amount": "100"}, start_date="2027-01-01"))
    task.refer("periods", period(id="2027-01", start_date="2027-01-01", end_date="2027-01-31"))

    assert journals(task) == [("unbilled_receivable 1410", "revenue 4000")]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(None, id="no map"),
        pytest.param(LINES[1:8], id="one number is missing"),
        pytest.param((*LINES[:5], {**LINES[5], "category": "hotel"}, *LINES[6:]), id="a number for some categories"),
    ],
)
def test_by_policy_nothing_is_posted_until_every_account_has_a_number(lines: tuple[Object, ...] | None) -> None:
    """Held with the reason and the fix; the map's next version lets it go, with every number."""
    task = ready_task(engagement(policies=HOLD))
    if lines is not None:
        task.refer("account-maps", account_map(*lines))
    task.send("time-entries", time_entry(status="approved"))
    assert task.figures()["held_entries"] == {"account_unmapped": 1}
    assert journals(task) == []
    assert "account map of DE" in task.out["exceptions"][-1]["message"]
    task.refer("account-maps", account_map(*LINES[:8], version=2))

    assert task.figures()["held_entries"] == {}
    assert journals(task) == [
        ("project_cost 6000", "payroll_allocation 6900"),
        ("unbilled_receivable 1410", "revenue 4000"),
    ]


def test_a_map_that_came_while_no_worker_ran_lets_go_too() -> None:
    """After a restart whatever waits for reference data is tried again."""
    task = ready_task(engagement(contract_type="retainer", fee={"amount": "100"}, policies=HOLD))
    task.restart()
    apply_reference(task.reference, "account-maps", [task.record("account-maps", b"", encode(account_map(*LINES)))])
    task.wake(None)

    assert len(task.amounts()) == 12


def test_an_internal_contract_needs_fewer_numbers() -> None:
    """Only its costs are posted."""
    task = ready_task(engagement(contract_type="internal", policies=HOLD))
    task.refer("account-maps", account_map(*LINES[2:6]))
    task.send("time-entries", time_entry(status="approved"))

    assert journals(task) == [("project_cost 6000", "payroll_allocation 6900")]


def test_a_fee_that_waits_for_a_number_is_told_once_and_released() -> None:
    """First the period is closed, then the map is missing: each wait has its beginning and its end."""
    task = ready_task()
    terms = engagement(
        id="E2", contract_type="retainer", fee={"amount": "100"}, start_date="2026-12-01", end_date="2026-12-31",
        policies=HOLD,
    )  # fmt: skip
    task.refer("periods", year("closed", revision=2))
    task.send("engagements", terms)
    task.refer("periods", year("open", revision=3))
    task.refer("account-maps", account_map(*LINES))

    told = [(event["action"], event["reason"]) for event in task.out["exceptions"]]
    assert told == [
        ("held", "period_closed"),
        ("released", "period_closed"),
        ("held", "account_unmapped"),
        ("released", "account_unmapped"),
    ]
    assert len({event["id"] for event in task.out["exceptions"]}) == len(told)
    assert task.amounts() == ["100.00"]
