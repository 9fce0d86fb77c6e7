"""The independent reckoning of fees by term, by hand-made cases whose figures are worked out beside each."""

from __future__ import annotations

import pytest

from .test_reckoning import Sent, month, one, terms

MARCH_MISSING = (month(1), month(2), month(3, "future"))
QUARTER = (month(1), month(2), month(3))
BY_DATES = [
    {"start_date": "2026-01-01", "end_date": "2026-01-20"},
    {"start_date": "2026-02-01", "end_date": "2026-02-28", "amount": "100"},
    {"start_date": "2026-04-01", "end_date": "2026-04-30"},
]


def by_term(kind: str, **fee: object) -> Sent:
    """36,500 a year, so 100 for each day of 2026."""
    return terms(contract_type=kind, fee={"amount": "36500", "term": "year", **fee})


@pytest.mark.parametrize(
    ("contract", "months", "money"),
    [
        pytest.param(by_term("subscription"), QUARTER, (3_650_000, 900_000, 2_750_000), id="90 days of 365"),
        pytest.param(by_term("subscription"), MARCH_MISSING, (3_650_000, 590_000, 3_060_000), id="59 days are open"),
        pytest.param(by_term("subscription", billed="arrears"), QUARTER, (0, 900_000, 0), id="earned, not billed"),
        pytest.param(by_term("subscription"), (month(2),), (0, 0, 0), id="its first day is not open"),
        pytest.param(by_term("retainer", schedule=BY_DATES), QUARTER, (3_660_000, 3_660_000, 0), id="two terms by their dates"),
        pytest.param(by_term("retainer", billed_terms="rebill", term="month", billed="arrears"), MARCH_MISSING, (7_300_000, 7_300_000, 0), id="two months that ended"),
        pytest.param(by_term("retainer", billed_terms="rebill", billed="arrears", schedule=[{"start_date": "2026-01-01", "end_date": "2026-02-15"}]), (month(2),), (0, 0, 0), id="what may be billed anew has to begin"),
    ],
)  # fmt: skip
def test_fees_by_term(contract: Sent, months: tuple[Sent, ...], money: tuple[int, int, int]) -> None:
    """Billed, earned and deferred, as far as months are open."""
    got = one(contract, *months)
    assert (got.fees, got.earned, got.deferred) == money


def test_a_fee_that_changes_is_billed_anew() -> None:
    """The latest fee counts for terms that had begun before."""
    changed = terms(
        revision=2, contract_type="retainer", fee={"amount": "50", "term": "year", "billed_terms": "rebill"}
    )
    assert one(by_term("retainer", billed_terms="rebill"), changed, *QUARTER).fees == 5_000
