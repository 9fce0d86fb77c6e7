"""Invoices, credit notes and payments of the ERP: what they make of receivable and cash, in whatever order they come."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billtide.codecs import dead_letter
from billtide.codecs.currencies import parse_amount

from ..builders import (
    Object,
    Task,
    credit_note,
    engagement,
    invoice,
    payment,
    period,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)

LINE = "psa:time:1:1:billing:0"
ANSWERS = ("invoiced", "credited", "not_invoiced", "receivable", "cash", "fx_differences")
IN_GBP: Object = {"base_currency": "GBP", "fx_rate": "0.6072"}


def billed_task(terms: Object | None = None) -> Task:
    """A task with time entry 1 billed at 800 EUR."""
    task = ready_task(terms)
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    return task


def answers(task: Task) -> dict[str, Any]:
    """The figures the ERP's documents make."""
    return {name: value for name, value in task.figures().items() if name in ANSWERS}


def states(task: Task) -> dict[str, str]:
    """Latest posting state of each billing event."""
    return {told["billing_id"]: told["state"] for told in task.out["posting-states"]}


def accounts(task: Task) -> Counter[tuple[str, str, str]]:
    """What stands on each account, in minor units by legal entity and currency; every journal balances (M3)."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for event in task.out["accruals"]:
        signed = [
            (1 if line["side"] == "debit" else -1) * parse_amount(line["amount"], event["currency"], "")
            for line in event["lines"]
        ]
        assert sum(signed) == 0
        for line, amount in zip(event["lines"], signed, strict=True):
            sums[event["legal_entity_id"], event["currency"], line["account"]] += amount
    return Counter({account: amount for account, amount in sums.items() if amount})


def journals(task: Task, kind: str) -> list[list[str]]:
    """Lines of the journals of a kind."""
    return [
        [f"{line['side']} {line['account']} {line['amount']}" for line in event["lines"]]
        for event in task.out["accruals"]
        if event["kind"] == kind
    ]


def letter(task: Task) -> dict[str, str]:
    """The facts of the only dead letter."""
    ((_, _, headers),) = task.dead_letters
    return dead_letter.facts(headers.items())


def test_an_invoice_moves_what_is_billed_to_the_receivable() -> None:
    """Debit receivable with tax, credit unbilled receivable and tax; nothing is left to invoice."""
    task = billed_task()
    outcome = task.send("invoices", invoice(tax_amount="152"))

    assert outcome == "applied"
    assert journals(task, "invoice") == [
        ["debit receivable 952.00", "credit unbilled_receivable 800.00", "credit tax_payable 152.00"]
    ]
    assert answers(task) == {
        "invoiced": "800.00",
        "credited": "0.00",
        "not_invoiced": "0.00",
        "receivable": "952.00",
        "cash": "0.00",
    }


def test_a_billing_event_passes_through_its_posting_states() -> None:
    """posted (no record), invoiced, partly paid, paid; a credit of all of it, and posted again when all is cancelled."""
    task = billed_task()
    seen = [states(task).get(LINE, "no record")]
    for stream, sent in (
        ("invoices", invoice()),
        ("payments", payment("300")),
        ("payments", payment("500", id="P2")),
        ("payments", payment("500", id="P2", revision=2, status="reversed")),
        ("invoices", credit_note("500")),
        ("invoices", credit_note("800", revision=2)),
        ("invoices", credit_note("800", revision=3, status="cancelled")),
        ("payments", payment("300", revision=2, status="reversed")),
        ("invoices", invoice(revision=2, status="cancelled")),
    ):
        task.send(stream, sent)
        seen.append(states(task)[LINE])

    assert seen == [
        "no record", "invoiced", "partly_paid", "paid", "partly_paid", "paid", "credited", "partly_paid", "invoiced", "posted",
    ]  # fmt: skip
    assert "documents" not in task.out["posting-states"][-1]
    assert accounts(task) == Counter()


def test_a_partial_invoice_leaves_the_rest_to_be_invoiced() -> None:
    """A billing event may stand on several invoices; each counts with what stands on it."""
    task = billed_task()
    task.send("invoices", invoice(lines=[{"billing_id": LINE, "amount": "500"}]))
    first = task.figures()["not_invoiced"]
    task.send("invoices", invoice(id="I2", number="2026-2", lines=[{"billing_id": LINE, "amount": "300"}]))

    assert (first, task.figures()["not_invoiced"]) == ("300.00", "0.00")
    assert task.out["posting-states"][-1] == {
        "billing_id": LINE, "engagement_id": "E1", "state": "invoiced", "invoiced": "800.00", "credited": "0.00",
        "currency": "EUR", "documents": ["2026-1", "2026-2"],
    }  # fmt: skip


def test_nothing_is_said_of_an_engagement_without_documents() -> None:
    """An ERP that sends no answers changes no figures: unknown is not zero."""
    task = billed_task()
    task.send("time-entries", time_entry(id="2", status="approved"))

    assert answers(task) == {}


def test_a_revision_that_changes_a_number_alone_moves_no_money() -> None:
    """The posting stands, and keeps the revision it was made with for its reversal."""
    task = billed_task()
    task.send("invoices", invoice(), invoice(revision=2, number="2026-1a"), invoice(revision=3, status="cancelled"))

    assert [event["id"] for event in task.out["accruals"]] == [
        "erp:invoice:I1:E1:1:receivable:0",
        "erp:invoice:I1:E1:1:receivable:0:reversal",
    ]


def test_an_invoice_that_comes_back_uses_no_id_again() -> None:
    """Cancelled and issued again: its number rises (M4)."""
    task = billed_task()
    revisions = (
        invoice(),
        invoice(revision=2, status="cancelled"),
        invoice(revision=3),
        invoice(revision=4, issued_on="2026-12-01"),
    )
    task.send("invoices", *revisions)
    ids = [event["id"] for event in task.out["accruals"]]

    assert len(ids) == len(set(ids)) == 5
    assert task.figures()["invoiced"] == "800.00"


HELD = [
    pytest.param("invoices", invoice(lines=[{"billing_id": "psa:time:2:1:billing:0", "amount": "1"}]), "billing_unknown", "billing:E1:psa:time:2", id="unknown-entry"),
    pytest.param("invoices", invoice(lines=[{"billing_id": "psa:time:1:2:billing:0", "amount": "1"}]), "billing_unknown", "billing:E1:psa:time:1", id="unknown-revision"),
    pytest.param("invoices", invoice(currency="USD"), "currency_differs", "engagement:E1", id="currency"),
    pytest.param("invoices", invoice(engagement_id="E9"), "engagement_unknown", "engagement:E9", id="unknown-engagement"),
    pytest.param("invoices", invoice(issued_on="2027-01-02"), "period_unknown", "period:DE", id="unknown-period"),
    pytest.param("invoices", credit_note("1", invoice_id="I9"), "invoice_unknown", "invoice:E1:erp:I9", id="credit-of-unknown-invoice"),
    pytest.param("payments", payment(allocations=[{"invoice_id": "I9", "amount": "1"}]), "invoice_unknown", "invoice:E1:erp:I9", id="payment-of-unknown-invoice"),
    pytest.param("payments", payment(currency="USD"), "currency_differs", "engagement:E1", id="payment-currency"),
    pytest.param("payments", payment(received_on="2027-01-02"), "period_unknown", "period:DE", id="payment-period"),
    pytest.param("payments", payment(**IN_GBP), "fx_rate_missing", "invoice:E1:erp:I1", id="rate-of-the-payment-alone"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "sent", "reason", "waits_on"), HELD)
def test_a_document_that_names_what_is_not_known_is_held(stream: str, sent: Object, reason: str, waits_on: str) -> None:
    """Nothing of it counts, the user sees what it waits for, and the engagement counts it among what is held."""
    task = billed_task()
    task.send("invoices", invoice())
    before = answers(task)
    task.clear()
    changed = sent | {"id": "X"}

    assert task.send(stream, changed) == "held"
    (told,) = task.out["exceptions"]
    assert (told["action"], told["reason"], told["waits_on"], told["kind"]) == ("held", reason, waits_on, stream[:-1])
    assert told["id"] == f"erp:{stream[:-1]}:X:{sent['engagement_id']}:1:held:1"
    assert task.out["accruals"] == []
    assert task.figures(sent["engagement_id"])["held_entries"] == {reason: 1}
    assert sent["engagement_id"] != "E1" or answers(task) == before


def test_a_revision_that_names_the_unknown_takes_the_one_before_back() -> None:
    """What stands wrongly is reversed first; with it goes what its payment realised."""
    task = billed_task()
    task.send("invoices", invoice())
    task.send("payments", payment())
    task.send("invoices", invoice(revision=2, lines=[{"billing_id": "psa:time:2:1:billing:0", "amount": "800"}]))

    assert task.figures()["held_entries"] == {"billing_unknown": 1, "invoice_unknown": 1}
    assert accounts(task) == Counter()
    task.send("time-entries", time_entry(id="2", status="approved"))
    assert answers(task)["receivable"] == "0.00"
    assert states(task) == {LINE: "posted", "psa:time:2:1:billing:0": "paid"}


def test_terms_in_another_legal_entity_take_the_documents_with_them() -> None:
    """Journals are reversed in the books they were made in and made in the other: as if the terms had come first (M9)."""
    task = billed_task()
    task.refer("periods", year(legal_entity_id="CH"))
    task.send("invoices", invoice())
    task.send("payments", payment("300"))
    task.send("engagements", engagement(revision=2, legal_entity_id="CH"))
    books = accounts(task)

    assert {account: amount for account, amount in books.items() if account[2] in {"receivable", "cash"}} == {
        ("CH", "EUR", "receivable"): 500_00,
        ("CH", "EUR", "cash"): 300_00,
    }


def test_a_closed_period_holds_a_document_or_moves_it_by_policy() -> None:
    """No closed period is posted to (M6): `hold` waits for it to open, `next_open_period` posts on its first day."""
    october = period(id="2025", start_date="2025-01-01", end_date="2025-12-31", status="closed")
    for policy, dates in (("hold", []), ("next_open_period", ["2026-01-01"])):
        task = billed_task(engagement(policies={"closed_period": policy}))
        task.refer("periods", october)
        task.send("invoices", invoice(issued_on="2025-12-30"))
        assert [event["accounting_date"] for event in task.out["accruals"]] == dates
        task.refer("periods", october | {"revision": 2, "status": "open"})
        assert task.figures()["invoiced"] == "800.00"


@pytest.mark.parametrize("first", ["payment", "cancellation"])
def test_a_payment_waits_for_an_invoice_whose_cancellation_waits(first: str) -> None:
    """The invoice's period has closed: until it opens neither is settled, whichever of them came first (M9)."""
    task = billed_task()
    late = period(id="2025", start_date="2025-01-01", end_date="2025-12-31")
    task.refer("periods", late)
    task.send("invoices", invoice(issued_on="2025-12-30"))
    task.refer("periods", late | {"revision": 2, "status": "closed"})
    last = {"payment": ("payments", payment()), "cancellation": ("invoices", invoice(revision=2, status="cancelled"))}
    for stream, sent in (last.pop(first), *last.values()):
        task.send(stream, sent)
    assert (task.figures()["cash"], task.figures()["held_entries"]) == (
        "0.00",
        {"period_closed": 1, "invoice_unknown": 1},
    )
    task.refer("periods", late | {"revision": 3})

    assert (task.figures()["receivable"], task.figures()["held_entries"]) == ("-800.00", {})


