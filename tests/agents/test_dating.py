"""Days by policy: on which day a charge is posted, and whose day's exchange rate counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..builders import (
    Object,
    Task,
    approval,
    engagement,
    expense,
    fixed_fee,
    fx_rate,
    period,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_APPROVAL = {"accounting_date": "approval_date"}
NOVEMBER, DECEMBER = period(), period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31")


def by_month(task: Task, november: str = "open", december: str = "open") -> None:
    """Months in place of the year."""
    task.refer("periods", year("closed", revision=2, start_date="2026-01-01", end_date="2026-01-31"))
    revision = task.offsets["periods"] + 1
    task.refer("periods", {**NOVEMBER, "status": november, "revision": revision})
    task.refer("periods", {**DECEMBER, "status": december, "revision": revision})


def ready(policies: Object, **changes: object) -> Task:
    """A task with months, and an engagement with these policies."""
    task = ready_task(engagement(policies=policies, **changes))
    by_month(task)
    return task


def dated(task: Task, stream: str) -> list[tuple[str, str]]:
    """What each event of a stream did, and on which day."""
    return [(event.get("action", event.get("method")), event["accounting_date"]) for event in task.out[stream]]


def test_a_charge_is_posted_on_the_day_of_its_approval() -> None:
    """Cost and work in progress are of the day of work; until the approval the work is not billed."""
    task = ready(BY_APPROVAL)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-12-02"))

    assert dated(task, "billing") == [("charge", "2026-12-02")]
    assert dated(task, "revenue") == [("as_billed", "2026-12-02")]
    assert [
        (event["kind"], *day) for event, day in zip(task.out["accruals"], dated(task, "accruals"), strict=True)
    ] == [
        ("cost", "accrual", "2026-11-20"),
        ("work_in_progress", "accrual", "2026-11-20"),
        ("work_in_progress", "reversal", "2026-12-02"),
    ]


@pytest.mark.parametrize(
    ("decisions", "day"),
    [
        pytest.param(
            [("manager", "2026-11-24"), ("finance", "2026-11-23")], "2026-11-24", id="the later of two levels"
        ),
        pytest.param([("finance", "2026-12-03"), ("manager", "2026-11-24")], "2026-12-03", id="in the other order"),
    ],
)
def test_the_last_decision_that_is_needed_dates_the_approval(decisions: list[tuple[str, str]], day: str) -> None:
    """With two levels the entry is approved when both are there, in whatever order they arrive."""
    task = ready({**BY_APPROVAL, "approval_levels": ["manager", "finance"]})
    task.send("time-entries", time_entry())
    for level, on in decisions:
        task.send("approvals", approval(level=level, decided_on=on))

    assert dated(task, "billing") == [("charge", day)]


def test_who_may_not_decide_dates_nothing() -> None:
    """The day of a decision that does not count is not the day of approval."""
    task = ready({**BY_APPROVAL, "approvers": [{"approver_id": "M1", "level": "manager"}]})
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-12-09", approver_id="M2", sequence=2))
    task.send("approvals", approval(decided_on="2026-12-02", approver_id="M1"))

    assert dated(task, "billing") == [("charge", "2026-12-02")]


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param(BY_APPROVAL, id="the day of posting"),
        pytest.param({"fx_policy": {"date": "approval_date"}}, id="the day of the exchange rate"),
    ],
)
@pytest.mark.parametrize("status", ["submitted", "approved"])
def test_an_unknown_day_of_approval_is_waited_for(policies: Object, status: str) -> None:
    """Held with its reason, and accrued like what is submitted; the same decision with its day ends the wait."""
    task = ready(policies)
    task.send("time-entries", time_entry(status=status))
    task.send("approvals", approval())
    assert task.figures()["held_entries"] == {"approval_date_unknown": 1}
    assert task.figures()["unbilled"] == "800.00"
    assert not task.out["billing"]
    task.send("approvals", approval(sequence=2, decided_on="2026-12-02"))

    assert task.figures()["held_entries"] == {}
    assert task.figures()["billed"] == "800.00"


def test_a_day_that_is_no_longer_said_takes_the_bill_back() -> None:
    """A later decision without its day: as if it had been the first, accrued and held, not billed (M9)."""
    task = ready(BY_APPROVAL)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-12-02"), approval(sequence=2))

    figures = task.figures()
    assert (figures["billed"], figures["unbilled"], figures["approved_hours"]) == ("0.00", "800.00", "8")
    assert figures["held_entries"] == {"approval_date_unknown": 1}


@pytest.mark.parametrize(
    ("entry", "contract_type"),
    [
        pytest.param(time_entry(status="approved", billable=False), "time_and_materials", id="not billable"),
        pytest.param(time_entry(status="approved"), "internal", id="internal"),
    ],
)
def test_what_nobody_pays_for_waits_for_no_day(entry: Object, contract_type: str) -> None:
    """Its cost is of the day of work, approved or not."""
    task = ready(BY_APPROVAL, contract_type=contract_type)
    task.send("time-entries", entry)

    assert dated(task, "accruals") == [("accrual", "2026-11-20")]
    assert task.figures()["held_entries"] == {}


def test_what_needs_no_approval_is_approved_as_it_is_worked() -> None:
    """A small entry that nobody has to decide about is charged on the day of work."""
    task = ready({**BY_APPROVAL, "approval_levels": ["manager"], "auto_approve_under": "1000"})
    task.send("time-entries", time_entry())

    assert dated(task, "billing") == [("charge", "2026-11-20")]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [pytest.param("hold", [], id="hold"), pytest.param("next_open_period", [("charge", "2026-12-01")], id="next open")],
)
def test_a_closed_period_of_approval_follows_the_policy(policy: str, expected: list[tuple[str, str]]) -> None:
    """November is closed to the approval of October's work: held, and the work in progress stays; or December."""
    task = ready({**BY_APPROVAL, "closed_period": policy})
    task.refer("periods", period(id="2026-10", start_date="2026-10-01", end_date="2026-10-31", revision=9))
    task.send("time-entries", time_entry(work_date="2026-10-20"))
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.send("approvals", approval(decided_on="2026-11-20"))
    assert dated(task, "billing") == expected
    assert task.figures()["unbilled"] == ("0.00" if expected else "800.00")
    task.refer("periods", {**NOVEMBER, "revision": 10})

    assert dated(task, "billing") == (expected or [("charge", "2026-11-20")])
    assert task.figures()["held_entries"] == {}


