"""Journals balance, and the work in progress they leave is that of the figures; what does not is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billtide.app.audit.balance import FIGURES, JOURNALS
from billtide.app.audit.verification import EVENTS, Verification
from billtide.app.memory import Read

from .test_chain import played

if TYPE_CHECKING:
    from billtide.app.memory import Memory


def event(name: str, debit: str, credit: str, amount: str, **changes: object) -> dict[str, Any]:
    """A journal of work in progress."""
    lines = [{"account": debit, "side": "debit", "amount": amount}, {"account": credit, "side": "credit", "amount": amount}]  # fmt: skip
    return {"id": name, "engagement_id": "E1", "lines": lines, **changes}


ACCRUAL = event("one", "work_in_progress", "accrued_revenue", "5000.00")


def figures(unbilled: str, engagement_id: str = "E1") -> dict[str, Any]:
    """What an engagement's figures say of its work in progress."""
    return {"engagement_id": engagement_id, "unbilled": unbilled}


def read(stream: str, *values: object) -> list[Read]:
    """Records of a stream."""
    return [Read(stream, 0, at, 0, b"E1", json.dumps(value).encode(), ()) for at, value in enumerate(values)]


def imbalances(found: Verification) -> list[str]:
    """Problems of balance, as people read them."""
    return [str(problem) for problem in found.problems() if problem.place.stream in {FIGURES, *JOURNALS} and "audit" not in problem.problem]  # fmt: skip


def verified(*readings: tuple[list[object], list[object]]) -> list[str]:
    """Problems of balance after one or two readings of accruals and figures."""
    found = Verification({})
    for accruals, shown in readings:
        found.take("accruals", 0, read("accruals", *accruals))
        found.take(FIGURES, 0, read(FIGURES, *shown))
        found.balance.compare()
    return imbalances(found)


def reversal(amount: str) -> dict[str, Any]:
    """A reversal of the accrual."""
    return event("one:reversal", "accrued_revenue", "work_in_progress", amount)


@pytest.mark.parametrize(
    ("taken_back", "shown", "expected"),
    [
        pytest.param("5000.00", "0.00", [], id="whole"),
        pytest.param("4500.00", "0.00", ["500.00 by its journals and 0.00 by its figures: an imbalance of 500.00"], id="10: accrued 5,000, reversed 4,500"),
        pytest.param("4500.00", "500.00", [], id="a part that is not billed yet"),
        pytest.param("5000.00", "5000.00", ["0.00 by its journals and 5000.00 by its figures: an imbalance of -5000.00"], id="figures left behind"),
    ],
)  # fmt: skip
def test_an_accrual_and_its_reversal_must_leave_what_is_not_billed(
    taken_back: str, shown: str, expected: list[str]
) -> None:
    """Dynamics 365, reconcile-accrued-revenue.md: an accrual of 5,000 and a reversal of 4,500 are off by 500."""
    found = verified(([ACCRUAL, reversal(taken_back)], [figures("5000.00"), figures(shown)]))

    place = "engagement-figures partition 0 offset 1: work in progress of E1 is"
    assert found == [f"{place} {text}" for text in expected]


def test_what_changes_between_two_readings_is_on_its_way() -> None:
    """While workers go on, only the same difference at the end of both readings is an imbalance."""
    assert verified(([ACCRUAL], []), ([], [figures("5000.00")])) == []
    assert verified(([ACCRUAL], []), ([{**ACCRUAL, "id": "two"}], [figures("5000.00")])) == []
    assert len(verified(([ACCRUAL], []), ([], [figures("0.00")]))) == 1
    assert "at its end" in verified(([ACCRUAL], []), ([], []))[0]


@pytest.mark.parametrize("stream", JOURNALS)
def test_a_journal_that_does_not_balance_is_found(stream: str) -> None:
    """M3, event by event, with its place."""
    lame = {**ACCRUAL, "lines": [ACCRUAL["lines"][0], {**ACCRUAL["lines"][1], "amount": "4500.00"}]}
    found = Verification({})
    found.take(stream, 3, read(stream, ACCRUAL, lame))

    assert imbalances(found) == [f"{stream} partition 3 offset 1: debits and credits differ by 500.00"]


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        pytest.param("accruals", {**ACCRUAL, "lines": 7}, id="journal"),
        pytest.param("accruals", event("one", "work_in_progress", "accrued_revenue", "much"), id="amount"),
        pytest.param(FIGURES, {"engagement_id": "E1"}, id="figures"),
        pytest.param(FIGURES, figures("much"), id="unbilled"),
    ],
)
def test_what_cannot_be_read_is_a_finding(stream: str, value: object) -> None:
    """It never stops the reading of the rest."""
    found = Verification({})
    found.take(stream, 0, read(stream, value))

    assert len([text for text in imbalances(found) if "can be read" in text]) == 1


def test_what_a_task_leaves_balances() -> None:
    """Entries accrued, approved and billed by the rules themselves, some still pending."""
    memory: Memory = played()
    found = Verification({0: memory.state.chain_head()})
    for stream in ("audit", *EVENTS, FIGURES):
        found.take(stream, 0, memory.left[stream])
    found.balance.compare()
    assert found.problems() == []
    gone = next(at for at, record in enumerate(memory.left["accruals"]) if b'"reverses"' in (record.value or b"") and b"work_in_progress" in (record.value or b""))  # fmt: skip
    half = Verification({})
    half.take("accruals", 0, [*memory.left["accruals"][:gone], *memory.left["accruals"][gone + 1 :]])
    half.take(FIGURES, 0, memory.left[FIGURES])
    half.balance.compare()

    assert len(imbalances(half)) == 1