DEAD = [
    pytest.param("invoices", invoice(id="I:1"), "$.id", id="colon"),
    pytest.param("invoices", invoice(currency="EUX"), "$.currency", id="currency"),
    pytest.param("invoices", invoice(invoice_id="I0"), "$.invoice_id", id="invoice-that-credits"),
    pytest.param("invoices", credit_note("1", invoice_id=""), "$.invoice_id", id="credit-of-nothing"),
    pytest.param("invoices", credit_note("-1"), "$.lines[0].amount", id="credit-below-zero"),
    pytest.param("invoices", invoice(lines=[]), "$.lines", id="no-lines"),
    pytest.param("invoices", invoice(lines=[{"billing_id": "4711", "amount": "1"}]), "$.lines[0].billing_id", id="no-billing-event"),
    pytest.param("invoices", invoice(lines=[{"billing_id": LINE, "amount": "1"}] * 2), "$.lines[1].billing_id", id="line-twice"),
    pytest.param("invoices", invoice(lines=[{"billing_id": LINE, "amount": "1.005"}]), "$.lines[0].amount", id="half-a-cent"),
    pytest.param("invoices", invoice(lines=[{"billing_id": LINE, "amount": "99999999999"}]), "$.lines", id="beyond-all-limits"),
    pytest.param("invoices", invoice(fx_rate="1"), "$.fx_rate", id="rate-to-nothing"),
    pytest.param("invoices", invoice(**IN_GBP | {"fx_rate": "0"}), "$.fx_rate", id="rate-of-zero"),
    pytest.param("invoices", invoice(base_currency="EUR", fx_rate="2"), "$.fx_rate", id="rate-to-itself"),
    pytest.param("invoices", invoice(base_currency="EUX", fx_rate="2"), "$.base_currency", id="base-currency"),
    pytest.param("payments", payment("1", allocations=[{"invoice_id": "I1", "amount": "1.01"}]), "$.allocations", id="more-than-the-payment"),
    pytest.param("payments", payment("-1", allocations=[{"invoice_id": "I1", "amount": "-1.01"}]), "$.allocations", id="more-than-the-refund"),
    pytest.param("payments", payment("2", allocations=[{"invoice_id": "I1", "amount": "1"}] * 2), "$.allocations[1].invoice_id", id="invoice-twice"),
    pytest.param("payments", payment(allocations=[{"invoice_id": "I1", "amount": "1", "paid_amount": "1"}]), "$.allocations[0].paid_amount", id="one-currency-two-amounts"),
    pytest.param("payments", payment(invoice_currency="USD"), "$.allocations[0].paid_amount", id="two-currencies-one-amount"),
    pytest.param("payments", payment(invoice_currency="EUX"), "$.invoice_currency", id="invoice-currency"),
    pytest.param("payments", payment(invoice_fx_rate="2"), "$.invoice_fx_rate", id="rate-of-no-other-currency"),
    pytest.param("payments", payment(engagement_id="E2"), "key", id="key"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "sent", "field"), DEAD)
