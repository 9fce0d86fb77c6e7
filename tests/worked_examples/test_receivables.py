"""Published figures of invoices, payments and exchange differences. Numbers are those of the collection of examples."""

from __future__ import annotations

import pytest

from ..builders import (
    Object,
    Task,
    credit_note,
    engagement,
    expense,
    invoice,
    payment,
    ready_task,
    resource,
    time_entry,
)


def task_in(currency: str, amount: str) -> Task:
    """An engagement with one billed expense."""
    task = ready_task(engagement(currency=currency))
    task.send("expenses", expense(status="approved", amount=amount, currency=currency))
    task.clear()
    return task


def bill(currency: str, amount: str, base: str, rate: str) -> Object:
    """The invoice of that expense with its rate to the legal entity's currency."""
    lines = [{"billing_id": "psa:expense:1:1:billing:0", "amount": amount}]
    return invoice(currency=currency, lines=lines, base_currency=base, fx_rate=rate)


@pytest.mark.parametrize(
    ("currency", "amount", "base", "rates", "gain", "values"),
    [
        pytest.param(
            "USD", "500", "GBP", ("0.6072", "0.6081"), "0.45", ["303.60 GBP", "304.05 GBP"],
            id="25-jde-gain-of-a-payment-at-a-higher-rate",
        ),
        pytest.param(
            "CAD", "500", "USD", ("0.71268", "0.70882"), "-1.93", ["356.34 USD", "354.41 USD"],
            id="25-jde-loss-of-a-payment-at-a-lower-rate",
        ),
        pytest.param(
            "EUR", "1000", "USD", ("1.5", "1.55"), "50.00", ["1500.00 USD", "1550.00 USD"],
            id="26-deltek-realised-gain-nothing-unrealised-being-posted",
        ),
    ],
)  # fmt: skip
def test_worked_examples_of_realised_differences(
    currency: str, amount: str, base: str, rates: tuple[str, str], gain: str, values: list[str]
) -> None:
    """The payment in the entity's currency less the invoice in it; both stand in the trace (JD Edwards; Deltek)."""
    task = task_in(currency, amount)
    task.send("invoices", bill(currency, amount, base, rates[0]))
    task.send("payments", payment(amount, currency=currency, base_currency=base, fx_rate=rates[1]))
    event = task.out["accruals"][-1]

    assert task.figures()["fx_differences"] == {base: gain}
    assert (event["kind"], event["currency"]) == ("fx_difference", base)
    assert [step["value"] for step in event["trace"]] == values
    assert {line["account"] for line in event["lines"]} == {"receivable", "fx_loss" if gain[0] == "-" else "fx_gain"}


def test_worked_example_25_a_payment_in_a_third_currency() -> None:
    """25 (JD Edwards): 500 CAD paid as 38,850 JPY = 355.98 USD: loss of 1.93 by the invoice's rate, gain of 1.57 beside."""
    task = task_in("CAD", "500")
    task.send("invoices", bill("CAD", "500", "USD", "0.71268"))
    paid = {"currency": "JPY", "fx_rate": "0.009163", "invoice_currency": "CAD", "invoice_fx_rate": "0.70882"}
    parts = [{"invoice_id": "I1", "amount": "500", "paid_amount": "38850"}]
    task.send("payments", payment("38850", base_currency="USD", allocations=parts, **paid))
    event = task.out["accruals"][-1]

    assert [step["value"] for step in event["trace"]] == ["356.34 USD", "354.41 USD", "355.98 USD"]
    assert [(line["account"], line["side"], line["amount"]) for line in event["lines"]] == [
        ("receivable", "credit", "1.93"),
        ("fx_loss", "debit", "1.93"),
        ("cash", "debit", "1.57"),
        ("fx_gain", "credit", "1.57"),
    ]
    assert task.figures()["fx_differences"] == {"USD": "-0.36"}


