"""Failpoints: named places where a test lets this very process be killed, stopped, stalled, or refused by Kafka.

Off unless BILLTIDE_FAILPOINT names one; then `reach` does nothing but look at one variable. Places are passed once a
slab, a transaction, a restore, a rebalance or a start, never once a record.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from aiokafka.errors import KafkaError

from ..refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...agents.work import Record

log = logging.getLogger(__name__)

Point = Literal[
    "fetched",
    "entered",
    "mid_decision",
    "decided",
    "encoded",
    "partly_sent",
    "sent",
    "commit_sent",
    "commit_answered",
    "committed",
    "woken",
    "connecting",
    "fencing",
    "fenced",
    "restoring",
    "restored",
    "opened",
    "revoking",
    "draining",
]
POINTS: Final[tuple[Point, ...]] = get_args(Point)
SOON_SECONDS: Final = 0.0005
"""Long enough for a request handed to a connection to leave, too short for its answer."""
STALL_SECONDS: Final = 9.0
"""Longer than the shortest session a broker allows, 6 s."""
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class FailpointError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """What an armed point of action `fail` raises: as if Kafka had refused there."""


class _Armed:
    """The one point that is armed in this process."""

    def __init__(self, point: str, left: int, action: str) -> None:
        self.point: Final = point
        self._left = left
        self._action: Final = action

    def passed(self) -> None:
        """Count a pass; at the last one that counts, act. It acts once."""
        self._left -= 1
        if self._left:
            return
        if self._action == "fail":
            raise FailpointError(f"failpoint {self.point}")
        if self._action == "stall":
            log.warning("failpoint %s: nothing else runs for %.0f s", self.point, STALL_SECONDS)
            time.sleep(STALL_SECONDS)
            return
        os.kill(os.getpid(), _SIGNALS[self._action])


_armed: _Armed | None = None


def arm(setting: str) -> None:
    """Arm what the setting says, point:times:action; nothing when it is empty. Raises RefusedError."""
    global _armed  # noqa: PLW0603 - one process, one failpoint
    _armed = None
    if setting:
        point, times, action = setting.split(":")
        if point not in POINTS:
            message = f"BILLTIDE_FAILPOINT: no point {point!r}; there are {', '.join(POINTS)}"
            raise RefusedError(message)
        _armed = _Armed(point, int(times), action)


def reach(point: Point) -> None:
    """Pass a point: act when it is the armed one and this is the time."""
    if _armed is not None and _armed.point == point:
        _armed.passed()


def reach_soon(point: Point) -> None:
    """Pass a point once what is being sent has left this process."""
    if _armed is not None and _armed.point == point:
        asyncio.get_running_loop().call_later(SOON_SECONDS, _armed.passed)


def midway(records: Sequence[Record]) -> Sequence[Record]:
    """The records of a slab as they are; with `mid_decision` armed, a list that passes it in the middle of its use."""
    if _armed is None or _armed.point != "mid_decision":
        return records
    return _Midway(records)


class _Midway(list[Any]):
    """Passes the point after half of the records of a step are taken."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - list's signature
        found = super().__getitem__(at)
        return _half_then_all(found) if isinstance(at, slice) else found


def _half_then_all(records: list[Any]) -> Iterator[Any]:
    for at, record in enumerate(records):
        if at == len(records) // 2:
            reach("mid_decision")
        yield record
