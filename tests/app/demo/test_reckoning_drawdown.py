"""The independent reckoning of prepaid balances, by hand-made cases whose figures are worked out beside each."""

from __future__ import annotations

import pytest

from .test_reckoning import Sent, month, reckoned, spent, terms, time

WINTER = (month(1), month(2), month(3))
WORK = (
    time(id="T-1", work_date="2026-01-10", quantity="6"),
    time(id="T-2", work_date="2026-02-10", quantity="14"),
    time(id="T-3", work_date="2026-02-11", quantity="4"),
)
"""600 in January, 1,800 in February, in euro."""


def retainer(amount: str = "1000", *, end: str | None = "2026-02-28", **agreed: object) -> Sent:
    """A month for 1,000, from January to February."""
    return terms(contract_type="retainer", end_date=end, fee={"amount": amount, "drawdown": agreed})


def by(amount: str) -> dict[str, str]:
    """A refill of an amount below 100."""
    return {"threshold": "100", "amount": amount}


@pytest.mark.parametrize(
    ("contract", "money"),
    [
        pytest.param(retainer(), (2_400, 0, 2_400, 0, 0), id="400 roll over, February uses 1,400; 400 more are owed"),
        pytest.param(retainer(unused="expire"), (2_400, 400, 2_800, 0, 0), id="400 expire: 800 more are owed, 400 are earned"),
        pytest.param(retainer(unused="refund"), (2_400, 0, 2_400, 0, 0), id="400 are given back, 800 are owed"),
        pytest.param(retainer(overage="absorb"), (2_400, -400, 2_000, 0, 0), id="400 are the firm's own"),
        pytest.param(retainer(overage="hold"), (2_000, 0, 2_000, 0, 400), id="400 wait"),
        pytest.param(retainer("3000", rest="expire"), (2_400, 3_600, 6_000, 0, 0), id="3,600 expire at the end"),
        pytest.param(retainer("3000", rest="refund"), (2_400, 0, 2_400, 0, 0), id="3,600 are given back"),
        pytest.param(retainer("3000"), (2_400, 3_600, 2_400, 3_600, 0), id="3,600 stay"),
        pytest.param(retainer(refill=by("500")), (2_400, 100, 2_400, 100, 0), id="1,000 once, refilled by three times 500"),
        pytest.param(retainer(refill={"threshold": "500", "up_to": "900"}), (2_400, 0, 2_400, 0, 0), id="400 are filled up to 900"),
        pytest.param(retainer(end="2026-03-31", overage="hold"), (2_400, 600, 2_400, 600, 0), id="March pays for February"),
    ],
)  # fmt: skip
def test_a_balance_over_two_months(contract: Sent, money: tuple[int, ...]) -> None:
    """Billed for work, fees with all that moves the balance, earned, deferred, held; in euro."""
    found = reckoned(contract, *WINTER, *WORK).engagements["E-1"]
    shown = found.billed, found.fees, found.earned, found.deferred, found.held
    assert shown == tuple(100 * amount for amount in money)


def test_expenses_draw_where_they_are_included() -> None:
    """An expense of 100 is paid by the balance, or billed besides."""
    travel = spent(spent_on="2026-01-05")
    for included, deferred in ((True, 30_000), (False, 40_000)):
        january = retainer(end="2026-01-31", includes_expenses=included)
        found = reckoned(january, *WINTER, WORK[0], travel).engagements["E-1"]
        assert (found.billed, found.deferred) == (70_000, deferred)


@pytest.mark.parametrize(
    ("quantities", "waiting"),
    [
        pytest.param(("10", "5"), (1, 2), id="500 of 1,500 wait: on one of them, or some on each"),
        pytest.param(("10", "10", "10"), (2, 3), id="2,000 of 3,000 wait: on two at least"),
        pytest.param(("10",), (0, 0), id="nothing waits"),
    ],
)
def test_how_many_entries_wait(quantities: tuple[str, ...], waiting: tuple[int, int]) -> None:
    """Which of them waits depends on the order; how few and how many may does not."""
    work = [time(id=f"T-{at}", work_date="2026-01-10", quantity=size) for at, size in enumerate(quantities)]
    found = reckoned(retainer(end="2026-01-31", overage="hold"), *WINTER, *work).engagements["E-1"]
    assert (found.balance_least, found.balance_most) == (waiting[0], min(waiting[1], len(quantities)))


def test_work_of_a_term_that_has_not_begun_draws_nothing() -> None:
    """While February is future, work of February is not paid by the balance of January."""
    future = (month(1), month(2, "future"), month(3))
    found = reckoned(retainer(), *future, WORK[0]).engagements["E-1"]
    assert (found.fees, found.deferred) == (40_000, 40_000)


def test_what_a_closed_month_ends_waits_for_it() -> None:
    """February is closed: what January leaves is nobody's, but expires only when February opens."""
    closed = (month(1), month(2, "closed"), month(3))
    found = reckoned(retainer(end=None, unused="expire"), *closed, WORK[0]).engagements["E-1"]
    assert (found.billed, found.fees, found.earned, found.deferred) == (60_000, 40_000, 60_000, 40_000)


@pytest.mark.parametrize(
    "fee",
    [
        pytest.param({"amount": "-1", "drawdown": {}}, id="less than nothing"),
        pytest.param({"amount": "1", "drawdown": {}, "billed": "arrears"}, id="not paid before"),
        pytest.param({"amount": "1", "drawdown": {"refill": {"threshold": "1"}}}, id="a refill of nothing"),
        pytest.param({"amount": "1", "drawdown": {"refill": {"threshold": "2", "up_to": "1"}}}, id="not to the threshold"),
    ],
)  # fmt: skip
def test_terms_nobody_can_mean(fee: dict[str, object]) -> None:
    """They count as undecodable."""
    assert reckoned(terms(contract_type="retainer", fee=fee)).dead_letters == 1
