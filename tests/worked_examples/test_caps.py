"""Published figures of caps: what is released, what waits. Numbers are those of the collection of examples."""

from __future__ import annotations

import pytest

from ..builders import capped, expense, ready_task


@pytest.mark.parametrize(
    ("cap", "policy", "items", "billed", "held"),
    [
        pytest.param(
            "300", {"mode": "hold"}, ["100", "150", "140"], "250.00", "140.00",
            id="11-certinia-releasing-when-capped-whole-items",
        ),
        pytest.param(
            "300", {"mode": "split"}, ["100", "150", "140"], "300.00", "90.00",
            id="11-the-same-split-to-the-cent",
        ),
        pytest.param(
            "12000", {"mode": "hold", "tolerance": "0.99"}, ["12000.65"], "12000.65", "0.00",
            id="13-certinia-tolerance-lets-the-item-through",
        ),
        pytest.param(
            "12000", {"mode": "hold"}, ["12000.65"], "0.00", "12000.65", id="13-without-tolerance-it-waits",
        ),
        pytest.param(
            "12000", {"mode": "split", "tolerance": "0.99"}, ["12001"], "12000.00", "1.00",
            id="13-beyond-the-tolerance-the-cap-itself-counts",
        ),
        pytest.param(
            "12000", {"mode": "hold", "tolerance": "0.99"}, ["7000", "5000"], "12000.00", "0.00",
            id="13-certinia-items-that-reach-the-cap",
        ),
    ],
)  # fmt: skip
def test_worked_examples_of_caps(cap: str, policy: dict[str, str], items: list[str], billed: str, held: str) -> None:
    """Items in the order of their approval; what fits is billed, the rest is held (sources: Certinia PSA help)."""
    terms = capped(cap)
    task = ready_task({**terms, "cap": {**terms["cap"], **policy}})
    for at, amount in enumerate(items, start=1):
        task.send("expenses", expense(id=str(at), amount=amount, status="approved"))

    assert (task.figures()["billed"], task.figures()["held"]) == (billed, held)
