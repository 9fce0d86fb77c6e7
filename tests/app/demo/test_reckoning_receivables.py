"""The independent reckoning of the ERP's documents, by hand-made cases: an entry of 800 EUR, invoiced and paid."""

from __future__ import annotations

import json

import pytest

from billtide.app.demo.reckoning_receivables import Answered, Receivables

from .test_reckoning import Sent, reckoned, terms, time

LINE = "psa:time:T-1:1:billing:0"
OTHER = "psa:time:T-2:1:billing:0"


def document(stream: str, **fields: object) -> Sent:
    """A document about engagement E-1."""
    plain = {"source": "erp", "revision": 1, "engagement_id": "E-1", "currency": "EUR"}
    return Sent(stream, b"E-1", json.dumps(plain | fields).encode())


def bill(amount: str = "800", line: str = LINE, **fields: object) -> Sent:
    """An invoice of one line."""
    plain = {"id": "I", "number": "N", "issued_on": "2026-03-31", "lines": [{"billing_id": line, "amount": amount}]}
    return document("invoices", **plain | fields)


def note(amount: str, **fields: object) -> Sent:
    """A credit note about that invoice."""
    return bill(amount, **{"id": "C", "number": "NC", "kind": "credit_note", "invoice_id": "I", **fields})


def paid(settled: str, **fields: object) -> Sent:
    """A payment of that invoice."""
    plain = {"id": "P", "received_on": "2026-03-31", "amount": settled}
    return document("payments", **plain | {"allocations": [{"invoice_id": "I", "amount": settled}]} | fields)


def answered(*records: Sent) -> Receivables:
    """What documents make of the engagement; none of them waits."""
    result = reckoned(time(), time(id="T-2"), *records)
    assert (result.held, result.dead_letters) == ({}, 0)
    return result.engagements["E-1"].receivables


@pytest.mark.parametrize(
    ("records", "invoiced", "credited", "receivable", "cash", "state"),
    [
        pytest.param([bill()], 800, 0, 800, 0, "invoiced", id="invoiced"),
        pytest.param([bill(tax_amount="152")], 800, 0, 952, 0, "invoiced", id="with tax"),
        pytest.param([bill(), paid("300")], 800, 0, 500, 300, "partly_paid", id="paid in part"),
        pytest.param([bill(), paid("300"), paid("500", id="Q")], 800, 0, 0, 800, "paid", id="paid in two parts"),
        pytest.param([bill(), paid("800"), paid("800", revision=2, status="reversed")], 800, 0, 800, 0, "invoiced", id="payment reversed"),
        pytest.param([bill(), note("200")], 600, 200, 600, 0, "invoiced", id="credited in part"),
        pytest.param([bill(), note("200"), paid("600")], 600, 200, 0, 600, "paid", id="the rest is paid"),
        pytest.param([bill(), note("800")], 0, 800, 0, 0, "credited", id="credited whole"),
        pytest.param([bill(), bill(revision=2, status="cancelled")], 0, 0, 0, 0, None, id="cancelled"),
        pytest.param([bill(), bill(revision=2, status="cancelled"), paid("800")], 0, 0, -800, 800, None, id="cancelled and paid"),
        pytest.param([bill(), bill("300", OTHER, id="J", number="M")], 1_100, 0, 1_100, 0, "invoiced", id="two invoices"),
        pytest.param([bill(revision=2), bill("700")], 800, 0, 800, 0, "invoiced", id="a stale revision"),
    ],
)  # fmt: skip
def test_documents_add_up(
    records: list[Sent], invoiced: int, credited: int, receivable: int, cash: int, state: str | None
) -> None:
    """Sums in EUR, and how far the first entry's bill has come."""
    found = answered(*records)

    shown = [found.invoiced, found.credited, found.receivable, found.cash]
    assert shown == [100 * amount for amount in (invoiced, credited, receivable, cash)]
    assert found.lines.get(LINE, Answered()).state == (state or "posted")


