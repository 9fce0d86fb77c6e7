"""Days of submission: a charge is posted on the day its revision was submitted, where the contract says so."""

from __future__ import annotations

import pytest

from ..builders import Object, Task, approval, engagement, expense, fixed_fee, fx_rate, period, ready_task, time_entry
from .test_dating import NOVEMBER, by_month, dated, ready

BY_SUBMISSION: Object = {"accounting_date": "submission_date"}
DAY = "2026-12-02"


def submitted(**changes: object) -> Object:
    """The 8 hours of 20 November, submitted on 2 December."""
    return time_entry(**{"submitted_on": DAY} | changes)


def held(task: Task) -> dict[str, int]:
    """What waits."""
    found: dict[str, int] = task.figures()["held_entries"]
    return found


@pytest.mark.parametrize("stream", ["time-entries", "expenses"])
def test_a_charge_is_posted_on_the_day_of_submission(stream: str) -> None:
    """Cost and work in progress are of the day of work, whatever day it was approved on."""
    task = ready(BY_SUBMISSION)
    kind, entry = ("time", submitted()) if stream == "time-entries" else ("expense", expense(submitted_on=DAY))
    task.send(stream, entry)
    task.send("approvals", approval(entry_type=kind, decided_on="2026-12-09"))

    assert dated(task, "billing") == [("charge", DAY)]
    assert dated(task, "revenue") == [("as_billed", DAY)]
    assert dated(task, "accruals") == [("accrual", "2026-11-20"), ("accrual", "2026-11-20"), ("reversal", DAY)]


def test_an_unknown_day_of_submission_is_waited_for() -> None:
    """Held with its reason, and accrued like what is submitted; a revision that says the day ends the wait."""
    task = ready(BY_SUBMISSION)
    task.send("time-entries", time_entry(status="approved"))
    assert (held(task), task.figures()["unbilled"]) == ({"submission_date_unknown": 1}, "800.00")
    (told,) = task.out["exceptions"]
    assert told["message"] == (
        "revision 1 is approved, and it does not say on which day it was submitted, which E1 is dated by; "
        "send a revision with submitted_on, or terms with another policy"
    )
    assert not task.out["billing"]
    task.send("time-entries", submitted(revision=2, status="approved"))

    assert (held(task), dated(task, "billing")) == ({}, [("charge", DAY)])


def test_a_day_that_is_no_longer_said_takes_the_bill_back() -> None:
    """A later revision without its day: as if it had been the first, accrued and held, not billed (M9)."""
    task = ready(BY_SUBMISSION)
    task.send("time-entries", submitted(status="approved"), time_entry(revision=2, status="approved"))

    figures = task.figures()
    assert (figures["billed"], figures["unbilled"], held(task)) == ("0.00", "800.00", {"submission_date_unknown": 1})


@pytest.mark.parametrize(
    ("entry", "contract_type"),
    [
        pytest.param(time_entry(status="approved", billable=False), "time_and_materials", id="not-billable"),
        pytest.param(time_entry(status="approved"), "internal", id="internal"),
        pytest.param(time_entry(), "time_and_materials", id="not-approved"),
    ],
)
def test_what_is_not_charged_waits_for_no_day(entry: Object, contract_type: str) -> None:
    """Its cost is of the day of work."""
    task = ready(BY_SUBMISSION, contract_type=contract_type)
    task.send("time-entries", entry)

    assert {day for _, day in dated(task, "accruals")} == {"2026-11-20"}
    assert held(task) == {}


