"""Corrections in closed periods: by policy they wait for finance as large ones do, and are posted in the next open one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..builders import (
    Object,
    Task,
    approval,
    engagement,
    invoice,
    period,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)
from .test_dating import DECEMBER, NOVEMBER, by_month, dated
from .test_review import review, stands

if TYPE_CHECKING:
    from random import Random

REVIEWED: Object = {"closed_period": "review_corrections"}
CLOSED: Object = {**NOVEMBER, "status": "closed", "revision": 9}
WAITS = ("800.00", {"awaiting_review": 1})


def billed(**policies: object) -> Task:
    """A task with 8 hours of 20 November, 800 EUR, billed in November."""
    task = ready_task(engagement(policies=REVIEWED | policies))
    by_month(task)
    task.send("time-entries", time_entry(status="approved"))
    return task


def corrected(**policies: object) -> Task:
    """The same, corrected to 6 hours after November has closed."""
    task = billed(**policies)
    task.refer("periods", CLOSED)
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))
    return task


@pytest.mark.parametrize(
    ("policy", "expected", "days"),
    [
        pytest.param("hold", ("800.00", {"period_closed": 1}), [], id="hold"),
        pytest.param("next_open_period", ("600.00", {}), ["2026-12-01", "2026-12-01"], id="next-open-period"),
        pytest.param("review_corrections", WAITS, [], id="review-corrections"),
    ],
)
def test_a_correction_in_a_closed_period_goes_by_policy(
    policy: str, expected: tuple[str, dict[str, int]], days: list[str]
) -> None:
    """It waits for the period, moves to the next one, or waits for finance while what stands stays."""
    task = corrected(closed_period=policy)

    assert stands(task) == expected
    assert [day for _, day in dated(task, "billing")] == ["2026-11-20", *days]


def test_the_hold_names_the_day_and_what_to_do() -> None:
    """The same hold as that of a large correction; only what it says of it differs."""
    (told,) = corrected().out["exceptions"]

    assert (told["reason"], told["waits_on"], told["revision"]) == ("awaiting_review", "review:E1", 2)
    assert told["message"] == (
        "revision 2 corrects work of 2026-11-20, whose accounting period is closed; "
        "let finance release or reject the correction"
    )


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        pytest.param([review("approved")], ("600.00", {}), id="released"),
        pytest.param([review("rejected")], ("800.00", {}), id="rejected"),
        pytest.param([review("approved"), review("recalled", sequence=2)], WAITS, id="release-recalled"),
        pytest.param([review("rejected"), review("approved", sequence=2)], ("600.00", {}), id="released-after-all"),
        pytest.param([review("approved", 1)], WAITS, id="about-another-revision"),
        pytest.param([approval(entry_revision=2, level="finance")], WAITS, id="an-approval-of-the-entry"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_finance_releases_or_rejects_it(
    decisions: list[Object],
    expected: tuple[str, dict[str, int]],
    at_once: bool,  # noqa: FBT001
) -> None:
    """Released it is billed, rejected what stands stays, recalled it waits again, though what was released was posted."""
    task = corrected()
    if at_once:
        task.send("approvals", *decisions)
    else:
        for decision in decisions:
            task.send("approvals", decision)

    assert stands(task) == expected


@pytest.mark.parametrize(
    ("policies", "answers", "lines"),
    [
        pytest.param({}, [], [("reversal", "-800.00"), ("charge", "600.00")], id="reversed-and-rebilled"),
        pytest.param({"correction": "adjust"}, [], [("adjustment", "-200.00")], id="adjusted"),
        pytest.param({}, [invoice()], [("adjustment", "-200.00")], id="invoiced"),
    ],
)
def test_what_is_released_is_posted_in_the_next_open_period(
    policies: Object, answers: list[Object], lines: list[tuple[str, str]]
) -> None:
    """As the policy of corrections and the posting state say; nothing is posted to November any more (M6)."""
    task = corrected(**policies)
    task.send("invoices", *answers)
    task.clear()
    task.send("approvals", review("approved"))

    assert [(line["action"], line["amount"]) for line in task.out["billing"]] == lines
    assert {line.get("adjusts", "psa:time:1:1:billing:0") for line in task.out["billing"]} == {"psa:time:1:1:billing:0"}
    assert {event["accounting_date"] for name in ("billing", "accruals") for event in task.out[name]} == {"2026-12-01"}


def test_late_work_is_no_correction() -> None:
    """What comes first after November has closed is posted in December, and so is what was rejected before."""
    task = billed()
    task.refer("periods", CLOSED)
    task.send("time-entries", time_entry(id="2", status="approved"))
    task.send("time-entries", time_entry(id="3", status="rejected"))
    task.send("time-entries", time_entry(id="3", revision=2, status="approved"))

    assert stands(task) == ("2400.00", {})
    assert [day for _, day in dated(task, "billing")] == ["2026-11-20", "2026-12-01", "2026-12-01"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"quantity": "8.0", "notes": "typing error"}, ("800.00", {}), id="no-money"),
        pytest.param({"task_id": "T-1"}, WAITS, id="what-the-bill-shows"),
        pytest.param({"status": "recalled"}, ("0.00", {}), id="withdrawn"),
        pytest.param({"status": "submitted", "quantity": "6"}, ("800.00", {}), id="not-approved-yet"),
        pytest.param({"work_date": "2026-12-01"}, WAITS, id="moved-out-of-it"),
    ],
)
def test_what_changes_nothing_posted_or_is_withdrawn_needs_no_review(
    changes: Object, expected: tuple[str, dict[str, int]]
) -> None:
    """Only approved corrections of money wait; nothing unapproved stays billed (M6)."""
    task = billed()
    task.refer("periods", CLOSED)
    task.send("time-entries", time_entry(**{"revision": 2, "status": "approved"} | changes))

    assert stands(task) == expected


def test_a_correction_of_an_open_period_needs_no_review() -> None:
    """Work of December is corrected as ever, also into November, where it is late."""
    task = ready_task(engagement(policies=REVIEWED))
    by_month(task)
    task.refer("periods", CLOSED)
    task.send("time-entries", time_entry(status="approved", work_date="2026-12-01"))
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))

    assert stands(task) == ("600.00", {})


@pytest.mark.parametrize("crash", [False, True])
def test_what_was_corrected_before_the_period_closed_stays(crash: bool) -> None:  # noqa: FBT001
    """Closing November brings nothing back for review, nor does a new rate after that; the next correction waits."""
    task = billed()
    task.send("time-entries", time_entry(revision=2, status="approved", quantity="6"))
    task.send("time-entries", time_entry(revision=3, status="approved", quantity="4"))
    task.refer("periods", CLOSED)
    if crash:
        task.restart()
    task.refer("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}]))
    assert stands(task) == ("440.00", {})
    task.send("time-entries", time_entry(revision=4, status="approved", quantity="7"))

    assert stands(task) == ("440.00", {"awaiting_review": 1})


@pytest.mark.parametrize("terms_first", [True, False])
def test_terms_that_come_late_know_what_the_open_period_let_pass(terms_first: bool) -> None:  # noqa: FBT001
    """Corrections in closed periods are reviewed from now on: what was corrected in the open one is not brought back."""
    task = ready_task(engagement(policies={"review_above": "5000"}))
    by_month(task)
    task.send("time-entries", time_entry(status="approved"))
    agreed = "engagements", engagement(revision=2, policies=REVIEWED | {"review_above": "5000"})
    correction = "time-entries", time_entry(revision=2, status="approved", quantity="6")
    for stream, sent in (agreed, correction) if terms_first else (correction, agreed):
        task.send(stream, sent)
    task.refer("periods", CLOSED)

    assert stands(task) == ("600.00", {})


def test_a_period_that_opens_again_lets_a_correction_pass() -> None:
    """It is posted in November; once that closes again the correction stays."""
    task = corrected()
    assert stands(task) == WAITS
    task.refer("periods", {**NOVEMBER, "revision": 10})
    assert stands(task) == ("600.00", {})
    assert {day for _, day in dated(task, "billing")} == {"2026-11-20"}
    task.refer("periods", {**CLOSED, "revision": 11})
    task.send("approvals", review("recalled"))

    assert stands(task) == ("600.00", {})


@pytest.mark.parametrize(
    ("above", "november", "expected"),
    [
        pytest.param("100", "open", WAITS, id="large-and-open"),
        pytest.param("100", "closed", WAITS, id="large-and-closed"),
        pytest.param("500", "closed", WAITS, id="small-and-closed"),
        pytest.param("500", "open", ("600.00", {}), id="small-and-open"),
    ],
)
def test_both_reviews_are_one(above: str, november: str, expected: tuple[str, dict[str, int]]) -> None:
    """One decision releases a correction that is large and in a closed period."""
    task = corrected(review_above=above)
    task.refer("periods", {**NOVEMBER, "status": november, "revision": 10})
    assert stands(task) == expected
    task.send("approvals", review("approved"))

    assert stands(task) == ("600.00", {})


def test_without_a_next_open_period_what_is_released_waits_for_one() -> None:
    """It is reversed nowhere and billed nowhere until December opens."""
    task = corrected()
    task.refer("periods", {**DECEMBER, "status": "future", "revision": 9})
    task.send("approvals", review("approved"))
    assert stands(task) == ("800.00", {"period_closed": 1})
    task.refer("periods", {**DECEMBER, "revision": 10})

    assert stands(task) == ("600.00", {})


FACTS: dict[str, list[Object]] = {
    "engagements": [engagement(policies=REVIEWED), engagement(policies=REVIEWED, revision=2, name="again")],
    "time-entries": [
        time_entry(),
        time_entry(revision=2, quantity="6"),
        time_entry(id="2", status="approved"),
        time_entry(id="2", revision=2, status="approved", quantity="20"),
        time_entry(id="3", status="approved"),
        time_entry(id="3", revision=2, status="approved", quantity="7"),
        time_entry(id="3", revision=3, status="approved", quantity="5"),
        time_entry(id="4", status="approved", work_date="2026-12-01"),
        time_entry(id="4", revision=2, status="approved", work_date="2026-12-01", quantity="1"),
    ],
    "approvals": [
        approval(),
        approval(entry_revision=2),
        review("approved"),
        review("approved", entry_id="2", approver_id="CFO"),
        review("rejected", entry_id="2", approver_id="CFO", sequence=2),
        review("approved", entry_id="3", revision=2),
    ],
    "periods": [
        year("closed", revision=2, start_date="2026-01-01", end_date="2026-10-31"),
        {**NOVEMBER, "status": "closed"},
        period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31"),
    ],
    "resources": [resource()],
    "rate-cards": [rate_card()],
}


@settings(max_examples=150)
@given(st.randoms(use_true_random=False))
def test_any_order_of_streams_reviews_the_same(chance: Random) -> None:
    """Of a month that was never open: the same is billed and waits, whatever came first (M9)."""
    task = Task()
    task.send_mixed(FACTS, chance)

    assert stands(task) == ("2200.00", {"awaiting_review": 1})
