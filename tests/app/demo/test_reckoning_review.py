"""The independent reckoning of reviewed corrections, by hand-made cases: 8 hours at 100 that become 1 or 7."""

from __future__ import annotations

import pytest

from .test_reckoning import Sent, decided, month, reckoned, spent, terms, time

CONTRACT = terms(policies={"review_above": "500"})


def review(verdict: str, revision: int = 2, **changes: object) -> Sent:
    """A decision of finance about the correction by a revision."""
    return decided(entry_revision=revision, verdict=verdict, level="finance", target="correction", **changes)


LARGE, SMALL = time(revision=2, quantity="1"), time(revision=2, quantity="7")


@pytest.mark.parametrize(
    ("records", "cents", "waits"),
    [
        pytest.param([SMALL], 70_000, 0, id="small enough"),
        pytest.param([LARGE], 80_000, 1, id="too large"),
        pytest.param([LARGE, review("approved")], 10_000, 0, id="released"),
        pytest.param([LARGE, review("rejected")], 80_000, 0, id="rejected"),
        pytest.param([SMALL, review("rejected")], 80_000, 0, id="rejected though small"),
        pytest.param([LARGE, review("approved"), review("recalled", sequence=2)], 80_000, 1, id="taken back"),
        pytest.param([LARGE, review("approved", 1)], 80_000, 1, id="about another revision"),
        pytest.param([LARGE, decided(entry_revision=2, level="finance")], 80_000, 1, id="about the entry"),
        pytest.param([LARGE, time(revision=3, quantity="7")], 70_000, 0, id="a later one is weighed against what counts"),
        pytest.param([LARGE, time(revision=3, quantity="7"), review("approved")], 10_000, 1, id="of the released one"),
        pytest.param([LARGE, time(revision=3, status="recalled")], 0, 0, id="withdrawn"),
    ],
)  # fmt: skip
def test_a_large_correction_counts_once_it_is_released(records: list[Sent], cents: int, waits: int) -> None:
    """Above 500 the bill stays as it was until finance releases the correction."""
    result = reckoned(CONTRACT, time(), *records)

    assert (result.engagements["E-1"].billed, result.held.get("awaiting_review", 0)) == (cents, waits)


@pytest.mark.parametrize(
    ("records", "cents", "waits"),
    [
        pytest.param([SMALL], 80_000, 1, id="however small"),
        pytest.param([SMALL, review("approved")], 70_000, 0, id="released"),
        pytest.param([SMALL, review("rejected")], 80_000, 0, id="rejected"),
        pytest.param([SMALL, month(3, "open", revision=2)], 70_000, 0, id="opened again"),
        pytest.param([time(revision=2, notes="typing error")], 80_000, 0, id="no money"),
        pytest.param([time(revision=2, quantity="8.00")], 80_000, 0, id="the same hours"),
        pytest.param([time(revision=2, work_date="2026-04-01")], 80_000, 1, id="moved out of it"),
        pytest.param([time(revision=2, status="recalled")], 0, 0, id="withdrawn"),
        pytest.param([time(id="2", work_date="2026-04-01"), time(id="2", revision=2, work_date="2026-04-01", quantity="7")], 150_000, 0, id="of an open month"),
    ],
)  # fmt: skip
def test_a_correction_in_a_closed_month_counts_once_it_is_released(records: list[Sent], cents: int, waits: int) -> None:
    """March is closed: what was worked in it stays as it was until finance releases its correction."""
    contract = terms(policies={"closed_period": "review_corrections"})
    result = reckoned(contract, month(3, "closed"), month(4), time(), *records)

    assert (result.engagements["E-1"].billed, result.held.get("awaiting_review", 0)) == (cents, waits)


@pytest.mark.parametrize(
    ("changes", "waits"),
    [
        pytest.param({}, 0, id="nothing"),
        pytest.param({"receipt": True}, 0, id="the receipt"),
        pytest.param({"amount": "90"}, 1, id="the amount"),
        pytest.param({"category": "meal"}, 1, id="the category"),
    ],
)
def test_an_expense_in_a_closed_month_is_corrected_so_too(changes: dict[str, object], waits: int) -> None:
    """Whatever of it costs or is billed."""
    contract = terms(policies={"closed_period": "review_corrections"})
    result = reckoned(contract, month(3, "closed"), month(4), spent(), spent(revision=2, **changes))

    assert result.held.get("awaiting_review", 0) == waits


def test_only_reviewers_of_the_terms_count() -> None:
    """Where the terms name finance, nobody else releases."""
    contract = terms(policies={"review_above": "500", "approvers": [{"approver_id": "CFO", "level": "finance"}]})
    billed = [
        reckoned(contract, time(), LARGE, review("approved", approver_id=name)).engagements["E-1"].billed
        for name in ("CFO", "R-9")
    ]

    assert billed == [10_000, 80_000]


def test_a_review_by_no_reviewer_cannot_be_read() -> None:
    """A correction is reviewed by finance alone."""
    assert reckoned(CONTRACT, decided(target="correction")).dead_letters == 1
