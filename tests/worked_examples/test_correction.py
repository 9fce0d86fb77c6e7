"""Published examples of corrections, by their numbers in the collection they were gathered in."""

from __future__ import annotations

import pytest

from ..builders import engagement, expense, ready_task


@pytest.mark.parametrize(
    ("correction", "lines"),
    [
        pytest.param(
            "adjust",
            [("adjustment", "-1000.00", "psa:expense:1:1:billing:0"), ("adjustment", "-5.00", "psa:expense:2:1:billing:0")],
            id="37-adjust (TigerBeetle, correcting-transfers)",
        ),
        pytest.param(
            "reverse_and_rebill",
            [("reversal", "-10000.00", ""), ("charge", "9000.00", ""), ("reversal", "-50.00", ""), ("charge", "45.00", "")],
            id="37-reverse-and-rebill (TigerBeetle, correcting-transfers)",
        ),
    ],
)  # fmt: skip
def test_37_a_correcting_transfer_names_what_it_corrects(correction: str, lines: list[tuple[str, str, str]]) -> None:
    """10,000 and 50 reduced by 10 %: 1,000 and 5 the other way, each with its source; nothing is changed in place."""
    task = ready_task(engagement(policies={"correction": correction}))
    for revision, amounts in enumerate((("10000", "50"), ("9000", "45")), start=1):
        for entry, amount in zip("12", amounts, strict=True):
            task.send("expenses", expense(id=entry, revision=revision, status="approved", amount=amount))
    corrections = task.out["billing"][2:]

    assert [(line["action"], line["amount"], line.get("adjusts", "")) for line in corrections] == lines
    assert task.figures()["billed"] == "9045.00"