def test_work_of_a_closed_period_is_charged_on_the_day_of_its_approval() -> None:
    """Its cost stands in November; only the charge needs an open day, and has December's."""
    task = ready(BY_APPROVAL)
    task.send("time-entries", time_entry())
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.send("approvals", approval(decided_on="2026-12-02"))
    task.send("time-entries", time_entry(id="2", status="submitted"))
    task.send("approvals", approval(entry_id="2", decided_on="2026-12-02"))

    assert dated(task, "billing") == [("charge", "2026-12-02")]
    assert dated(task, "accruals")[-1] == ("reversal", "2026-12-02")
    assert task.figures()["held_entries"] == {"period_closed": 1}


def test_work_moved_into_a_closed_period_waits_though_its_approval_is_open() -> None:
    """Its cost has no day to be posted on; what stood on the wrong day is reversed."""
    task = ready(BY_APPROVAL)
    task.send("time-entries", time_entry(work_date="2026-12-01"))
    task.send("approvals", approval(decided_on="2026-12-02"))
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.send("time-entries", time_entry(revision=2))
    task.send("approvals", approval(entry_revision=2, decided_on="2026-12-03"))

    assert dated(task, "billing") == [("charge", "2026-12-02"), ("reversal", "2026-12-02")]
    assert (task.figures()["cost"], task.figures()["held_entries"]) == ("0.00", {"period_closed": 1})


def test_progress_is_earned_on_the_day_of_approval() -> None:
    """Fixed fee: the cost is of the day of work, the revenue that follows of the day of approval."""
    task = ready_task(fixed_fee(policies=BY_APPROVAL))
    by_month(task)
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-12-02"))
    task.refer("periods", {**DECEMBER, "status": "closed", "revision": 9})
    task.send("approvals", approval(decided_on="2026-12-02", sequence=2))

    assert dated(task, "revenue") == [("cost_to_cost", "2026-12-02")]
    assert dated(task, "accruals") == [("accrual", "2026-11-20")]
    assert task.figures()["held_entries"] == {}


def test_by_period_end_everything_is_of_the_last_day() -> None:
    """Cost, work in progress, charge and reversal of November are all of the 30th; a correction in December too."""
    task = ready({"accounting_date": "period_end", "closed_period": "next_open_period"})
    task.send("time-entries", time_entry())
    task.send("approvals", approval(decided_on="2026-11-21"))
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))

    assert {day for _, day in dated(task, "accruals")} == {"2026-11-30", "2026-12-31"}
    assert dated(task, "billing") == [
        ("charge", "2026-11-30"),
        ("reversal", "2026-12-31"),
        ("charge", "2026-12-31"),
    ]


