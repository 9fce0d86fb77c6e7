"""Scenarios of faults on workers and the one broker. Each is played while the load is sent; the driver does the rest.

R numbers are those of the fault catalogue that the scenarios come from.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from typing import TYPE_CHECKING, Final

from billtide.app.runtime.failpoints import POINTS, STALL_SECONDS

from .recovery import killed_and_timed
from .world import END_SECONDS_MAX, READY_SECONDS_MAX, FaultError, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .workers import Worker

KILLS: Final = 5
TAKEOVERS: Final = 2
BETWEEN_KILLS_SECONDS: Final = (0.6, 2.6)
POINT_SECONDS_MAX: Final = 90.0
"""How long it may take until a worker comes by an armed point."""
ZOMBIE_SECONDS: Final = 9.0
"""Longer than the session and transaction timeouts of the runs: others take over meanwhile."""
PAUSE_SECONDS: Final = 8.0
HELD_SECONDS: Final = 2.0
"""Until the whole load is applied, so that entries wait for what comes late."""
LONG_SECONDS: Final = 70.0
ABSENT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.1
WAITS: Final = "waiting for Kafka"
"""What a worker says that finds no broker at its start."""


async def worker_killed(world: World) -> None:
    """R1: SIGKILL at random moments, each worker back in its static place at once."""
    for _ in range(KILLS):
        await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
        victim = world.chance.choice(world.living)
        await world.kill(victim)
        await world.start(victim.name)


async def taken_over(world: World) -> None:
    """R1: SIGKILL, and the others take over once the session is over; how long that takes is timed."""
    for again in range(TAKEOVERS):
        if again:
            await world.start()
            await world.ready()
        await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
        await killed_and_timed(world, world.chance.choice(world.living))


async def killed_at(points: Sequence[str], world: World) -> None:
    """R2: a worker is killed at each of some points, one life after the other, always in the same static place.

    Points of an ending, a rebalance or a wake are brought about; the others come by themselves.
    """
    for point in points:
        victim = await _armed(world, point, "kill")
        await world.until(victim, "dead", POINT_SECONDS_MAX)
        world.tell(f"killed at {point}", "kills")
    await world.start("c")


async def refused_at(points: Sequence[str], world: World) -> None:
    """R2: Kafka refuses, or its answer is lost, at points where the worker lives on."""
    for number, point in enumerate(points):
        if number:
            await world.kill(world.living[-1])
        victim = await _armed(world, point, "fail")
        await world.until_logged(victim, f"failpoint {point}", POINT_SECONDS_MAX)
        world.tell(f"refused at {point}", "refusals")


async def _armed(world: World, point: str, action: str) -> Worker:
    times = TIMES.get(point, 2 if point in IN_TRANSACTION else 1)
    victim = await world.start("c", f"{point}:{times}:{action}")
    if point not in BROUGHT_ABOUT or not await asyncio.to_thread(victim.wait_for, "ready", READY_SECONDS_MAX):
        return victim  # it may have come by the point by itself, on its way to be ready
    if point == "woken":
        await world.feed.rest()
        await asyncio.sleep(HELD_SECONDS)
        await world.feed.late()
    elif point == "revoking":
        await world.start("d")
    else:
        victim.signal(signal.SIGTERM)
    return victim


async def ended(world: World) -> None:
    """R3: SIGTERM in the middle of the load; the worker drains, ends with 0, and comes back. Then with no time to."""
    for _ in range(2):
        await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
        victim = world.chance.choice(world.living)
        while not await world.is_up(victim):
            world.alive()
            await asyncio.sleep(POLL_SECONDS)
        if await world.end(victim) != 0:
            world.problems.append(f"{victim.name} did not end by itself with 0 within {END_SECONDS_MAX:.0f} s")
        await world.start(victim.name)
    await world.ready()
    victim = world.chance.choice(world.living)
    await world.end(victim, 0.02)
    await world.start(victim.name)


async def zombie(world: World) -> None:
    """R4: a worker stops with a slab decided and not sent, others take over, it goes on and tries to commit."""
    victim = await world.start(failpoint=f"encoded:{world.chance.randint(1, 4)}:stop")
    await world.until(victim, "stopped", POINT_SECONDS_MAX)
    world.tell(f"stopped {victim.name} before it sends")
    await asyncio.sleep(ZOMBIE_SECONDS)
    victim.expected = False
    world.go_on(victim)
    await asyncio.sleep(1.0)


async def zombie_at_random(world: World) -> None:
    """R4: a worker stops anywhere, with whatever it has open."""
    victim = world.chance.choice(world.living)
    await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
    await world.stop(victim)
    await asyncio.sleep(ZOMBIE_SECONDS)
    world.go_on(victim)


async def stalled(world: World) -> None:
    """R5: a worker's loop stands still, before it sends or in a transaction, longer than session and transaction."""
    for point in ("encoded", "sent"):
        victim = await world.start("c", f"{point}:{world.chance.randint(1, 4)}:stall")
        await world.until_logged(victim, f"failpoint {point}", POINT_SECONDS_MAX)
        await asyncio.sleep(STALL_SECONDS)
        world.tell(f"stalled {victim.name} at {point}", "stalls")
        await world.ready(victim)
        await world.kill(victim)
    await world.start("c")