@pytest.mark.parametrize(("policy", "lost", "earned"), [("rebill", 0, 80_000), ("write_off", 20_000, 60_000)])
def test_a_credit_is_to_be_billed_again_or_lost(policy: str, lost: int, earned: int) -> None:
    """200 of 800 are credited: lost revenue, by policy."""
    found = reckoned(terms(policies={"credit": policy}), time(), bill(), note("200")).engagements["E-1"]

    assert (found.receivables.written_off, found.earned, found.billed) == (lost, earned, 80_000)


RATES: dict[str, object] = {"base_currency": "GBP", "fx_rate": "0.60"}


@pytest.mark.parametrize(
    ("invoice", "payment", "fx"),
    [
        pytest.param(RATES, RATES | {"fx_rate": "0.65"}, {"GBP": 4_000}, id="800 at 0.65 less 800 at 0.60"),
        pytest.param({}, {}, {}, id="one currency"),
        pytest.param({}, {"currency": "USD", "amount": "900", "invoice_currency": "EUR", "base_currency": "EUR", "fx_rate": "0.9", "invoice_fx_rate": "1",
                          "allocations": [{"invoice_id": "I", "amount": "800", "paid_amount": "900"}]}, {"EUR": 1_000}, id="900 USD at 0.90 less 800"),
    ],
)  # fmt: skip
def test_a_payment_realises_what_rates_have_moved(
    invoice: dict[str, object], payment: dict[str, object], fx: dict[str, int]
) -> None:
    """Gains are above zero, in the legal entity's currency."""
    assert answered(bill(**invoice), paid("800", **payment)).fx == fx


@pytest.mark.parametrize(
    ("records", "reasons"),
    [
        pytest.param([bill(line="psa:time:T-9:1:billing:0")], {"billing_unknown": 1}, id="an entry that is unknown"),
        pytest.param([bill(line="psa:time:T-1:2:billing:0")], {"billing_unknown": 1}, id="a revision that is unknown"),
        pytest.param([bill(currency="GBP")], {"currency_differs": 1}, id="another currency"),
        pytest.param([note("200")], {"invoice_unknown": 1}, id="a credit of no invoice"),
        pytest.param([paid("200")], {"invoice_unknown": 1}, id="a payment of no invoice"),
        pytest.param([bill(currency="GBP"), paid("200")], {"currency_differs": 1, "invoice_unknown": 1}, id="of one that waits"),
        pytest.param([bill(**RATES), paid("800")], {"fx_rate_missing": 1}, id="without a rate"),
        pytest.param([bill(issued_on="2030-01-01")], {"period_unknown": 1}, id="in no month"),
        pytest.param([terms(id="E-2"), bill()], {"engagement_unknown": 1}, id="no terms"),
    ],
)  # fmt: skip
def test_what_names_something_unknown_waits(records: list[Sent], reasons: dict[str, int]) -> None:
    """Nothing of it counts."""
    result = reckoned(*(() if "engagement_unknown" in reasons else (time(),)), *records)

    assert result.held == reasons
    assert all(expected.receivables.receivable in {0, 80_000} for expected in result.engagements.values())


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(note("200", invoice_id=""), id="a credit note of nothing"),
        pytest.param(note("-200"), id="a credit below zero"),
        pytest.param(bill(invoice_id="I"), id="an invoice of an invoice"),
        pytest.param(bill(id="a:b"), id="a colon"),
        pytest.param(bill(line="psa:time:T-1"), id="no billing event"),
        pytest.param(bill(fx_rate="0.6"), id="a rate to nothing"),
        pytest.param(bill(base_currency="EUR", fx_rate="0.6"), id="a rate to itself"),
        pytest.param(paid("200", amount="100"), id="more than was paid"),
        pytest.param(paid("200", invoice_currency="USD"), id="no paid amount"),
        pytest.param(paid("200", id="a:b"), id="a payment with a colon"),
    ],
)
def test_what_makes_no_sense_is_undecodable(record: Sent) -> None:
    """As the product puts it aside."""
    assert reckoned(record).dead_letters == 1
