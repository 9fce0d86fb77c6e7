"""Standalone selling prices: a fixed fee's revenue by milestones, whatever they bill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.allocation import allocate
from billtide.codecs.errors import UndecodableError

from ..builders import Object, Task, engagement, ready_task
from .builders import contract

ALONE = {"M1": "300", "M2": "900"}
BILLS = {"M1": "800", "M2": "200"}


def fee(*reached: str, amount: str = "1000", **bills: str) -> Object:
    """A fee of 1,000 in two milestones that bill otherwise than they would cost alone."""
    milestones = [
        {"id": name, "amount": bill, "standalone_price": ALONE[name]}
        | ({"reached_on": "2026-11-10"} if name in reached else {})
        for name, bill in (BILLS | bills).items()
    ]
    return {"amount": amount, "progress": "milestone", "milestones": milestones}


def task_with(*fees: Object) -> Task:
    """A task that has got these terms one after the other."""
    task = ready_task()
    for revision, sent in enumerate(fees, start=2):
        task.send("engagements", engagement(contract_type="fixed_fee", revision=revision, fee=sent))
    return task


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(1, 10**12), min_size=1, max_size=9))
def test_shares_sum_to_the_price(total: int, standalone: list[int]) -> None:
    """To the minor unit; each but the largest is its proportion, rounded half up."""
    shares = allocate(total, standalone)
    largest = standalone.index(max(standalone))

    assert sum(shares) == total
    for at, (share, price) in enumerate(zip(shares, standalone, strict=True)):
        if at != largest:
            assert abs(share * sum(standalone) - total * price) * 2 <= sum(standalone)


def test_what_rounding_leaves_goes_to_the_largest() -> None:
    """100 over three equal prices: the first takes the odd one; a loss of the sum is taken from it too."""
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(5, [2, 1, 1]) == [3, 1, 1]
    assert allocate(200, [1, 1, 4]) == [33, 33, 134]
    assert allocate(11, [1, 1, 2]) == [3, 3, 5]


def test_revenue_is_the_share_and_the_rest_is_a_liability() -> None:
    """M1 bills 800 and would be a quarter alone: 250 are earned, 550 owed as work; M2 earns the other 750."""
    task = task_with(fee(), fee("M1"))
    figures = task.figures()

    assert (figures["fees"], figures["earned"], figures["contract_liability"]) == ("800.00", "250.00", "550.00")
    assert [(step["step"], step["value"], step["source"]) for step in task.out["revenue"][-1]["trace"]][1:] == [
        ("progress", "M1 250.00", "milestones billed, the fee allocated by standalone prices")
    ]
    task.send("engagements", engagement(contract_type="fixed_fee", revision=4, fee=fee("M1", "M2")))
    figures = task.figures()

    assert (figures["fees"], figures["earned"], figures["contract_liability"]) == ("1000.00", "1000.00", "0.00")


def test_a_changed_price_catches_up_what_is_earned() -> None:
    """A fee of 1,200: M1, reached before, earns a quarter of it at once, and the same in any order (IFRS 15.88, M9)."""
    higher = fee("M1", amount="1200", M2="400")
    task, at_once = task_with(fee("M1"), higher), task_with(higher)

    assert task.amounts("revenue") == ["250.00", "50.00"]
    assert at_once.amounts("revenue") == ["300.00"]


def test_a_milestone_taken_back_earns_nothing() -> None:
    """Its share is taken back with its bill."""
    task = task_with(fee("M1"), fee())

    assert (task.figures()["fees"], task.figures()["earned"]) == ("0.00", "0.00")


@pytest.mark.parametrize(
    ("changes", "alone", "field", "problem"),
    [
        pytest.param({}, ("300", None), "$.fee.milestones[0].standalone_price", "so all have one", id="one-without"),
        pytest.param({}, ("300", "0"), "$.fee.milestones[1].standalone_price", "nothing or less", id="nothing-alone"),
        pytest.param({"progress": "cost_to_cost", "estimated_cost": "7"}, ("3", "9"), "$.fee.milestones[0].standalone_price", "progress is by milestone", id="progress-by-cost"),
    ],
)  # fmt: skip
def test_prices_that_make_no_sense_are_refused(
    changes: Object, alone: tuple[str | None, ...], field: str, problem: str
) -> None:
    """The field is named with what is wrong."""
    milestones = [{"id": str(at), "amount": "500", "standalone_price": price} for at, price in enumerate(alone)]
    with pytest.raises(UndecodableError) as refused:
        contract(
            contract_type="fixed_fee",
            fee={"amount": "1000", "progress": "milestone", "milestones": milestones, **changes},
        )

    assert refused.value.field == field
    assert problem in refused.value.problem
