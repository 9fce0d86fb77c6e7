"""Work in progress that stands in one period only: reversed when its period is closed, accrued again in the next."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.wake import in_steps

from ..builders import (
    Object,
    Task,
    account_map,
    approval,
    engagement,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLLS = {"work_in_progress": "reverse_next_period"}
DAYS = {9: 30, 10: 31, 11: 30, 12: 31}


def month(number: int, status: str, revision: int = 1, entity: str = "DE") -> Object:
    """A month of 2026."""
    return {
        "legal_entity_id": entity, "id": f"2026-{number:02}", "revision": revision, "status": status,
        "start_date": f"2026-{number:02}-01", "end_date": f"2026-{number:02}-{DAYS[number]}",
    }  # fmt: skip


def ready(**policies: object) -> Task:
    """A task with October open and November to come; its engagement's accruals roll over."""
    task = ready_task(engagement(policies={**ROLLS, **policies}))
    task.refer("periods", year("closed", revision=2, end_date="2026-01-31"))
    task.refer("periods", month(10, "open"), month(11, "future"), month(12, "future"))
    return task


def entry(**changes: object) -> Object:
    """8 hours in October."""
    return time_entry(work_date="2026-10-20", **changes)


def accruals(task: Task, kind: str = "work_in_progress") -> list[tuple[str, str, str]]:
    """What happened to work in progress: the action, the day, the debit."""
    found = [event for event in task.out["accruals"] if event["kind"] == kind]
    return [(e["action"], e["accounting_date"], f"{e['lines'][0]['account']} {e['lines'][0]['amount']}") for e in found]


def close(task: Task, *, revision: int = 2) -> None:
    """October is closed, November opens."""
    task.refer("periods", month(10, "closed", revision), month(11, "open", revision))


ROLLED = [
    ("accrual", "2026-10-20", "work_in_progress 800.00"),
    ("reversal", "2026-11-01", "accrued_revenue 800.00"),
    ("accrual", "2026-11-01", "work_in_progress 800.00"),
]


def test_a_closed_periods_accrual_moves_to_the_next() -> None:
    """Reversed and accrued again on the first day; the reversal names its accrual, ids are never used twice."""
    task = ready()
    task.send("time-entries", entry())
    close(task)

    assert accruals(task) == ROLLED
    first, reversal, again = [e for e in task.out["accruals"] if e["kind"] == "work_in_progress"]
    assert (reversal["reverses"], reversal["id"]) == (first["id"], f"{first['id']}:reversal")
    assert again["id"] not in {first["id"], reversal["id"]}
    assert accruals(task, "cost") == [("accrual", "2026-10-20", "project_cost 400.00")]
    assert task.figures()["unbilled"] == "800.00"


def test_by_default_it_stays_until_it_is_billed() -> None:
    """The close of a period moves nothing."""
    task = ready(work_in_progress="until_billed")
    task.send("time-entries", entry())
    close(task)

    assert accruals(task) == ROLLED[:1]


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        pytest.param([month(11, "open", 2)], 1, id="the next period opens"),
        pytest.param([month(10, "closed", 2)], 1, id="closed, and no next one is open"),
        pytest.param([month(11, "open", 2, "AT"), month(10, "closed", 2, "AT")], 1, id="of another legal entity"),
        pytest.param([month(10, "closed", 2), month(11, "open", 2)], 3, id="both"),
        pytest.param([month(11, "open", 2), month(10, "closed", 2)], 3, id="both, in the other order"),
    ],
)
def test_only_a_close_with_an_open_period_after_it_moves(periods: list[Object], expected: int) -> None:
    """A calendar that is opened a year ahead moves nothing by that."""
    task = ready()
    task.send("time-entries", entry())
    for period in periods:
        task.refer("periods", period)

    assert accruals(task) == ROLLED[:expected]


@pytest.mark.parametrize(
    ("policy", "word", "looked_at"),
    [
        pytest.param("reverse_next_period", "period:DE", 1, id="its legal entity"),
        pytest.param("reverse_next_period", "period:AT", 0, id="another legal entity"),
        pytest.param("until_billed", "period:DE", 0, id="by default"),
    ],
)
def test_a_calendar_concerns_only_what_may_move(policy: str, word: str, looked_at: int) -> None:
    """A close costs nothing where nothing moves by it."""
    task = ready(work_in_progress=policy)
    task.send("time-entries", entry())

    assert sum(map(len, in_steps(task.state, {word}))) == looked_at


def test_it_moves_once_for_each_close() -> None:
    """Telling the same calendar again, or waking everything, moves nothing more."""
    task = ready()
    task.send("time-entries", entry())
    close(task)
    close(task, revision=3)
    task.restart()
    task.wake(None)
    assert accruals(task) == ROLLED
    task.refer("periods", month(11, "closed", 4), month(12, "open", 4))

    assert accruals(task)[3:] == [
        ("reversal", "2026-12-01", "accrued_revenue 800.00"),
        ("accrual", "2026-12-01", "work_in_progress 800.00"),
    ]