@pytest.mark.parametrize(
    ("policy", "status", "charged"),
    [
        pytest.param("hold", "closed", [], id="held-closed"),
        pytest.param("hold", "future", [], id="held-future"),
        pytest.param("next_open_period", "closed", [("charge", "2027-01-01")], id="next-open"),
    ],
)
@pytest.mark.parametrize("first", ["entry", "approval"])
def test_a_closed_day_of_submission_follows_the_policy(
    policy: str, status: str, charged: list[tuple[str, str]], first: str
) -> None:
    """Whichever came first: its cost and its work in progress stand, and it is billed when its period opens, or in the next."""
    task = ready_task(engagement(policies={**BY_SUBMISSION, "closed_period": policy}))
    by_month(task, december=status)
    task.refer("periods", period(id="2027-01", start_date="2027-01-01", end_date="2027-01-31"))
    facts = [("time-entries", submitted()), ("approvals", approval())]
    for stream, sent in facts if first == "entry" else facts[::-1]:
        task.send(stream, sent)
    assert dated(task, "billing") == charged
    assert held(task) == ({} if charged else {f"period_{status}": 1})
    assert (task.figures()["cost"], task.figures()["unbilled"]) == ("400.00", "0.00" if charged else "800.00")
    task.refer("periods", period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31", revision=9))

    assert dated(task, "billing") == (charged or [("charge", DAY)])
    assert held(task) == {}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param({}, [("charge", DAY)], id="nothing"),
        pytest.param({"notes": "typing error"}, [("charge", DAY)], id="no-money"),
        pytest.param(
            {"quantity": "6"}, [("charge", DAY), ("reversal", DAY), ("charge", "2026-12-09")], id="the-quantity"
        ),
    ],
)
def test_a_correction_is_charged_on_its_own_day(changes: Object, lines: list[tuple[str, str]]) -> None:
    """What changes no money stays where it was charged, though it was submitted again on another day."""
    task = ready(BY_SUBMISSION)
    task.send("time-entries", submitted(status="approved"))
    task.send("time-entries", submitted(revision=2, status="approved", submitted_on="2026-12-09", **changes))

    assert dated(task, "billing") == lines


def test_a_period_that_closes_later_leaves_what_is_charged() -> None:
    """November closes after the charge: it stands; what is submitted in it and comes later waits."""
    task = ready(BY_SUBMISSION)
    task.send("time-entries", submitted(status="approved", submitted_on="2026-11-23"))
    task.refer("periods", {**NOVEMBER, "status": "closed", "revision": 9})
    task.send("time-entries", submitted(id="2", status="approved", work_date="2026-12-01", submitted_on="2026-11-23"))

    assert dated(task, "billing") == [("charge", "2026-11-23")]
    assert (held(task), task.figures()["unbilled"]) == ({"period_closed": 1}, "800.00")


def test_progress_is_earned_on_the_day_of_submission() -> None:
    """Fixed fee: the cost is of the day of work, the revenue that follows of the day of submission."""
    task = ready_task(fixed_fee(policies=BY_SUBMISSION))
    by_month(task)
    task.send("time-entries", submitted(status="approved"), time_entry(id="2", status="approved"))

    assert dated(task, "revenue") == [("cost_to_cost", DAY)]
    assert held(task) == {"submission_date_unknown": 1}


def test_the_rate_of_an_accounting_date_is_that_of_the_submission() -> None:
    """100 USD of 20 November, submitted on 2 December; both days that a contract goes by have to be known."""
    task = ready({**BY_SUBMISSION, "fx_policy": {"date": "accounting_date"}})
    for day, rate in (("2026-11-20", "0.9"), (DAY, "0.8")):
        task.refer("fx-rates", fx_rate(valid_from=day, valid_to=day, rate=rate))
    task.send("expenses", expense(currency="USD", status="approved", submitted_on=DAY))

    assert [(line["fx_rate"], line["amount"]) for line in task.out["billing"]] == [("0.8", "80.00")]


@pytest.mark.parametrize(
    ("decided_on", "submitted_on", "reason"),
    [
        pytest.param(None, None, "approval_date_unknown", id="neither"),
        pytest.param(None, DAY, "approval_date_unknown", id="submission"),
        pytest.param("2026-12-09", None, "submission_date_unknown", id="approval"),
        pytest.param("2026-12-09", DAY, None, id="both"),
    ],
)
def test_rates_by_approval_and_charges_by_submission_need_both_days(
    decided_on: str | None, submitted_on: str | None, reason: str | None
) -> None:
    """Each is waited for, the day of approval first."""
    task = ready({**BY_SUBMISSION, "fx_policy": {"date": "approval_date"}})
    task.send("time-entries", submitted(submitted_on=submitted_on))
    task.send("approvals", approval(decided_on=decided_on))

    assert held(task) == ({} if reason is None else {reason: 1})
