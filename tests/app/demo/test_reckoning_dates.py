"""The independent reckoning of what is dated by its approval or submission, by hand-made cases."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest

from .test_reckoning import Sent, decided, month, one, reckoned, sent, spent, terms, time

SUBMITTED: Final = {"status": "submitted"}
BY_APPROVAL: Final = {"policies": {"accounting_date": "approval_date"}}
WAITS: Final = {"approval_date_unknown": 1}
RATES: Final = (
    sent("fx-rates"),
    sent("fx-rates", valid_from="2026-04-01", valid_to="2026-04-30", rate="0.7"),
)
"""A dollar is 0.9 EUR in March and 0.7 in April."""


def on(day: str | None, **changes: object) -> Sent:
    """An approval of X-1 that was decided on a day."""
    return decided(entry_id="X-1", entry_type="expense", decided_on=day, **changes)


@pytest.mark.parametrize(
    ("decisions", "cents"),
    [
        pytest.param((on("2026-04-02"),), 70_00, id="approved in April"),
        pytest.param((on("2026-03-05"),), 90_00, id="approved in March"),
        pytest.param((on("2026-03-05"), on("2026-04-02", level="finance")), 70_00, id="the latest of two levels"),
        pytest.param((), 90_00, id="not approved yet: as it was spent"),
    ],
)
def test_a_hundred_dollars_by_the_day_of_approval(decisions: tuple[Sent, ...], cents: int) -> None:
    """100 USD that were spent in March become EUR at the rate of the day on which they were approved."""
    contract = terms(policies={"fx_policy": {"date": "approval_date"}})
    assert one(contract, *RATES, month(3), spent(currency="USD", **SUBMITTED), *decisions).cost == cents


@pytest.mark.parametrize(
    ("contract", "records", "held"),
    [
        pytest.param(BY_APPROVAL, (time(),), WAITS, id="approved by the source"),
        pytest.param(BY_APPROVAL, (time(**SUBMITTED), decided()), WAITS, id="no day"),
        pytest.param(BY_APPROVAL, (time(**SUBMITTED), decided(decided_on="2026-03-04")), {}, id="a day"),
        pytest.param(BY_APPROVAL, (time(billable=False),), {}, id="nothing is charged"),
        pytest.param({**BY_APPROVAL, "contract_type": "internal"}, (time(),), {}, id="nobody is charged"),
        pytest.param({}, (time(),), {}, id="dated by the work"),
    ],
)
def test_the_day_of_approval_is_waited_for(
    contract: dict[str, object], records: tuple[Sent, ...], held: dict[str, int]
) -> None:
    """What is charged on the day of its approval waits as long as nobody says that day."""
    assert reckoned(terms(**contract), *records).held == held


BY_SUBMISSION: Final = {"policies": {"accounting_date": "submission_date"}}
UNKNOWN: Final = {"submission_date_unknown": 1}


@pytest.mark.parametrize(
    ("contract", "record", "held", "unbilled"),
    [
        pytest.param(BY_SUBMISSION, time(), UNKNOWN, 800_00, id="no day"),
        pytest.param(BY_SUBMISSION, time(submitted_on="2026-03-04"), {}, 0, id="a day"),
        pytest.param(BY_SUBMISSION, time(submitted_on="2026-05-04"), {"period_closed": 1}, 800_00, id="a closed day"),
        pytest.param(BY_SUBMISSION, time(**SUBMITTED), {}, 800_00, id="not approved"),
        pytest.param(BY_SUBMISSION, time(billable=False), {}, 0, id="nothing is charged"),
        pytest.param({**BY_SUBMISSION, "contract_type": "internal"}, time(), {}, 0, id="nobody is charged"),
    ],
)
def test_the_day_of_submission_is_waited_for(
    contract: dict[str, object], record: Sent, held: dict[str, int], unbilled: int
) -> None:
    """What is charged on the day it was submitted waits until that is known and open, and is accrued so long."""
    found = reckoned(terms(**contract), month(3), month(5, "closed"), record)

    assert (found.held, found.engagements["E-1"].unbilled) == (held, unbilled)


def test_charges_are_of_days_of_submission() -> None:
    """Of every revision, each in its open month; where a month has changed on the way nothing is certain."""
    later = terms(policies={"accounting_date": "submission_date", "closed_period": "next_open_period"})
    versions = (time(submitted_on="2026-03-04"), time(revision=2, submitted_on="2026-04-02"))
    (worth,) = one(later, month(3), month(4, "closed"), month(5), *versions).worths
    (moved,) = one(later, month(3), month(4, "open"), month(4, "closed", revision=2), month(5), *versions).worths

    assert worth.charged_on == {dt.date(2026, 3, 4), dt.date(2026, 5, 1)}
    assert moved.charged_on is None


def test_charges_are_of_days_of_approval() -> None:
    """Of every decision about the entry, each in its open month; of a contract dated by the work nothing is said."""
    periods = (month(3), month(4, "closed"), month(5))
    later = terms(policies={"accounting_date": "approval_date", "closed_period": "next_open_period"})
    days = (decided(decided_on="2026-03-04"), decided(decided_on="2026-04-02", level="finance"))
    (worth,) = one(later, *periods, time(**SUBMITTED), *days).worths
    (plain,) = one(time()).worths

    assert worth.charged_on == {dt.date(2026, 3, 4), dt.date(2026, 5, 1)}
    assert plain.charged_on is None