def test_by_period_end_the_balance_is_nothing_until_the_end() -> None:
    """As month-end accruals do: accrued on the last day, reversed on the first, accrued on the last again."""
    task = ready(accounting_date="period_end")
    task.send("time-entries", entry())
    close(task)

    assert [day for _, day, _ in accruals(task)] == ["2026-10-31", "2026-11-01", "2026-11-30"]


@pytest.mark.parametrize(
    ("last", "closed_period", "expected", "unbilled"),
    [
        pytest.param({"status": "deleted"}, "next_open_period", [("reversal", "2026-11-01")], "0.00", id="withdrawn"),
        pytest.param(
            {"quantity": "4"},
            "next_open_period",
            [("reversal", "2026-11-01"), ("accrual", "2026-11-01")],
            "400.00",
            id="corrected",
        ),
        pytest.param({"status": "approved"}, "next_open_period", [("reversal", "2026-11-01")], "0.00", id="billed"),
        pytest.param({"status": "approved"}, "hold", [], "800.00", id="approved, and its period is closed to a charge"),
    ],
)
def test_what_has_moved_closes_where_it_stands(
    last: Object, closed_period: str, expected: list[tuple[str, str]], unbilled: str
) -> None:
    """M2: the accrual that stands is reversed, in the open period; what cannot be billed stays accrued."""
    task = ready(closed_period=closed_period)
    task.send("time-entries", entry())
    close(task)
    task.send("time-entries", entry(revision=2) | last)

    assert [(action, day) for action, day, _ in accruals(task)[3:]] == expected
    assert task.figures()["unbilled"] == unbilled


def test_new_terms_move_what_is_already_closed() -> None:
    """The policy may come after the close."""
    task = ready(work_in_progress="until_billed")
    task.send("time-entries", entry())
    close(task)
    task.send("engagements", engagement(revision=2, policies=ROLLS))

    assert accruals(task) == ROLLED


def test_what_is_accrued_again_has_the_numbers_of_its_day() -> None:
    """The reversal keeps the old ones."""
    task = ready()
    lines = [{"account": "work_in_progress", "number": "1"}], [{"account": "work_in_progress", "number": "2"}]
    task.refer("account-maps", account_map(*lines[0]))
    task.refer("account-maps", account_map(*lines[1], version=2, effective_from="2026-11-01"))
    task.send("time-entries", entry())
    close(task)

    found = [e["lines"] for e in task.out["accruals"] if e["kind"] == "work_in_progress"]
    assert [line["number"] for lines in found for line in lines if line["account"] == "work_in_progress"] == [*"112"]


STEPS: list[tuple[str, Object]] = [
    ("time-entries", entry()),
    ("time-entries", entry(id="2")),
    ("time-entries", entry(id="2", revision=2, quantity="6")),
    ("time-entries", entry(id="3")),
    ("approvals", approval(entry_id="3", decided_on="2026-11-05")),
    ("time-entries", time_entry(id="4", work_date="2026-11-10")),
    ("periods", month(10, "closed", 2)),
    ("periods", month(11, "open", 2)),
    ("periods", month(12, "open", 2)),
    ("periods", month(11, "closed", 3)),
]


@pytest.mark.parametrize("date", ["work_date", "approval_date", "period_end"])
def test_any_order_leaves_the_same_work_in_progress(date: str) -> None:
    """M9, M2 and M6: what stands is the same, in the last open period; reversals are exact; nothing lands in a closed one."""

    @given(st.permutations(STEPS))
    def holds(order: Sequence[tuple[str, Object]]) -> None:
        task = Task()
        task.refer("rate-cards", rate_card())
        task.refer("resources", resource())
        task.refer("periods", month(10, "open"), month(11, "future"), month(12, "future"))
        policies = {**ROLLS, "closed_period": "next_open_period", "accounting_date": date}
        task.send("engagements", engagement(policies=policies))
        for stream, value in order:
            (task.refer if stream == "periods" else task.send)(stream, value)
        events = {e["id"]: e for e in task.out["accruals"] if e["kind"] == "work_in_progress"}
        gone = {e["reverses"] for e in events.values() if e.get("reverses")}
        left = [e for name, e in events.items() if name not in gone and not e.get("reverses")]
        assert sorted((e["entry_id"], e["lines"][0]["amount"]) for e in left) == [
            ("1", "800.00"), ("2", "600.00"), ("4", "800.00"),
        ]  # fmt: skip
        assert {dt.date.fromisoformat(e["accounting_date"]).month for e in left} == {12}
        for name in gone:
            sides = [{"debit": "credit", "credit": "debit"}[line["side"]] for line in events[name]["lines"]]
            assert sorted(sides) == sorted(line["side"] for line in events[f"{name}:reversal"]["lines"])
        assert sum(Decimal(e["lines"][0]["amount"]) for e in left) == Decimal(task.figures()["unbilled"])

    holds()
