"""Corrections by posting state: what stands on an invoice is adjusted, and a credit reopens what it names, or is lost."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import (
    Object,
    Task,
    credit_note,
    engagement,
    invoice,
    payment,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)
from .test_receivables import accounts, answers, states

LINE = "psa:time:1:1:billing:0"
WRITE_OFF: Object = {"credit": "write_off"}


def invoiced_task(**policies: object) -> Task:
    """A task with time entry 1 billed and invoiced at 800 EUR."""
    task = ready_task(engagement(policies=policies))
    task.send("time-entries", time_entry(status="approved"))
    task.send("invoices", invoice())
    task.clear()
    return task


def correct(task: Task, revision: int, quantity: str, **changes: object) -> list[tuple[str, str, str]]:
    """Send a corrected revision; returns what it bills: action, amount, and the line it names."""
    task.out["billing"].clear()
    sent = time_entry(**{"revision": revision, "status": "approved", "quantity": quantity, **changes})
    task.send("time-entries", sent)
    return [
        (line["action"], line["amount"], line.get("adjusts") or line.get("reverses", ""))
        for line in task.out["billing"]
    ]


def test_what_is_invoiced_is_adjusted_and_the_credit_names_its_line() -> None:
    """The invoice stands: the difference is a line of its own, under the policy that reverses and rebills too."""
    task = invoiced_task()

    assert correct(task, 2, "6") == [("adjustment", "-200.00", LINE)]
    assert correct(task, 3, "9") == [("adjustment", "300.00", LINE)]
    assert (task.figures()["billed"], task.figures()["not_invoiced"]) == ("900.00", "100.00")


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        pytest.param("invoices", invoice(revision=2, status="cancelled"), id="cancelled"),
        pytest.param("invoices", credit_note("800"), id="credited"),
    ],
)
def test_what_is_no_longer_invoiced_is_reversed_and_rebilled(stream: str, sent: Object) -> None:
    """A cancelled invoice, or a credit of all of it, gives the correction back to the policy."""
    task = invoiced_task()
    task.send(stream, sent)

    assert correct(task, 2, "6") == [("reversal", "-800.00", LINE), ("charge", "600.00", "")]


def test_what_is_withdrawn_is_reversed_line_by_line() -> None:
    """Nothing unapproved stays billed (M6): charge and adjustment are each taken back by a line that names it."""
    task = invoiced_task()
    correct(task, 2, "6")

    assert correct(task, 3, "6", status="recalled") == [
        ("reversal", "-800.00", LINE),
        ("reversal", "200.00", "psa:time:1:2:billing:0"),
    ]
    assert task.figures()["not_invoiced"] == "-800.00"


@pytest.mark.parametrize(
    ("policy", "lines", "held"),
    [
        pytest.param("hold", [], {"period_closed": 1}, id="hold"),
        pytest.param("next_open_period", [("adjustment", "-200.00", LINE)], {}, id="next-open-period"),
    ],
)
def test_a_correction_in_a_closed_period_goes_by_policy(
    policy: str, lines: list[tuple[str, str, str]], held: dict[str, int]
) -> None:
    """Held, the invoiced line stays as it is until the period opens; else its adjustment moves to the next open one."""
    task = invoiced_task(closed_period=policy)
    task.refer("periods", year("closed", revision=2), year(id="2027", start_date="2027-01-01", end_date="2027-12-31"))

    assert correct(task, 2, "6") == lines
    assert task.figures()["held_entries"] == held
    assert {line["accounting_date"] for line in task.out["billing"]} == ({"2027-01-01"} if lines else set())
    task.refer("periods", year(revision=3))
    assert task.figures()["billed"] == "600.00"


def test_only_the_entry_that_is_invoiced_is_adjusted() -> None:
    """The posting state is that of each entry, never of the engagement."""
    task = invoiced_task()
    task.send("time-entries", time_entry(id="2", status="approved"))

    assert [line[0] for line in correct(task, 2, "6", id="2")] == ["reversal", "charge"]


def test_a_partial_credit_reopens_exactly_what_it_names() -> None:
    """200 of one line are to be invoiced again, no other line is touched, and a new invoice of them closes it."""
    task = invoiced_task()
    task.send("time-entries", time_entry(id="2", status="approved"))
    other = [{"billing_id": "psa:time:2:1:billing:0", "amount": "800"}]
    task.send("invoices", invoice(id="I2", number="2026-2", lines=other), credit_note("200"))
    told = task.out["posting-states"][-1]
    assert (told["billing_id"], told["invoiced"], told["credited"]) == (LINE, "800.00", "200.00")
    assert answers(task)["not_invoiced"] == "200.00"
    assert states(task) == {LINE: "invoiced", "psa:time:2:1:billing:0": "invoiced"}
    again = [{"billing_id": LINE, "amount": "200"}]
    task.send("invoices", invoice(id="I3", number="2026-3", lines=again))

    assert answers(task)["not_invoiced"] == "0.00"
    assert len(task.out["billing"]) == 1


def test_a_credit_written_off_is_lost_revenue() -> None:
    """Nothing is to be invoiced again; revenue and margin fall by it, as a balanced journal, and come back with it."""
    task = invoiced_task(**WRITE_OFF)
    task.send("invoices", credit_note("200", tax_amount="38"))
    figures = task.figures()
    shown = [
        figures[name] for name in ("billed", "written_off", "not_invoiced", "earned", "margin", "contract_liability")
    ]
    assert shown == ["800.00", "200.00", "0.00", "600.00", "200.00", "0.00"]
    assert accounts(task) == {
        ("DE", "EUR", "receivable"): -238_00,
        ("DE", "EUR", "tax_payable"): 38_00,
        ("DE", "EUR", "revenue"): 200_00,
    }
    task.send("invoices", credit_note("200", revision=2, status="cancelled"))

    assert accounts(task) == {}
    assert [task.figures()[name] for name in ("written_off", "earned", "receivable")] == ["0.00", "800.00", "800.00"]


def test_terms_that_change_what_becomes_of_a_credit_count_from_the_first() -> None:
    """As if they had come before the credit note (M9)."""
    task = invoiced_task()
    task.send("invoices", credit_note("200"))
    task.send("engagements", engagement(revision=2, policies=WRITE_OFF))
    assert (task.figures()["earned"], task.figures()["not_invoiced"]) == ("600.00", "0.00")
    task.send("engagements", engagement(revision=3))

    assert (task.figures()["earned"], task.figures()["not_invoiced"]) == ("800.00", "200.00")


FACTS: dict[str, list[Object]] = {
    "engagements": [engagement(), engagement(revision=2, policies=WRITE_OFF)],
    "time-entries": [
        time_entry(status="approved"),
        time_entry(revision=2, status="approved", quantity="6"),
        time_entry(revision=3, status="approved", quantity="7"),
    ],
    "invoices": [
        invoice(),
        credit_note("100"),
        invoice(revision=2, issued_on="2026-12-01"),
        credit_note("150", revision=2),
    ],
    "payments": [payment("300")],
    "periods": [year()],
    "resources": [resource()],
    "rate-cards": [
        rate_card(),
        rate_card(version=2, effective_from="2026-02-01", lines=[{"role": "analyst", "rate": "110"}]),
    ],
}
FIGURES = {
    "billed": "770.00", "earned": "620.00", "written_off": "150.00", "invoiced": "650.00", "not_invoiced": "-30.00",
    "receivable": "350.00",
}  # fmt: skip


@settings(max_examples=150)
@given(st.randoms(use_true_random=False))
def test_any_order_of_streams_gives_the_same_money(chance: Random) -> None:
    """Adjusted or reversed and rebilled by what was invoiced at the time: the sums are the same (M1, M9)."""
    task = Task()
    task.send_mixed(FACTS, chance)
    figures = task.figures()

    assert {name: figures[name] for name in FIGURES} == FIGURES
    ids = [event["id"] for stream in ("billing", "accruals", "revenue") for event in task.out[stream]]
    assert len(ids) == len(set(ids))
