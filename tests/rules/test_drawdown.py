"""A prepaid balance is used up term by term: sums in, movements out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.drawdown import Drawing, Pool, draw
from billtide.codecs.records import Movements


def pools(*terms: tuple[int, int], ended: int = 0, last: bool = False) -> list[Pool]:
    """Terms of these fees and this work, so many of which are over; the last one may be the engagement's last."""
    return [
        Pool(dt.date(2026, at, 1), funded, used, over=at <= ended, last=last and at == len(terms))
        for at, (funded, used) in enumerate(terms, 1)
    ]


@dataclass(frozen=True)
class Terms:
    """Terms of a drawdown, as short as a table needs them."""

    overage: str = "bill"
    unused: str = "roll_over"
    rest: str = "keep"
    below: int | None = None
    by: int = 0
    to: int = 0

    def drawing(self) -> Drawing:
        """As the rules take them."""
        return Drawing(self.overage, self.unused, self.rest, True, self.below, self.by, self.to)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "given_pools", "expected"),
    [
        pytest.param(Terms(), pools((100, 40)), [Movements(drawn=40)], id="part"),
        pytest.param(Terms(), pools((100, 140)), [Movements(drawn=100)], id="more-than-there-is"),
        pytest.param(Terms(), pools((100, 40), (100, 200)), [Movements(drawn=40), Movements(drawn=160)], id="rolls-over"),
        pytest.param(Terms(), pools((100, 140), (100, 60)), [Movements(drawn=100), Movements(drawn=60)], id="billed-overage-stays-billed"),
        pytest.param(Terms("hold"), pools((100, 140), (100, 90)), [Movements(drawn=100), Movements(drawn=100)], id="held-overage-draws-later"),
        pytest.param(Terms("absorb"), pools((100, 140), (100, 60)), [Movements(drawn=100, absorbed=40), Movements(drawn=60)], id="absorbed"),
        pytest.param(Terms(), pools((100, -20), (0, 120)), [Movements(drawn=-20), Movements(drawn=120)], id="negative-work-adds"),
        pytest.param(Terms(unused="expire"), pools((100, 40), (100, 60), ended=1), [Movements(drawn=40, expired=60), Movements(drawn=60)], id="expires-when-over"),
        pytest.param(Terms(unused="expire"), pools((100, 40), (100, 160)), [Movements(drawn=40), Movements(drawn=160)], id="not-before"),
        pytest.param(Terms(unused="refund"), pools((100, 40), (100, 60), ended=2), [Movements(drawn=40, refunded=60), Movements(drawn=60, refunded=40)], id="refunded"),
        pytest.param(Terms(rest="refund"), pools((100, 40), (100, 60), ended=2, last=True), [Movements(drawn=40), Movements(drawn=60, refunded=100)], id="rest-refunded"),
        pytest.param(Terms(rest="expire"), pools((100, 40), ended=1, last=True), [Movements(drawn=40, expired=60)], id="rest-expires"),
        pytest.param(Terms(rest="expire"), pools((100, 40), ended=1), [Movements(drawn=40)], id="not-the-rest-yet"),
        pytest.param(Terms(unused="expire", rest="keep"), pools((100, 40), ended=1, last=True), [Movements(drawn=40, expired=60)], id="the-last-like-any"),
        pytest.param(Terms(below=30, by=50), pools((100, 70)), [Movements(drawn=70)], id="at-the-threshold-is-enough"),
        pytest.param(Terms(below=30, by=50), pools((100, 71)), [Movements(refilled=50, drawn=71)], id="below-it"),
        pytest.param(Terms(below=30, by=50), pools((100, 190)), [Movements(refilled=150, drawn=190)], id="three-times"),
        pytest.param(Terms(below=30, to=100), pools((100, 71), (0, 10)), [Movements(drawn=71), Movements(refilled=71, drawn=10)], id="up-to"),
        pytest.param(Terms(below=30, to=100), pools((100, 70), (0, 40)), [Movements(drawn=70), Movements(drawn=30)], id="not-up-to-yet"),
        pytest.param(Terms(below=200, to=300), pools((100, 0)), [Movements()], id="the-first-term-has-its-fee"),
        pytest.param(Terms("hold", below=30, to=100), pools((100, 140), (0, 10)), [Movements(drawn=100), Movements(refilled=100, drawn=50)], id="held-until-refill"),
    ],
)  # fmt: skip
def test_a_balance_is_used_up(terms: Terms, given_pools: list[Pool], expected: list[Movements]) -> None:
    """Each policy in the smallest case that shows it."""
    assert expected == [drawn.movements for drawn in draw(given_pools, terms.drawing())]


amounts = st.integers(0, 500)


@given(
    st.lists(st.tuples(amounts, amounts), min_size=1, max_size=5),
    st.sampled_from(["bill", "hold", "absorb"]),
    st.sampled_from(["roll_over", "expire", "refund"]),
    st.sampled_from([(None, 0, 0), (10, 30, 0), (10, 0, 60)]),
    st.integers(0, 5),
)
def test_what_is_prepaid_is_used_or_given_back(
    terms: list[tuple[int, int]], overage: str, unused: str, refill: tuple[int | None, int, int], ended: int
) -> None:
    """Fees and refills = drawn + expired + refunded + what is left; nothing is below zero, work is never drawn twice."""
    drawn = draw(pools(*terms, ended=ended), Terms(overage, unused, "keep", *refill).drawing())
    moved = [one.movements for one in drawn]
    used = sum(one.drawn for one in moved)
    left = sum(fee for fee, _ in terms) + sum(one.refilled - one.expired - one.refunded for one in moved) - used

    assert left >= 0
    assert used + sum(one.absorbed for one in moved) <= sum(work for _, work in terms)
    assert min(min(one.refilled, one.drawn, one.absorbed, one.expired, one.refunded) for one in moved) >= 0
