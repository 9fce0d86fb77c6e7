"""Scenarios of what operators and machines do to workers: places given twice, limits, clocks, disks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .world import World

TAKEN_SECONDS_MAX: Final = 30.0
TAKEN: Final = "give each worker a BILLTIDE_INSTANCE_ID of its own"
"""What a worker says whose place in the group another one has taken."""


async def same_place(world: World) -> None:
    """R6: a second worker is started in a place that is taken: one of the two ends and says why, the other goes on."""
    await asyncio.sleep(world.chance.uniform(0.5, 1.5))
    former = world.living[0]
    former.expected = True
    second = await world.start(former.name)
    await world.until(former, "dead", TAKEN_SECONDS_MAX)
    await world.until_logged(former, TAKEN, 1.0)
    world.tell(f"two workers as {former.name}", "same_places")
    if not former.code:
        world.problems.append(f"{former.name} ended with {former.code}, as if all were well")
    await world.ready(second)
