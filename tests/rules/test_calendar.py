"""When something of a date may be posted, and the reason when it may not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from billtide.agents.rules.calendar import Calendar
from billtide.codecs.engagement import Policies

from .builders import period

if TYPE_CHECKING:
    from billtide.codecs.period import Period


def month(number: int, status: str) -> Period:
    """One month of 2026."""
    start = dt.date(2026, number, 1)
    end = dt.date(2026, number + 1, 1) - dt.timedelta(days=1)
    return period(id=f"2026-{number:02}", start_date=str(start), end_date=str(end), status=status)


CLOSED_OPEN_FUTURE = [month(3, "closed"), month(4, "closed"), month(5, "open"), month(6, "open"), month(7, "future")]


@pytest.mark.parametrize(
    ("date", "hold", "next_open"),
    [
        pytest.param("2026-05-01", "2026-05-01", "2026-05-01", id="first-day-of-an-open-period"),
        pytest.param("2026-06-30", "2026-06-30", "2026-06-30", id="last-day-of-an-open-period"),
        pytest.param("2026-07-01", "period_future", "period_future", id="not-begun"),
        pytest.param("2026-08-01", "period_unknown", "period_unknown", id="no-period"),
        pytest.param("2026-02-28", "period_unknown", "period_unknown", id="before-all-periods"),
        pytest.param("2026-04-30", "period_closed", "2026-05-01", id="closed"),
        pytest.param("2026-03-15", "period_closed", "2026-05-01", id="closed-with-a-closed-one-after-it"),
    ],
)
def test_a_date_is_posted_or_waits_with_its_reason(date: str, hold: str, next_open: str) -> None:
    """Only an open period takes a date; `next_open_period` and `review_corrections` move what is closed, nothing else."""
    for policy, expected in {"hold": hold, "next_open_period": next_open, "review_corrections": next_open}.items():
        calendar = Calendar(CLOSED_OPEN_FUTURE, Policies(closed_period=policy))
        actual = calendar.accounting_date(dt.date.fromisoformat(date))

        assert expected == str(actual), policy


@pytest.mark.parametrize("policy", ["hold", "next_open_period"])
def test_without_a_next_open_period_what_is_closed_waits(policy: Any) -> None:
    """A later period that is future or closed is no place to post to."""
    calendar = Calendar([month(4, "closed"), month(5, "future"), month(6, "closed")], Policies(closed_period=policy))

    assert calendar.accounting_date(dt.date(2026, 4, 10)) == "period_closed"


@pytest.mark.parametrize(
    ("date", "statuses"),
    [
        pytest.param("2026-04-30", {"closed"}, id="closed"),
        pytest.param("2026-05-01", {"open"}, id="open"),
        pytest.param("2026-07-01", {"future"}, id="not-begun"),
        pytest.param("2026-08-01", set(), id="no-period"),
    ],
)
def test_a_date_has_the_statuses_of_its_periods(date: str, statuses: set[str]) -> None:
    """Whatever the contract makes of it."""
    calendar = Calendar(CLOSED_OPEN_FUTURE, Policies(closed_period="review_corrections"))

    assert calendar.statuses(dt.date.fromisoformat(date)) == statuses


def test_the_order_of_the_periods_does_not_matter() -> None:
    """The next open period is the earliest one, however the periods arrived."""
    calendar = Calendar(reversed(CLOSED_OPEN_FUTURE), Policies(closed_period="next_open_period"))

    assert dt.date(2026, 5, 1) == calendar.accounting_date(dt.date(2026, 3, 2))


def test_of_periods_that_overlap_an_open_one_is_enough() -> None:
    """A year that is closed does not shut a month of it that is open."""
    both = [period(id="2026", start_date="2026-01-01", end_date="2026-12-31", status="closed"), month(5, "open")]
    calendar = Calendar([*both, month(6, "open")], Policies())

    assert dt.date(2026, 5, 9) == calendar.accounting_date(dt.date(2026, 5, 9))
    assert calendar.next_start(dt.date(2026, 5, 9)) is None


def test_the_same_question_has_the_same_answer() -> None:
    """Answers are remembered, and stay what they were."""
    calendar = Calendar(CLOSED_OPEN_FUTURE, Policies())

    assert calendar.accounting_date(dt.date(2026, 4, 1)) == calendar.accounting_date(dt.date(2026, 4, 1))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param("2026-05-01", "2026-05-31", id="first-day-of-an-open-period"),
        pytest.param("2026-06-30", "2026-06-30", id="last-day-of-an-open-period"),
        pytest.param("2026-04-30", "2026-05-31", id="closed"),
        pytest.param("2026-07-01", "period_future", id="not-begun"),
    ],
)
def test_by_period_end_a_date_becomes_the_last_of_its_period(date: str, expected: str) -> None:
    """So does what moves to the next open period."""
    policies = Policies(closed_period="next_open_period", accounting_date="period_end")
    calendar = Calendar(CLOSED_OPEN_FUTURE, policies)

    assert expected == str(calendar.accounting_date(dt.date.fromisoformat(date)))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param("2026-04-10", "2026-05-01", id="closed-before-an-open-one"),
        pytest.param("2026-03-10", "2026-05-01", id="closed-before-a-closed-one"),
        pytest.param("2026-05-10", "None", id="open"),
        pytest.param("2026-07-10", "None", id="not-begun"),
        pytest.param("2026-02-10", "None", id="no-period"),
        pytest.param("2026-08-10", "None", id="closed-before-one-not-begun"),
        pytest.param("2026-10-10", "None", id="closed-and-the-last"),
    ],
)
def test_after_a_closed_period_the_next_one_begins(date: str, expected: str) -> None:
    """It is not passed over for a later one that happens to be open already."""
    ahead = [month(8, "closed"), month(9, "future"), month(10, "open")]
    calendar = Calendar([*CLOSED_OPEN_FUTURE, *ahead], Policies())
    closed_last = Calendar([*CLOSED_OPEN_FUTURE, *ahead[:2], month(10, "closed")], Policies())
    found = (closed_last if date > "2026-09" else calendar).next_start(dt.date.fromisoformat(date))

    assert expected == str(found)
