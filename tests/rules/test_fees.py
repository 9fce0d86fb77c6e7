"""Fees of a retainer: one a term, due when the period of its date opens, never twice."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from billtide.agents.rules.effects import Effects
from billtide.agents.rules.fee_terms import bill_due_fees
from billtide.agents.rules.fees import add_months, terms_after
from billtide.codecs.records import EngagementState

from .builders import YEAR, contract, period

if TYPE_CHECKING:
    from .. import builders as records


def retainer(fee: records.Object | None = None, **changes: object) -> object:
    """A retainer of 1,000 a month unless said otherwise."""
    return contract(contract_type="retainer", fee={"amount": "1000"} | (fee or {}), **changes)


def months(*statuses: str) -> list[object]:
    """January 2026 and so on in these statuses."""
    return [
        period(id=str(month), start_date=str(dt.date(2026, month, 1)), end_date=str(add_months(dt.date(2026, month, 1), 1) - dt.timedelta(days=1)), status=status)
        for month, status in enumerate(statuses, start=1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "months_later", "expected"),
    [
        pytest.param("2026-01-15", 1, "2026-02-15", id="same-day"),
        pytest.param("2026-01-31", 1, "2026-02-28", id="31st-in-february"),
        pytest.param("2028-01-31", 1, "2028-02-29", id="31st-in-a-leap-year"),
        pytest.param("2026-01-31", 3, "2026-04-30", id="31st-in-april"),
        pytest.param("2026-12-01", 1, "2027-01-01", id="over-the-year"),
        pytest.param("2026-11-30", 15, "2028-02-29", id="over-two-years"),
        pytest.param("2028-02-29", 12, "2029-02-28", id="29-february"),
    ],
)
def test_the_same_day_some_months_later(date: str, months_later: int, expected: str) -> None:
    """A day that a shorter month lacks becomes its last day."""
    assert expected == str(add_months(dt.date.fromisoformat(date), months_later))


@pytest.mark.parametrize(
    ("fee", "start", "expected"),
    [
        pytest.param({}, "2026-01-01", [("2026-01-01", "2026-01-31", "2026-01-01"), ("2026-02-01", "2026-02-28", "2026-02-01")], id="month"),
        pytest.param({"term": "quarter"}, "2026-01-01", [("2026-01-01", "2026-03-31", "2026-01-01"), ("2026-04-01", "2026-06-30", "2026-04-01")], id="quarter"),
        pytest.param({"term": "year"}, "2026-07-01", [("2026-07-01", "2027-06-30", "2026-07-01"), ("2027-07-01", "2028-06-30", "2027-07-01")], id="year"),
        pytest.param({"billed": "arrears"}, "2026-01-01", [("2026-01-01", "2026-01-31", "2026-01-31"), ("2026-02-01", "2026-02-28", "2026-02-28")], id="arrears"),
        pytest.param({}, "2026-01-31", [("2026-01-31", "2026-02-27", "2026-01-31"), ("2026-02-28", "2026-03-30", "2026-02-28")], id="from-the-31st"),
    ],
)  # fmt: skip
def test_terms_follow_each_other(fee: records.Object, start: str, expected: list[tuple[str, str, str]]) -> None:
    """Terms are whole months from the start date, without gap or overlap, due at their start or their end."""
    terms = islice(terms_after(retainer(fee, start_date=start), None), 2)

    assert expected == [tuple(str(date) for date in term) for term in terms]


def test_terms_from_the_31st_do_not_drift() -> None:
    """After a short month the term starts on the 31st again."""
    starts = [str(term.start) for term in islice(terms_after(retainer(start_date="2026-01-31"), None), 4)]

    assert starts == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_terms_end_with_the_engagement() -> None:
    """The last term is the one in which the engagement ends; other contracts have none."""
    assert [term.start.month for term in terms_after(retainer(end_date="2026-03-15"), None)] == [1, 2, 3]
    assert list(terms_after(contract(), None)) == []


@pytest.mark.parametrize(
    ("statuses", "fee", "billed", "waits"),
    [
        pytest.param(("open", "open", "future"), {}, ["2026-01-01", "2026-02-01"], ("period_future", "2026-03-01"), id="stops-at-a-future-period"),
        pytest.param(("open", "open"), {}, ["2026-01-01", "2026-02-01"], ("period_unknown", "2026-03-01"), id="stops-at-an-unknown-period"),
        pytest.param(("closed", "open"), {}, [], ("period_closed", "2026-01-01"), id="a-closed-one-blocks-those-after-it"),
        pytest.param(("open", "open", "future"), {"billed": "arrears"}, ["2026-01-31", "2026-02-28"], ("period_future", "2026-03-31"), id="arrears"),
        pytest.param(("open", "open", "open", "future"), {"term": "quarter"}, ["2026-01-01"], ("period_future", "2026-04-01"), id="quarter"),
        pytest.param(("open", "open", "open", "future"), {"term": "quarter", "billed": "arrears"}, ["2026-03-31"], ("period_unknown", "2026-06-30"), id="quarter-in-arrears"),
    ],
)  # fmt: skip
def test_fees_are_billed_up_to_what_is_not_open(statuses: tuple[str, ...], fee: records.Object, billed: list[str], waits: tuple[str, str]) -> None:  # fmt: skip
    """Every due term is billed in order, on its due date; the first that cannot be posted says why."""
    effects, engagement = Effects(), EngagementState("E1")
    [waiting] = bill_due_fees(engagement, retainer(fee, calendar=months(*statuses)), effects)

    assert waits == (waiting[0], str(waiting[1]))
    assert billed == [str(event.accounting_date) for event in effects.billing]
    assert engagement.fees == engagement.earned == 100_000 * len(billed)


def test_a_fee_is_billed_once() -> None:
    """Looking again bills nothing again; the next period brings the next fee only."""
    effects, engagement = Effects(), EngagementState("E1")
    for statuses in (("open", "future"), ("open", "future"), ("open", "open", "future")):
        bill_due_fees(engagement, retainer(calendar=months(*statuses)), effects)

    assert [event.id for event in effects.billing] == [
        "crm:fee:E1:2026-01-01:billing:0",
        "crm:fee:E1:2026-02-01:billing:0",
    ]


def test_a_late_fee_moves_with_the_policy() -> None:
    """Under `next_open_period` a fee of a closed month is posted in the next open one."""
    effects = Effects()
    bill_due_fees(
        EngagementState("E1"),
        retainer(calendar=months("closed", "open"), policies={"closed_period": "next_open_period"}),
        effects,
    )

    assert [str(event.accounting_date) for event in effects.billing] == ["2026-02-01", "2026-02-01"]
    assert [str(event.work_date) for event in effects.billing] == ["2026-01-01", "2026-02-01"]


def test_a_longer_term_does_not_bill_what_is_billed() -> None:
    """From monthly to quarterly: no id is used twice, and no month is paid for twice (M1, M4)."""
    effects, engagement = Effects(), EngagementState("E1")
    bill_due_fees(engagement, retainer(calendar=months("open", "future")), effects)
    bill_due_fees(
        engagement,
        retainer({"amount": "3000", "term": "quarter"}, calendar=months("open", "open", "future"), revision=2),
        effects,
    )
    ids = [event.id for event in effects.billing]

    assert sorted(set(ids)) == sorted(ids)


def test_a_retainer_until_the_end_of_time_is_not_an_error() -> None:
    """Terms that would end after the last date there is end the list; the task must not stop."""
    far = retainer(start_date="9999-11-15", calendar=[period(start_date="9999-01-01", end_date="9999-12-31")])
    effects = Effects()
    bill_due_fees(EngagementState("E1"), far, effects)

    assert [str(event.work_date) for event in effects.billing][:1] == ["9999-11-15"]


def test_a_period_of_decades_does_not_bill_decades() -> None:
    """Fees of the first 400 days of one period are billed, the next waits for periods of a sensible length."""
    effects, engagement = Effects(), EngagementState("E1")
    century = period(id="c", start_date="2026-01-01", end_date="2125-12-31")
    [waiting] = bill_due_fees(engagement, retainer(calendar=[century]), effects)

    assert (waiting[0], str(waiting[1]), len(effects.billing)) == ("period_too_long", "2027-03-01", 14)

    months = [century, period(id="2027-03", start_date="2027-03-01", end_date="2027-03-31")]
    [waiting] = bill_due_fees(engagement, retainer(calendar=months), effects)

    assert (waiting[0], str(waiting[1]), len(effects.billing)) == ("period_too_long", "2027-04-01", 15)


def test_a_closed_period_of_decades_does_not_bill_decades() -> None:
    """What moves from a long closed period into the next open one is bounded in the same way (M6)."""
    effects = Effects()
    calendar = [
        period(id="c", start_date="1990-01-01", end_date="2025-12-31", status="closed"),
        YEAR,
    ]
    policies = {"closed_period": "next_open_period"}
    bill_due_fees(
        EngagementState("E1"), retainer(calendar=calendar, policies=policies, start_date="1990-01-01"), effects
    )

    assert len(effects.billing) == 14


def test_terms_may_have_dates_of_their_own() -> None:
    """A schedule names each term and may name its fee; the engagement's start and length of term play no part."""
    schedule = [
        {"start_date": "2026-02-10", "end_date": "2026-02-28"},
        {"start_date": "2026-05-01", "end_date": "2026-05-31", "amount": "12.34"},
    ]
    effects, engagement = Effects(), EngagementState("E1")
    under = retainer({"schedule": schedule}, calendar=[YEAR])

    assert [bill_due_fees(engagement, under, effects) for _ in range(2)] == [[], []]
    assert [(str(e.work_date), e.amount) for e in effects.billing] == [
        ("2026-02-10", "1000.00"),
        ("2026-05-01", "12.34"),
    ]


def test_a_fee_is_a_balanced_event_of_its_term() -> None:
    """The line says which term and which terms it stands for; revenue is earned with it."""
    effects = Effects()
    bill_due_fees(EngagementState("E1"), retainer(calendar=[YEAR], end_date="2026-01-31"), effects)
    (line,), (earned,) = effects.billing, effects.revenue

    assert (line.kind, line.quantity, line.unit, line.rate, line.amount) == ("fee", "1", "term", "1000.00", "1000.00")
    assert line.trace[0].source == "terms of E1 revision 1, term 2026-01-01 to 2026-01-31"
    assert {(journal.side, journal.amount) for journal in earned.lines} == {("debit", "1000.00"), ("credit", "1000.00")}
