"""Scenarios of the network between workers and the broker: cut for some workers, one way only, slow, reset.

Cut wires hold what they carry, and let it through when they are mended: requests of a worker that was taken for dead
arrive after others have its tasks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from .cluster import SIDES
from .proxy import WAYS

if TYPE_CHECKING:
    from .world import World

CUT_SECONDS: Final = (1.5, 9.0, 4.0)
"""Shorter than the session, longer than it and the time of a transaction, and longer than a commit may take."""
ONE_WAY_SECONDS: Final = (3.0, 9.0)
SLOW_SECONDS: Final = 8.0
DELAY_SECONDS: Final = 0.2
RESETS: Final = 8


async def wire_cut(world: World) -> None:
    """R10: some workers are cut off and back, with requests on the way; the others take their tasks over."""
    for seconds in CUT_SECONDS:
        await asyncio.sleep(world.chance.uniform(0.5, 2.0))
        await world.cut(world.chance.choice(SIDES), seconds)


async def wire_cut_one_way(world: World) -> None:
    """R10: requests arrive and no answer comes back; then answers would come, but no request arrives."""
    for way in reversed(WAYS):
        for seconds in ONE_WAY_SECONDS:
            await asyncio.sleep(world.chance.uniform(0.5, 1.5))
            await world.cut(world.chance.choice(SIDES), seconds, way)


async def wire_slow(world: World) -> None:
    """R11: each chunk takes 100 to 300 ms for some workers, then for all."""
    for sides in (SIDES[:1], SIDES):
        proxies = [proxy for side in sides for proxy in world.cluster.proxies(side)]
        for proxy in proxies:
            proxy.slow(DELAY_SECONDS)
        await asyncio.sleep(SLOW_SECONDS)
        for proxy in proxies:
            proxy.mend()
        world.tell(f"slow for {SLOW_SECONDS:.0f} s", "network_delays")


async def wire_reset(world: World) -> None:
    """R11: all connections of some workers are reset, again and again."""
    for _ in range(RESETS):
        await asyncio.sleep(world.chance.uniform(0.2, 1.2))
        for proxy in world.cluster.proxies(world.chance.choice(SIDES)):
            proxy.reset()
        world.tell("connections reset", "network_resets")
