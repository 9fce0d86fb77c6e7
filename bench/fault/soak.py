"""Many faults on one load: all kinds in turn, drawn from shuffled decks, until the time is over; all points in turn."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from .cluster import SIDES
from .proxy import WAYS
from .recovery import killed_and_timed
from .scenarios import POINT_SECONDS_MAX, ZOMBIE_SECONDS, ended_well
from .world import READY_SECONDS_MAX, FaultError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .workers import Worker
    from .world import World

BETWEEN_SECONDS: Final = (0.3, 2.0)
CUT_SECONDS: Final = (1.0, 9.0)
POLL_SECONDS: Final = 0.2
SLOW_SECONDS: Final = 4.0
DELAY_SECONDS: Final = 0.1
WORKERS: Final = range(2, 5)
LANES: Final = ("c", "d", "e")
"""Static places in which workers are killed at points beside each other."""


async def soaked(minutes: float, world: World) -> None:
    """R36: kills, takeovers, zombies, stops, scaling, broker kills, cuts, delays and resets, for as long as asked."""
    end = time.monotonic() + 60 * minutes
    deck: list[Callable[[World], Awaitable[None]]] = []
    while time.monotonic() < end:
        if not deck:
            deck = [action for action, times in DECK.items() for _ in range(times)]
            world.chance.shuffle(deck)
        await asyncio.sleep(world.chance.uniform(*BETWEEN_SECONDS))
        world.alive()
        await deck.pop()(world)
    await _all_ready(world)


async def killed_at_all(points: Sequence[str], times: int, world: World) -> None:
    """R2: at each of many points so many kills, three workers beside each other, in random order.

    The first pass of a point kills: with as many workers as tasks, some have no second one.
    """
    jobs = [point for point in points for _ in range(times)]
    world.chance.shuffle(jobs)

    async def lane(name: str) -> None:
        while jobs:
            point = jobs.pop()
            victim = await world.start(name, f"{point}:1:kill")
            await world.until(victim, "dead", POINT_SECONDS_MAX)
            world.tell(f"{name} killed at {point}", f"kills at {point}")
            world.done["kills"] += 1
        await world.start(name)

    await asyncio.gather(*(lane(name) for name in LANES))


async def _all_ready(world: World) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        facts = [await asyncio.to_thread(worker.is_ready) for worker in world.living]
        if all(facts):
            return
        if time.monotonic() > deadline:
            raise FaultError(f"not all workers were ready in {READY_SECONDS_MAX:.0f} s; see {world.settings.data_dir}")
        await asyncio.sleep(POLL_SECONDS)


async def _killed(world: World) -> None:
    victim = world.chance.choice(world.living)
    await world.kill(victim)
    await _replaced(world, victim)


async def _taken_over(world: World) -> None:
    """A worker without a static place is killed: nothing but the session tells the group."""
    if not any(not worker.static for worker in world.living):
        await world.start()
    await _all_ready(world)
    victim = world.chance.choice([worker for worker in world.living if not worker.static])
    if victim.tasks():
        await killed_and_timed(world, victim)
        await world.start()


async def _zombie(world: World) -> None:
    victim = world.chance.choice(world.living)
    await world.stop(victim)
    await asyncio.sleep(ZOMBIE_SECONDS)
    world.go_on(victim)


async def _ended(world: World) -> None:
    victim = world.chance.choice(world.living)
    if await world.is_up(victim):
        await ended_well(world, victim)
        await _replaced(world, victim)


async def _scaled(world: World) -> None:
    wanted = world.chance.choice([count for count in WORKERS if count != len(world.living)])
    while len(world.living) < wanted:
        await world.start()
    free = [worker for worker in world.living if not worker.static and await world.is_up(worker)]
    for worker in free[: max(0, len(world.living) - wanted)]:
        await ended_well(world, worker)
    world.tell(f"{len(world.living)} workers", "scalings")


async def _broker_killed(world: World) -> None:
    await world.kill_broker()
    await asyncio.sleep(world.chance.uniform(0.1, 2.0))
    await world.start_broker()


async def _cut(world: World) -> None:
    await world.cut(world.chance.choice(SIDES), world.chance.uniform(*CUT_SECONDS))


async def _cut_one_way(world: World) -> None:
    await world.cut(world.chance.choice(SIDES), world.chance.uniform(*CUT_SECONDS), world.chance.choice(WAYS))


async def _slow(world: World) -> None:
    proxies = world.cluster.proxies(world.chance.choice(SIDES))
    for proxy in proxies:
        proxy.slow(DELAY_SECONDS)
    await asyncio.sleep(SLOW_SECONDS)
    for proxy in proxies:
        proxy.mend()
    world.tell("a slow wire", "network_delays")


async def _reset(world: World) -> None:
    for proxy in world.cluster.proxies(world.chance.choice(SIDES)):
        proxy.reset()
    world.tell("connections reset", "network_resets")


async def _replaced(world: World, former: Worker) -> None:
    await world.start(former.name if former.static else "")


DECK: Final = {
    _killed: 3,
    _taken_over: 1,
    _zombie: 2,
    _ended: 1,
    _scaled: 2,
    _broker_killed: 2,
    _cut: 2,
    _cut_one_way: 1,
    _slow: 1,
    _reset: 1,
}
"""How often each is in a deck. A deck takes some 100 s."""