def test_a_document_that_makes_no_sense_is_put_aside(stream: str, sent: Object, field: str) -> None:
    """The dead letter names the field; nothing changes."""
    task = billed_task()
    task.send_raw(stream, b"E1", msgspec.json.encode(sent))

    assert letter(task)["field"] == field
    assert task.out["engagement-figures"] == []


FACTS: dict[str, list[Object]] = {
    "engagements": [engagement(), engagement(revision=2, discount_percent="10")],
    "time-entries": [
        time_entry(status="approved"),
        time_entry(id="2", status="approved"),
        time_entry(id="2", revision=2, status="deleted"),
    ],
    "invoices": [
        invoice(**IN_GBP),
        invoice(id="I2", number="2026-2", lines=[{"billing_id": "psa:time:2:1:billing:0", "amount": "400"}], **IN_GBP),
        credit_note("33.33", **IN_GBP),
        invoice(revision=2, tax_amount="152", **IN_GBP | {"fx_rate": "0.6133"}),
        invoice(id="I2", revision=2, number="2026-2", status="cancelled", lines=[{"billing_id": LINE, "amount": "1"}]),
        credit_note("50", revision=2, **IN_GBP),
    ],
    "payments": [
        payment("100.07", **IN_GBP | {"fx_rate": "0.6081"}),
        payment("600", id="P2", **IN_GBP | {"fx_rate": "0.6181"}),
        payment("600", id="P2", revision=2, status="reversed"),
        payment("55.55", id="P3", allocations=[{"invoice_id": "I2", "amount": "55.55"}], **IN_GBP),
    ],
    "periods": [year()],
    "resources": [resource()],
    "rate-cards": [rate_card()],
}
EXPECTED = {
    "invoiced": "750.00", "credited": "50.00", "not_invoiced": "-30.00", "receivable": "746.38", "cash": "155.62",
    "fx_differences": {"GBP": "-0.52"},
}  # fmt: skip


