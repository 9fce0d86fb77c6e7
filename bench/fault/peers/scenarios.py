"""What peers play: scenarios of billtide's own, but for kills, which wait until there is a worker at work to kill."""

from __future__ import annotations

import asyncio
from typing import Final

from ..catalogue import Scenario, named
from ..scenarios import BETWEEN_KILLS_SECONDS, KILLS
from ..world import World


async def worker_killed(world: World) -> None:
    """R1: SIGKILL at random moments, each worker back in its static place at once; the next when all work again.

    A worker that starts for longer than the time between two kills would be killed before it has done anything.
    """
    for _ in range(KILLS):
        await world.ready()
        await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
        victim = world.chance.choice(world.living)
        await world.kill(victim)
        await world.start(victim.name)


PLAYED: Final[dict[str, Scenario]] = {
    "worker_killed": named("worker_killed")._replace(play=worker_killed),
    "zombie_at_random": named("zombie_at_random"),
    "broker_killed": named("broker_killed"),
}
"""Others need billtide's failpoints, metrics or inputs."""
