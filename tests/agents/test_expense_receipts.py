"""Receipts: an expense above the limit of its terms waits for one, and moves on when a revision says it is there."""

from __future__ import annotations

import pytest

from ..builders import Object, engagement, expense, fx_rate, ready_task


def spent(**changes: object) -> Object:
    """An approved expense without a receipt."""
    return expense(status="approved", **changes)


RECEIPTS = engagement(expenses={"receipt_above": "50", "categories": [{"category": "hotel", "receipt_above": "75"}]})


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        pytest.param(spent(amount="50"), "applied", id="at-the-limit"),
        pytest.param(spent(amount="50.01"), "held", id="above-the-limit"),
        pytest.param(spent(amount="50.01", receipt=True), "applied", id="receipt"),
        pytest.param(spent(amount="75", category="hotel"), "applied", id="the-categorys-own-limit"),
        pytest.param(spent(amount="75.01", category="hotel"), "held", id="above-the-categorys-own"),
        pytest.param(spent(amount="55.55", currency="USD"), "applied", id="49.995-in-the-contracts-currency"),
        pytest.param(spent(amount="55.56", currency="USD"), "held", id="50.004-in-the-contracts-currency"),
        pytest.param(spent(amount="60", tax_amount="20", tax_recoverable=True), "held", id="tax-counts"),
        pytest.param(spent(amount="60", personal_amount="20"), "held", id="the-personal-part-counts"),
        pytest.param(spent(amount="60", billable=False), "held", id="not-billable"),
        pytest.param(spent(amount="-60"), "applied", id="refund"),
        pytest.param(spent(amount=None, items=[{"category": "taxi", "amount": "30"}, {"category": "bus", "amount": "30"}]), "held", id="items-under-the-same-terms"),
        pytest.param(spent(amount=None, items=[{"category": "taxi", "amount": "30"}, {"category": "hotel", "amount": "70"}]), "applied", id="items-under-their-own"),
    ],
)  # fmt: skip
def test_an_expense_above_the_limit_needs_a_receipt(sent: Object, outcome: str) -> None:
    """What was spent in all under the same terms, at the exact exchange rate, is compared with their limit."""
    task = ready_task(RECEIPTS)
    task.refer("fx-rates", fx_rate())

    assert task.send("expenses", sent) == outcome
    assert bool(task.out["accruals"]) == (outcome == "applied")


def test_a_receipt_releases_the_expense() -> None:
    """Nothing is posted without it; a revision that says there is one bills the expense, once."""
    task = ready_task(RECEIPTS)
    task.send("expenses", spent(amount="60"))
    (held,) = task.out["exceptions"]
    assert held["message"] == (
        "60.00 EUR of category travel have no receipt, and above 50.00 EUR one is needed; send a revision with receipt true"
    )
    assert task.figures()["held_entries"] == {"receipt_missing": 1}
    assert (task.out["accruals"], task.out["billing"]) == ([], [])
    task.send("expenses", spent(amount="60", receipt=True, revision=2))

    assert [event["action"] for event in task.out["exceptions"]] == ["held", "released"]
    assert task.amounts() == ["60.00"]


def test_terms_that_need_no_receipt_release_the_expense() -> None:
    """A higher limit is as good as a receipt, also when it comes after the expense."""
    task = ready_task(RECEIPTS)
    task.send("expenses", spent(amount="60"))
    task.send("engagements", engagement(revision=2, expenses={"receipt_above": "100"}))

    assert task.amounts() == ["60.00"]
    assert task.state.holds.waited_on() == []


def test_terms_that_come_to_need_a_receipt_take_the_bill_back() -> None:
    """A limit that is agreed later holds what it would have held before (M9)."""
    task = ready_task()
    task.send("expenses", spent(amount="60"))
    task.send("engagements", RECEIPTS | {"revision": 2})

    assert task.amounts() == ["60.00", "-60.00"]
    assert task.figures()["held_entries"] == {"receipt_missing": 1}


def test_a_receipt_that_comes_later_posts_nothing_again() -> None:
    """Below the limit a receipt changes no money: what is billed stands."""
    task = ready_task(RECEIPTS)
    task.send("expenses", spent(amount="40"))
    task.send("expenses", spent(amount="40", receipt=True, revision=2))

    assert task.amounts() == ["40.00"]


def test_a_receipt_taken_back_takes_the_bill_back() -> None:
    """The money is that of the latest revision alone, whether or not the one with a receipt arrived in time (M9)."""
    late, early = ready_task(RECEIPTS), ready_task(RECEIPTS)
    early.send("expenses", spent(amount="60", receipt=True))
    for task in (late, early):
        task.send("expenses", spent(amount="60", revision=2))
    late.send("expenses", spent(amount="60", receipt=True))

    assert early.amounts() == ["60.00", "-60.00"]
    assert [task.figures()["billed"] for task in (late, early)] == ["0.00", "0.00"]
    assert [task.figures()["cost"] for task in (late, early)] == ["0.00", "0.00"]


@pytest.mark.parametrize(
    ("terms", "outcome"),
    [
        pytest.param({}, "applied", id="nobody-asks"),
        pytest.param({"receipt_above": "50"}, "held", id="the-default-asks"),
        pytest.param({"categories": [{"category": "travel", "receipt_above": "50"}]}, "held", id="the-category-asks"),
        pytest.param({"receipt_above": "50", "categories": [{"category": "travel"}]}, "applied", id="the-category-does-not"),
    ],
)  # fmt: skip
def test_a_receipt_is_needed_where_the_terms_ask_for_one(terms: Object, outcome: str) -> None:
    """The default asks for what has no terms of its own, a category for itself alone."""
    assert ready_task(engagement(expenses=terms)).send("expenses", spent(amount="60")) == outcome
