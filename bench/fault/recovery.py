"""How long tasks of a killed worker stand still: from its SIGKILL to the first commit of who takes them over."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from billtide.app.demo.reading import places, reader
from billtide.app.topology import TOPOLOGY

from .world import FaultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .workers import Worker
    from .world import World

COMMIT_SECONDS_MAX: Final = 60.0
POLL_MILLISECONDS: Final = 50
ON_ITS_WAY_MILLISECONDS: Final = 200
"""What a killed worker has sent the broker appends within this; who takes over needs at least a session."""


async def killed_and_timed(world: World, victim: Worker) -> None:
    """SIGKILL a worker; returns when each of its tasks has committed in other hands. Input has to come meanwhile.

    What is timed is the last of them, as a reader of committed records sees it: appended after the kill, by their
    timestamps, so that a commit of the victim's that was on its way does not count.
    """
    changelog = TOPOLOGY.changelog.name
    left = victim.tasks()
    if not left:
        raise FaultError(f"{victim.name} had no tasks when it was to be killed")
    async with reader(world.settings, [changelog]) as consumer:
        await consumer.seek_to_end(*places(world.settings, changelog))
        killed, began = time.time() * 1000 + ON_ITS_WAY_MILLISECONDS, time.monotonic()
        await world.kill(victim)
        while left:
            if time.monotonic() - began > COMMIT_SECONDS_MAX:
                raise FaultError(f"tasks {sorted(left)} of {victim.name} did not go on in {COMMIT_SECONDS_MAX:.0f} s")
            for where, records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).items():
                if records[-1].timestamp > killed:
                    left.discard(where.partition)
        world.recoveries.append(time.monotonic() - began)
    world.note(f"all its tasks went on after {world.recoveries[-1]:.2f} s")


def told(recoveries: Sequence[float], session_seconds: float) -> dict[str, Any]:
    """Median and worst of takeovers, beside the session after which the group gives a silent worker up."""
    return {
        "kills": len(recoveries),
        "median_s": round(median(recoveries), 2),
        "max_s": round(max(recoveries), 2),
        "session_s": session_seconds,
    }