async def broker_killed(world: World) -> None:
    """R7: SIGKILL of the broker under load, and its return."""
    for _ in range(2):
        await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
        await world.kill_broker()
        await asyncio.sleep(world.chance.uniform(0.1, 1.0))
        await world.start_broker()


async def broker_paused(world: World) -> None:
    """R7: the broker answers nothing for longer than the session."""
    await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
    await world.pause_broker(PAUSE_SECONDS)


async def broker_away(world: World) -> None:
    """R8: the broker is away for 70 s, and no worker gives up."""
    await world.kill_broker()
    await asyncio.sleep(LONG_SECONDS)
    world.alive()
    await world.start_broker()


async def broker_absent(world: World) -> None:
    """R8: a worker is started without a broker: it waits, is not ready, and takes its tasks when the broker comes."""
    await world.kill_broker()
    fresh = await world.start("c")
    await world.until_logged(fresh, WAITS, POINT_SECONDS_MAX)
    await asyncio.sleep(ABSENT_SECONDS)
    world.alive()
    if fresh.is_ready():
        world.problems.append(f"{fresh.name} is ready without a broker")
    await world.start_broker()
    await world.ready(fresh)


async def ended_without_broker(world: World) -> None:
    """R8: a worker whose broker is gone still ends when it is asked to."""
    await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
    await world.kill_broker()
    await asyncio.sleep(2.0)
    victim = world.chance.choice(world.living)
    if await world.end(victim) is None:
        world.problems.append(f"{victim.name} did not end within {END_SECONDS_MAX:.0f} s while its broker was gone")
    await world.start_broker()
    await world.start(victim.name)


async def scaled(world: World) -> None:
    """R12: one worker, then four, two and three, under load."""
    for wanted in (4, 2, 3):
        while len(world.living) < wanted:
            await world.start()
        for worker in world.living[wanted:]:
            await ended_well(world, worker)
        await world.ready()
        world.tell(f"{wanted} workers", "scalings")


async def rolled(world: World) -> None:
    """R13: each worker in turn is ended and started again in its static place; the others see no rebalance."""
    before = {worker.name: worker.metric("rebalances_total") for worker in world.living}
    for name in [worker.name for worker in world.living]:
        worker = next(worker for worker in world.living if worker.name == name)
        others = [other for other in world.living if other is not worker]
        await ended_well(world, worker)
        fresh = await world.start(name)
        await world.ready(fresh)
        for other in others:
            now = other.metric("rebalances_total")
            if now > before[other.name]:
                world.problems.append(f"{other.name} was rebalanced when {name} was restarted in its place")
        before[name] = fresh.metric("rebalances_total")


async def state_lost(world: World) -> None:
    """R22: all workers are killed and their data directories are gone; the state is in the changelog."""
    await asyncio.sleep(world.chance.uniform(*BETWEEN_KILLS_SECONDS))
    for worker in world.living:
        await world.kill(worker)
    for path in world.settings.data_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    for name in ("c", "d"):
        await world.start(name)


async def ended_well(world: World, worker: Worker) -> None:
    """SIGTERM; raises FaultError when the worker does not end by itself with 0."""
    if await world.end(worker) != 0:
        raise FaultError(f"{worker.name} did not end by itself with 0; see {worker.log}")


TIMES: Final = {"fetched": 3, "partly_sent": 12, "fencing": 2, "fenced": 2, "restored": 2}
"""The how-manieth pass of a point acts, where it is not the second in a transaction and the first elsewhere."""
BROUGHT_ABOUT: Final = frozenset({"woken", "revoking", "draining"})
IN_TRANSACTION: Final = POINTS[: POINTS.index("woken")]
IN_ACTIVATION: Final = (*POINTS[POINTS.index("woken") + 1 :], "woken")
