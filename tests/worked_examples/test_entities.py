"""Published examples of work that several legal entities or customers share. Numbers are those of the collection."""

from __future__ import annotations

from collections import Counter

import pytest

from ..builders import Object, engagement, expense, ready_task, resource, time_entry, year
from ..rules.sums import minor

IN_ORDER = {"customers": [{"customer_id": "C1", "up_to": "300"}, {"customer_id": "C2"}]}
HALVES = {"customers": [{"customer_id": "C1", "percent": "50"}, {"customer_id": "C2", "percent": "50"}]}


@pytest.mark.parametrize(
    ("terms", "by_customer", "held"),
    [
        pytest.param(
            {"contract_type": "capped", "cap": {"amount": "300", "mode": "hold"}, "funding": HALVES},
            {"C1": 12_500, "C2": 12_500}, "140.00", id="11-whole-items: 100 and 150 released, 140 waits (Certinia, ReleasingBEWhenBillingIsCapped)",
        ),
        pytest.param(
            {"contract_type": "capped", "cap": {"amount": "300"}, "funding": HALVES},
            {"C1": 15_000, "C2": 15_000}, "90.00", id="11-split: 50 of the 140 are released too",
        ),
        pytest.param(
            {"funding": IN_ORDER}, {"C1": 30_000, "C2": 9_000}, "0.00", id="11-next-customer: what is over the first one's 300 is the second one's",
        ),
    ],
)  # fmt: skip
def test_11_a_funding_limit_of_300(terms: Object, by_customer: dict[str, int], held: str) -> None:
    """300 left, items of 100, 150 and 140 in this order: which policy bills what to whom."""
    task = ready_task(engagement(**terms))
    for at, amount in enumerate(("100", "150", "140"), start=1):
        task.send("expenses", expense(id=str(at), amount=amount, status="approved"))
    found: Counter[str] = Counter()
    for line in task.out["billing"]:
        found[line["customer_id"]] += minor(line["amount"])

    assert (found, task.figures()["held"]) == (by_customer, held)


@pytest.mark.parametrize(
    ("policy", "sale"),
    [
        pytest.param({"transfer_price": "cost"}, ("US", "800.00", "USD"), id="at-cost"),
        pytest.param({"transfer_price": "percent_of_sale", "percent": "60"}, ("US", "960.00", "USD"), id="60-percent-of-sale"),
    ],
)  # fmt: skip
def test_1_the_same_work_by_another_entity_is_four_facts(policy: Object, sale: tuple[str, str, str]) -> None:
    """8 h, cost 100, bill 200 USD, by a person of US for DE: one approval is cost, sale and both sides of the charge.

    Dynamics 365 writes four rows for it: cost, unbilled sales, resourcing unit cost, inter-organizational sales
    (project-accounting/create-intercompany-transactions.md); the figures are those of ActualsonTM.md.
    """
    task = ready_task(
        engagement(currency="USD", rates=[{"rate": "200"}], policies={"intercompany": policy, "accrue_at": "approval"})
    )
    task.refer("resources", resource(revision=2, legal_entity_id="US", cost_rates=[{"rate": "100", "currency": "USD"}]))
    task.refer("periods", year(legal_entity_id="US"))
    task.send("time-entries", time_entry(status="approved"))
    facts = {event["kind"]: event for event in task.out["accruals"]}
    found = {
        kind: (event["legal_entity_id"], event["lines"][0]["amount"], event["currency"])
        for kind, event in facts.items()
    }

    assert found["cost"] == ("US", "800.00", "USD")
    assert found["intercompany_sale"] == sale
    assert found["intercompany_purchase"] == ("DE", *sale[1:])
    assert [(line["legal_entity_id"], line["amount"], line["currency"]) for line in task.out["billing"]] == [
        ("DE", "1600.00", "USD")
    ]