def test_worked_example_36_billed_and_returned_states() -> None:
    """36 (ERPNext test_timesheet): 2 logs of 2 h x 50: one invoiced, both, the second returned, the return cancelled."""
    task = ready_task(engagement(rates=[{"rate": "50"}]))
    logs = [{"billing_id": f"psa:time:{log}:1:billing:0", "amount": "100"} for log in (1, 2)]
    task.send("time-entries", *(time_entry(id=str(log), quantity="2", status="approved") for log in (1, 2)))
    seen = []
    for document in (
        invoice(lines=logs[:1]),
        invoice(id="I2", lines=logs[1:]),
        credit_note("100", invoice_id="I2", lines=logs[1:]),
        credit_note("100", invoice_id="I2", lines=logs[1:], revision=2, status="cancelled"),
    ):
        task.send("invoices", document)
        states = {told["billing_id"]: told["state"] for told in task.out["posting-states"]}
        seen.append((task.figures()["not_invoiced"], *states.values()))

    assert seen == [
        ("100.00", "invoiced"),
        ("0.00", "invoiced", "invoiced"),
        ("100.00", "invoiced", "credited"),
        ("0.00", "invoiced", "invoiced"),
    ]


def test_worked_example_36_in_the_currency_of_the_books() -> None:
    """36 (ERPNext): at exchange_rate 2, 100 invoiced are 200 in the books, and paid at the same rate realise nothing."""
    task = task_in("EUR", "100")
    task.send("invoices", bill("EUR", "100", "USD", "2"))
    task.send("payments", payment("100", base_currency="USD", fx_rate="2"))

    assert "fx_differences" not in task.figures()
    task.send("payments", payment("100", base_currency="USD", fx_rate="2.01", revision=2))
    assert task.out["accruals"][-1]["trace"][0]["value"] == "200.00 USD"
    assert task.figures()["fx_differences"] == {"USD": "1.00"}


@pytest.mark.parametrize(
    ("changes", "chargeable", "invoiced"),
    [
        pytest.param({"billable_quantity": "6"}, "1200.00", "1200.00", id="1-dynamics-approver-bills-6-of-8"),
        pytest.param({"billable_quantity": "10"}, "2000.00", "2000.00", id="1-dynamics-approver-bills-10-of-8"),
        pytest.param({"status": "recalled"}, "0.00", "0.00", id="2-dynamics-recalled"),
    ],
)
def test_worked_examples_of_what_an_approver_changes(changes: Object, chargeable: str, invoiced: str) -> None:
    """8 h, cost 100, bill 200: what is left of 1,600 is invoiced, line by line as it was billed (Dynamics ActualsonTM)."""
    task = ready_task(engagement(rates=[{"rate": "200"}], policies={"accrue_at": "approval"}))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "100", "currency": "EUR"}]))
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(**{"revision": 2, "status": "approved", **changes}))
    lines = [{"billing_id": event["id"], "amount": event["amount"]} for event in task.out["billing"]]
    task.send("invoices", invoice(lines=lines))
    figures = task.figures()

    assert (figures["billed"], figures["invoiced"], figures["not_invoiced"]) == (chargeable, invoiced, "0.00")
    assert figures["cost"] == ("0.00" if "status" in changes else "800.00")


@pytest.mark.parametrize(
    ("amount", "opposite"),
    [
        pytest.param("10000", "-1000.00", id="37-tigerbeetle-correcting-transfer"),
        pytest.param("50", "-5.00", id="37-tigerbeetle-correcting-transfer-of-the-fee"),
    ],
)
def test_worked_examples_of_correcting_transfers(amount: str, opposite: str) -> None:
    """Reduced by 10 % once invoiced: the charge stays, an opposite line names it and has an id of its own (TigerBeetle)."""
    task = task_in("EUR", amount)
    task.send("invoices", invoice(lines=[{"billing_id": "psa:expense:1:1:billing:0", "amount": amount}]))
    reduced = str(int(amount) * 9 // 10)
    task.send("expenses", expense(status="approved", revision=2, amount=reduced))

    assert [(line["id"], line["action"], line["amount"], line["adjusts"]) for line in task.out["billing"]] == [
        ("psa:expense:1:2:billing:0", "adjustment", opposite, "psa:expense:1:1:billing:0")
    ]
