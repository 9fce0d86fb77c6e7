"""Every scenario by name, with its load, its workers and its weight; the suites are lists of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from billtide.app.runtime.failpoints import POINTS

from .feed import PART
from .inputs import foreign_on_changelog, foreign_transaction, oversize_input, spoilt_input
from .network import wire_cut, wire_cut_one_way, wire_reset, wire_slow
from .operators import (
    changelog_compacted,
    clocks_wrong,
    disk_spoilt,
    few_descriptors,
    little_memory,
    same_place,
)
from .replicas import brokers_rolled, coordinator_killed, leader_killed, majority_killed
from .scenarios import (
    IN_ACTIVATION,
    IN_TRANSACTION,
    broker_absent,
    broker_away,
    broker_killed,
    broker_paused,
    ended,
    ended_without_broker,
    killed_at,
    refused_at,
    rolled,
    scaled,
    stalled,
    state_lost,
    taken_over,
    worker_killed,
    zombie,
    zombie_at_random,
)
from .soak import killed_at_all, soaked
from .spoilt_topics import changelog_cut, partitions_grown
from .workers import faketime
from .world import SESSION_MILLISECONDS, World

Play = Callable[[World], Awaitable[None]]


def nothing() -> None:
    """What most scenarios need beside Python and a broker."""


class Scenario(NamedTuple):
    """play: what happens; seconds: how long the load is spread over; names: static workers at the start.

    dynamic: workers without a static place at the start; weight: how often it is drawn in a mix; session_milliseconds:
    when the group gives up a silent worker; brokers: of a cluster of the run's own behind proxies, 0 for the one broker
    that all other runs share; part: one engagement in so many has its load sent;
    again: arguments that repeat it, where its name does not; needs: raises RefusedError where this machine lacks
    something for it.
    """

    name: str
    about: str
    play: Play
    names: tuple[str, ...] = ("a", "b")
    seconds: float = 8.0
    dynamic: int = 0
    weight: int = 1
    session_milliseconds: int = SESSION_MILLISECONDS
    brokers: int = 0
    part: int = PART
    again: str = ""
    needs: Callable[[], object] = nothing


def _point(point: str, verb: str, play: Callable[[Sequence[str], World], Awaitable[None]]) -> Scenario:
    about = f"R2: a worker is {verb} at the point {point}"
    return Scenario(f"{verb}_{point}", about, partial(play, (point,)), names=("a",), seconds=12.0)


def _scenario(play: Play, **given: object) -> Scenario:
    about = (play.__doc__ or "").splitlines()[0]
    return Scenario(play.__name__, about, play, **given)  # type: ignore[attr-defined, arg-type]


REFUSED: Final = ("sent", "commit_answered", "fenced", "restoring")
"""Points where Kafka may refuse, or an answer may be lost, while the worker lives on."""
_IN_TURN: Final = "R2: all such points in turn, one life of a worker after the other"
POINT_TIMES: Final = 10
BY_ITSELF: Final = (*IN_TRANSACTION, "fencing", "fenced", "restoring", "restored", "opened")
"""Points that a worker comes by without anything being done."""
_MANY: Final = f"R2: {POINT_TIMES} kills at each of {len(BY_ITSELF)} points, three workers beside each other"
EVERY: Final[tuple[Scenario, ...]] = (
    _scenario(worker_killed, weight=10),
    _scenario(taken_over, names=(), dynamic=3, weight=4),
    Scenario("killed_in_transaction", _IN_TURN, partial(killed_at, IN_TRANSACTION), names=("a",), seconds=60.0),
    Scenario("killed_in_activation", _IN_TURN, partial(killed_at, IN_ACTIVATION), names=("a",), seconds=40.0),
    Scenario("refused", _IN_TURN, partial(refused_at, REFUSED), names=("a",), seconds=25.0),
    *(_point(point, "killed", killed_at) for point in POINTS),
    *(_point(point, "refused", refused_at) for point in REFUSED),
    Scenario(
        "killed_everywhere", _MANY, partial(killed_at_all, BY_ITSELF, POINT_TIMES), names=("a",), seconds=300.0, part=1
    ),
    _scenario(ended, weight=3),
    _scenario(zombie, names=(), dynamic=1, seconds=12.0, weight=4),
    _scenario(zombie_at_random, names=(), dynamic=2, seconds=12.0, weight=4),
    _scenario(stalled, names=("a",), seconds=25.0),
    _scenario(broker_killed, seconds=14.0, weight=4),
    _scenario(broker_paused, seconds=12.0, weight=2),
    _scenario(broker_away, seconds=10.0),
    _scenario(broker_absent),
    _scenario(ended_without_broker),
    _scenario(scaled, names=(), dynamic=1, seconds=20.0, weight=3),
    _scenario(rolled, seconds=14.0, weight=2, session_milliseconds=30_000),  # longer than a restart, as in production
    _scenario(state_lost),
    _scenario(spoilt_input, weight=3),
    _scenario(oversize_input),
    _scenario(foreign_transaction),
    _scenario(foreign_on_changelog, seconds=14.0),
    _scenario(same_place),
    _scenario(clocks_wrong, seconds=45.0, needs=faketime),
    _scenario(few_descriptors),
    _scenario(little_memory),
    _scenario(changelog_compacted),
    _scenario(changelog_cut),
    _scenario(partitions_grown),
    _scenario(disk_spoilt),
    _scenario(wire_cut, names=(), dynamic=3, seconds=14.0, weight=4, brokers=1),
    _scenario(wire_cut_one_way, seconds=14.0, weight=2, brokers=1),
    _scenario(wire_slow, seconds=14.0, brokers=1),
    _scenario(wire_reset, weight=2, brokers=1),
    _scenario(leader_killed, seconds=20.0, brokers=3),
    _scenario(coordinator_killed, seconds=20.0, brokers=3),
    _scenario(majority_killed, seconds=14.0, brokers=3),
    _scenario(brokers_rolled, seconds=30.0, brokers=3),
)


def named(name: str) -> Scenario:
    """Find a scenario."""
    return next(scenario for scenario in EVERY if scenario.name == name)


def soak(minutes: float) -> Scenario:
    """The soak, as long as asked, on the load of the whole week."""
    about = (soaked.__doc__ or "").splitlines()[0]
    play = partial(soaked, minutes)
    return Scenario(
        "soak", about, play, seconds=54 * minutes, dynamic=1, brokers=1, part=1, again=f"--soak-minutes {minutes:g}"
    )


POINT_BY_POINT: Final = tuple(f"killed_{point}" for point in POINTS) + tuple(f"refused_{point}" for point in REFUSED)
NETWORK: Final = ("wire_cut", "wire_cut_one_way", "wire_slow", "wire_reset")
REPLICAS: Final = ("leader_killed", "coordinator_killed", "majority_killed", "brokers_rolled")
SURROUNDINGS: Final = (
    "clocks_wrong",
    "few_descriptors",
    "little_memory",
    "changelog_compacted",
    "changelog_cut",
    "partitions_grown",
    "foreign_on_changelog",
    "disk_spoilt",
)
MANY: Final = ("killed_everywhere",)
SLOW: Final = ("broker_away", "broker_absent", "stalled")
SMOKE: Final = tuple(
    one.name for one in EVERY if one.name not in {*POINT_BY_POINT, *SLOW, *MANY, *NETWORK[1:], *REPLICAS, *SURROUNDINGS}
)
IN_MANY: Final = ("killed_in_transaction", "refused")
"""Scenarios of the smoke suite that others of the full suite hold many times."""
ONCE: Final = tuple(name for name in SMOKE if name not in {*IN_MANY, *NETWORK})
SUITES: Final[dict[str, tuple[str, ...]]] = {
    "smoke": SMOKE,
    "full": (
        *(name for name in SMOKE if name not in {*IN_MANY, *NETWORK}),
        *SLOW,
        *SURROUNDINGS,
        *MANY,
        *NETWORK,
        *REPLICAS,
    ),
    "points": POINT_BY_POINT,
    "network": NETWORK,
    "replicas": REPLICAS,
    "surroundings": SURROUNDINGS,
    "slow": SLOW,
}
"""`full` has the soak besides."""
