"""Failpoints: what is armed acts once, at its time, in its place; what is not armed does nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from billtide.app.refusal import RefusedError
from billtide.app.runtime import failpoints
from billtide.app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Signals this process would have sent itself."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    return sent


def test_nothing_happens_unless_armed(signals: list[int]) -> None:
    """Every point is passed without effect, and the records of a slab are the very same object."""
    records: list[object] = [object()]
    for point in failpoints.POINTS:
        failpoints.reach(point)

    assert failpoints.midway(records) is records  # type: ignore[arg-type]
    assert signals == []


@pytest.mark.parametrize(("action", "number"), [("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)])
def test_a_point_acts_at_its_time_and_once(action: str, number: int, signals: list[int]) -> None:
    """The third pass of the armed point sends the signal; other points and other passes do not."""
    failpoints.arm(f"sent:3:{action}")
    told = []
    for _ in range(5):
        failpoints.reach("decided")
        failpoints.reach("sent")
        told.append(list(signals))

    assert told == [[], [], [number], [number], [number]]


def test_a_point_can_fail_as_kafka_does() -> None:
    """Action `fail` raises what the runtime takes for an error of Kafka, once."""
    failpoints.arm("commit_answered:1:fail")
    with pytest.raises(failpoints.FailpointError):
        failpoints.reach("commit_answered")

    failpoints.reach("commit_answered")


def test_a_point_can_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Action `stall` lets nothing else of the process run for longer than a session, once."""
    stalls: list[float] = []
    monkeypatch.setattr(time, "sleep", stalls.append)
    failpoints.arm("sent:2:stall")
    for _ in range(4):
        failpoints.reach("sent")

    assert stalls == [failpoints.STALL_SECONDS]


async def test_a_request_has_left_before_the_point_acts(signals: list[int]) -> None:
    """The point of a request that is being sent acts a moment later, not at once."""
    failpoints.arm("commit_sent:1:kill")
    failpoints.reach_soon("commit_sent")
    assert signals == []

    await asyncio.sleep(failpoints.SOON_SECONDS * 20)
    assert signals == [signal.SIGKILL]


def test_the_middle_of_a_slab_is_passed_while_its_records_are_applied(signals: list[int]) -> None:
    """Half of a slab's records are taken when the point acts, and none is lost by it."""
    failpoints.arm("mid_decision:1:kill")
    records = failpoints.midway([f"record {number}" for number in range(10)])  # type: ignore[list-item]
    taken = [(record, len(signals)) for record in records[0:128]]

    assert [sent for _, sent in taken] == [0] * 5 + [1] * 5
    assert [record for record, _ in taken] == [f"record {number}" for number in range(10)]


def test_a_wrong_setting_is_refused() -> None:
    """A point nobody passes is refused with the names there are; an action there is not is refused by the setting."""
    with pytest.raises(RefusedError, match="no point 'lunch'; there are fetched, entered"):
        failpoints.arm("lunch:1:kill")
    with pytest.raises(ValidationError):
        Settings(failpoint="sent:1:dance")