@settings(max_examples=150)
@given(st.randoms(use_true_random=False))
def test_any_order_of_streams_gives_the_same_receivable(chance: Random) -> None:
    """Payments before invoices, invoices before entries and terms: figures, books and states are the same (M9)."""
    task = Task()
    task.send_mixed(FACTS, chance, repeats=(1, 1, 2))

    assert answers(task) == EXPECTED
    assert states(task)[LINE] == "partly_paid"
    assert accounts(task)["DE", "EUR", "receivable"] == 746_38
    assert accounts(task)["DE", "GBP", "receivable"] == -52
    assert task.figures()["held_entries"] == {}
    ids = [event["id"] for stream in ("accruals", "exceptions") for event in task.out[stream]]
    assert len(ids) == len(set(ids))


def test_another_number_alone_is_told_and_posts_nothing() -> None:
    """A document that is renumbered shows its new number at once, not with the next payment (M9)."""
    task = billed_task()
    task.send("invoices", invoice())
    task.clear()
    task.send("invoices", invoice(revision=2, number="2026-9"))

    assert [told["documents"] for told in task.out["posting-states"]] == [["2026-9"]]
    assert task.out["accruals"] == []


def test_an_invoice_that_waits_again_takes_its_payments_along() -> None:
    """A payment that waited for its closed month by then waits for the invoice first, as if that had never stood (M9)."""
    task = billed_task(engagement(policies={"closed_period": "hold"}))
    task.refer("periods", year("closed", id="2027", start_date="2027-01-01", end_date="2027-12-31"))
    task.send("invoices", invoice())
    task.send("payments", payment(received_on="2027-01-15"))
    assert task.figures()["held_entries"] == {"period_closed": 1}
    task.send("invoices", invoice(revision=2, lines=[{"billing_id": "psa:time:9:1:billing:0", "amount": "800"}]))

    assert task.figures()["held_entries"] == {"billing_unknown": 1, "invoice_unknown": 1}
