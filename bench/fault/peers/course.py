"""The course of a peer's run: workers, load under faults, recovery, and the check."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import msgspec

from billtide.app import topics
from billtide.app.demo.reading import read_streams, reader

from ..run import RECOVERY_SECONDS_MAX, under_faults
from .judge import judged, wanted

if TYPE_CHECKING:
    from collections import Counter

    from ..catalogue import Scenario
    from ..damage import Damage
    from .world import PeerWorld

ENTRIES: Final = "time-entries"
CHARGES: Final = "billing"
POLL_MILLISECONDS: Final = 200
QUIET_SECONDS: Final = 15.0
"""Longer than the session, and than a broker takes to end a transaction nobody ends: what comes late has come."""


async def run_through(world: PeerWorld, scenario: Scenario, damage: Damage) -> float:
    """Everything of a run inside a loop; gives the seconds of recovery."""
    await topics.create(world.settings)
    for name in (*scenario.names, *("" for _ in range(scenario.dynamic))):
        await world.start(name)
    await world.ready()
    keeping = asyncio.ensure_future(world.keep())
    try:
        await under_faults(world, scenario)
        world.note("all faults done, the load is sent")
        due = wanted((await read_streams(world.settings, [ENTRIES]))[ENTRIES])
        left = await _charged(world, due)
        if left:
            world.note(f"{left.total()} charges have not come")
            await world.start_over()
            left = await _charged(world, due)
        recovery = time.monotonic() - world.healed
        world.note("all is charged" if not left else f"{left.total()} charges have not come")
        await asyncio.sleep(QUIET_SECONDS)
    finally:
        keeping.cancel()
    found = await read_streams(world.settings, [ENTRIES, CHARGES])
    damage += judged(found[ENTRIES], found[CHARGES])
    world.note(f"checked {len(found[ENTRIES])} entries")
    return recovery


async def _charged(world: PeerWorld, due: Counter[str]) -> Counter[str]:
    """Wait until all these charges are committed; what has not come after the time for recovery."""
    left, deadline = due.copy(), time.monotonic() + RECOVERY_SECONDS_MAX
    async with reader(world.settings, [CHARGES]) as consumer:
        while left.total() and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).values():
                for record in records:
                    left[msgspec.json.decode(record.value)["id"]] -= 1
            left = +left
    return left
