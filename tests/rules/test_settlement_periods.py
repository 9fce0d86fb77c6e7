"""Closed periods: nothing is posted to one, reversals included; what has to wait waits whole."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from .builders import DAY, MILLION, YEAR, Ledger, contract, period, version

if TYPE_CHECKING:
    from billtide.codecs.period import Period

DECEMBER = period(id="2026-12", start_date="2026-12-01", end_date="2026-12-31")
FIRST_OF_DECEMBER = dt.date(2026, 12, 1)


def november(status: str) -> list[Period]:
    """November in this status, December open."""
    return [period(status=status), DECEMBER]


def dates(ledger: Ledger) -> set[dt.date]:
    """Accounting dates of everything posted."""
    effects = ledger.effects
    return {event.accounting_date for event in (*effects.billing, *effects.accruals, *effects.revenue)}


def test_late_time_waits_for_a_closed_period() -> None:
    """Under `hold` an entry of a closed period posts nothing until the period is opened again."""
    ledger = Ledger(contract(calendar=november("closed")))
    missing = ledger.send(version(status="approved"))

    assert missing is not None
    assert missing.reason == "period_closed"
    assert ledger.ids() == []
    ledger.contract = contract(calendar=november("open"))
    assert ledger.settle() is None
    assert dates(ledger) == {DAY}


def test_late_time_moves_to_the_next_open_period() -> None:
    """Under `next_open_period` the work date is kept and the accounting date moves."""
    ledger = Ledger(contract(calendar=november("closed"), policies={"closed_period": "next_open_period"}))
    ledger.send(version(status="approved"))

    assert dates(ledger) == {FIRST_OF_DECEMBER}
    assert {event.work_date for event in ledger.effects.billing} == {DAY}


@pytest.mark.parametrize("before", ["submitted", "approved"])
@pytest.mark.parametrize("change", ["deleted", "rejected", "correction"])
def test_a_reversal_waits_for_a_closed_period_too(before: str, change: str) -> None:
    """Under `hold` nothing is reversed into a closed period, and nothing is reversed in part."""
    ledger = Ledger(contract(calendar=november("open")))
    ledger.send(version(status=before))
    ledger.clear()
    ledger.contract = contract(calendar=november("closed"))
    sent = (
        version(revision=2, status=before, quantity=7 * MILLION)
        if change == "correction"
        else version(revision=2, status=change)
    )
    missing = ledger.send(sent)

    assert missing is not None
    assert missing.reason == "period_closed"
    assert ledger.ids() == []


@pytest.mark.parametrize("before", ["submitted", "approved"])
def test_a_reversal_moves_with_the_policy(before: str) -> None:
    """Under `next_open_period` original and reversal stand in different periods and cancel out."""
    policies = {"closed_period": "next_open_period"}
    ledger = Ledger(contract(calendar=november("open"), policies=policies))
    ledger.send(version(status=before))
    ledger.clear()
    ledger.contract = contract(calendar=november("closed"), policies=policies)
    ledger.send(version(revision=2, status="deleted"))

    assert dates(ledger) == {FIRST_OF_DECEMBER}
    assert (ledger.engagement.cost, ledger.engagement.unbilled, ledger.engagement.billed) == (0, 0, 0)


def test_a_held_reversal_follows_when_the_period_opens() -> None:
    """What stood wrongly is reversed and the correction posted, once each."""
    ledger = Ledger(contract(calendar=november("open")))
    ledger.send(version(status="approved"))
    ledger.contract = contract(calendar=november("closed"))
    ledger.send(version(revision=2, status="approved", quantity=7 * MILLION))
    ledger.clear()
    ledger.contract = contract(calendar=november("open"))
    ledger.settle()
    ledger.settle()

    assert ledger.billed() == [("reversal", "-800.00"), ("charge", "700.00")]


def test_approval_in_a_closed_period_bills_when_it_opens() -> None:
    """The accrual of November stays open while its period is closed and the approval waits."""
    ledger = Ledger(contract(calendar=november("open")))
    ledger.send(version())
    ledger.contract = contract(calendar=november("closed"))
    missing = ledger.decide("approved")

    assert missing is not None
    assert missing.reason == "period_closed"
    assert ledger.billed() == []
    assert ledger.engagement.unbilled == 80_000


def test_a_held_reversal_leaves_the_bill_that_stands() -> None:
    """Until it can be reversed a deleted entry's bill is still a bill: billed and approved value agree (M7)."""
    ledger = Ledger(contract(calendar=[YEAR]))
    ledger.send(version(status="approved"))
    ledger.contract = contract(calendar=november("closed"))
    ledger.send(version(revision=2, status="deleted"))
    engagement = ledger.engagement

    assert (engagement.billed, engagement.approved_value, engagement.held) == (80_000, 80_000, 0)