DAYS = {"2026-11-20": "0.90", "2026-12-01": "0.85", "2026-12-02": "0.80"}


def quote(task: Task) -> None:
    """A rate for each of some days."""
    for day, rate in DAYS.items():
        task.refer("fx-rates", fx_rate(valid_from=day, valid_to=day, rate=rate))


@pytest.mark.parametrize(
    ("policies", "rate"),
    [
        pytest.param({}, "0.9", id="work date"),
        pytest.param({"fx_policy": {"date": "approval_date"}}, "0.8", id="approval date"),
        pytest.param({"fx_policy": {"date": "accounting_date"}}, "0.9", id="accounting date: of the work"),
        pytest.param(
            {"fx_policy": {"date": "accounting_date"}, **BY_APPROVAL}, "0.8", id="accounting date: of the approval"
        ),
    ],
)
def test_the_policy_says_whose_rate_counts(policies: Object, rate: str) -> None:
    """100 USD spent on 20 November, approved on 2 December; the line shows the rate it was converted by."""
    task = ready(policies)
    quote(task)
    task.send("expenses", expense(currency="USD"))
    assert task.figures()["unbilled"] == "90.00"
    task.send("approvals", approval(entry_type="expense", decided_on="2026-12-02"))

    assert [(line["fx_rate"], line["amount"]) for line in task.out["billing"]] == [(rate, f"{float(rate) * 100:.2f}")]
    assert task.figures()["cost"] == task.figures()["billed"]


def test_a_period_that_closes_later_does_not_price_anew() -> None:
    """What was posted in November at its rate stays, though December's day would be its accounting date today."""
    task = ready({"fx_policy": {"date": "accounting_date"}, "closed_period": "next_open_period"})
    quote(task)
    task.send("expenses", expense(currency="USD", status="approved"))
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.refer("fx-rates", fx_rate(valid_from="2026-12-01", valid_to="2026-12-01", rate="0.7", revision=2))
    task.send("expenses", expense(id="2", currency="USD", status="approved"))

    assert task.amounts() == ["90.00", "70.00"]


RECORDS: list[tuple[str, Object]] = [
    ("rate-cards", rate_card()),
    ("resources", resource(cost_rates=[{"rate": "50", "currency": "USD"}])),
    ("expenses", expense(currency="USD", submitted_on="2026-12-02")),
    ("time-entries", time_entry(submitted_on="2026-12-02")),
    ("approvals", approval(decided_on="2026-12-02")),
    ("approvals", approval(entry_type="expense", decided_on="2026-12-02")),
    *(("fx-rates", fx_rate(valid_from=day, valid_to=day, rate=rate)) for day, rate in DAYS.items()),
]


@pytest.mark.parametrize("fx", ["work_date", "approval_date", "accounting_date"])
@pytest.mark.parametrize("date", ["work_date", "approval_date", "period_end", "submission_date"])
def test_any_order_gives_the_same_lines(fx: str, date: str) -> None:
    """M9 under every pair of policies: amounts, rates and days of what stands are those of any other order."""
    policies: Any = {"fx_policy": {"date": fx}, "accounting_date": date}
    quoted = {"2026-11-30": "0.88"} if date == "period_end" else {}
    records = [
        ("engagements", engagement(policies=policies)),
        *RECORDS,
        *(("fx-rates", fx_rate(valid_from=day, valid_to=day, rate=rate)) for day, rate in quoted.items()),
    ]
    expected = standing(records)
    assert len(expected) == 5

    @given(st.permutations(records))
    def holds(order: Sequence[tuple[str, Object]]) -> None:
        assert standing(order) == expected

    holds()


def standing(records: Sequence[tuple[str, Object]]) -> list[tuple[Any, ...]]:
    """Lines and costs that stand after these records, without those that were reversed, and the margin."""
    task = Task()
    task.refer("periods", NOVEMBER, DECEMBER)
    for stream, value in records:
        if stream in {"rate-cards", "resources", "fx-rates"}:
            task.refer(stream, value)
        else:
            task.send(stream, value)
    events = [*task.out["billing"], *(event for event in task.out["accruals"] if event["kind"] == "cost")]
    reversed_ids = {event["reverses"] for event in events if event.get("reverses")}
    left = [e for e in events if e["id"] not in reversed_ids and not e.get("reverses")]
    lines = [
        (e["entry_id"], e.get("amount", ""), e.get("fx_rate", ""), e["accounting_date"], e["resource_id"]) for e in left
    ]
    return [*sorted(lines), (task.figures()["margin"],)]
