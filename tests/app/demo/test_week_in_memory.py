"""The sample week through the real agents and rules, without Kafka: the money is the reckoning's, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from billtide.app.demo import firm

from .memory import Memory, played, reckoned, verdict_on

if TYPE_CHECKING:
    from billtide.app.demo.reckoning import Reckoning

ORDERS = 4


@pytest.fixture(scope="module")
def week() -> firm.Week:
    """The week that `billtide demo` shows."""
    return firm.sample_week(7)


@pytest.fixture(scope="module")
def reckoning(week: firm.Week) -> Reckoning:
    """What the week must come to."""
    return reckoned(*week.phases)


def test_the_week_comes_to_what_is_reckoned(week: firm.Week, reckoning: Reckoning) -> None:
    """In the order in which it came about, the week has the money, the holds and the dead letters reckoned."""
    assert verdict_on(played(week), reckoning).problems == ()


@pytest.mark.parametrize("order", range(ORDERS))
def test_no_order_of_the_streams_changes_the_money(
    order: int, week: firm.Week, reckoning: Reckoning, seed: int
) -> None:
    """However the streams are mixed, every engagement has the same money (M9), and no event id is there twice (M4)."""
    verdict = verdict_on(played(week, random.Random(seed + order)), reckoning)

    assert verdict.problems == ()
    assert verdict.lost == 0


def test_any_seed_comes_to_what_is_reckoned(seed: int) -> None:
    """The week of any seed agrees with its reckoning."""
    other = firm.sample_week(seed)

    assert verdict_on(played(other, random.Random(seed)), reckoned(*other.phases)).problems == ()


def test_sending_the_week_again_changes_nothing(week: firm.Week) -> None:
    """The second time every record is a duplicate, stale, or still cannot be read; no money event is written."""
    memory = played(week)
    outcomes, written = dict(memory.outcomes), memory.written()
    again(memory, week)
    new = {outcome: count - outcomes[outcome] for outcome, count in memory.outcomes.items()}

    assert new["applied"] == new["held"] == 0
    for stream in ("billing", "accruals", "revenue", "exceptions"):
        assert memory.written().events[stream] == written.events[stream]


def again(memory: Memory, week: firm.Week) -> None:
    """Send all phases once more."""
    for phase in week.phases:
        for stream, records in phase.items():
            memory.send(stream, records)
