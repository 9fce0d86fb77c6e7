"""One run of one scenario: masters, workers, load under faults, recovery, what is late, and the check."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from billtide.app import topics
from billtide.app.demo.progress import StalledError, following

from . import brokerside
from .damage import Damage
from .oracle import judged
from .world import SECRET, FaultError, World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from billtide.app.demo.progress import Progress

    from .catalogue import Scenario
    from .ground import Ground

RECOVERY_SECONDS_MAX: Final = 60.0
"""I8: after the last fault all that was sent is applied within this."""
SETTLED_SECONDS_MAX: Final = 20.0
"""How long the check is repeated while holds that late reference data ends may still be released."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to. recovery: seconds from the last fault to lag 0; done: faults by kind; told: its course.

    again: arguments that repeat it; recoveries: seconds from each timed SIGKILL to the survivors' first commit.
    """

    scenario: str
    again: str
    seed: int
    damage: Damage
    recovery: float
    seconds: float
    done: Counter[str]
    told: list[str]
    recoveries: list[float]


class Engine(NamedTuple):
    """Whose workers suffer. world: makes the world of a run; course: plays a scenario in it, gives the recovery."""

    world: Callable[..., World]
    course: Callable[[Any, Scenario, Damage], Coroutine[Any, Any, float]]


def play(
    scenario: Scenario,
    seed: int,
    ground: Ground,
    directory: Path,
    engine: Engine,
    sabotage: str = "",
    standbys: int = 0,
) -> Outcome:
    """Play a scenario on running brokers. Whatever happens is the run's outcome; only a lost broker raises.

    standbys: how many others' loss the workers keep warm copies for.
    """
    began = time.monotonic()
    chance = random.Random(f"{scenario.name}:{seed}")
    session = scenario.session_milliseconds
    world = engine.world(
        ground,
        directory,
        chance,
        session_milliseconds=session,
        sabotage=sabotage,
        part=scenario.part,
        standbys=standbys,
    )
    damage = Damage()
    try:
        recovery = asyncio.run(engine.course(world, scenario, damage))
    except (FaultError, StalledError) as error:
        recovery = RECOVERY_SECONDS_MAX
        damage.mistake(str(error))
    except Exception:  # noqa: BLE001 - whatever it is, it is the run's failure, and the next one may be played
        recovery = RECOVERY_SECONDS_MAX
        damage.mistake(traceback.format_exc())
    finally:
        world.close()
    damage += brokerside.secrets(world.settings.data_dir, SECRET)
    for problem in world.problems:
        damage.mistake(problem)
    again = (scenario.again or f"--scenario {scenario.name}") + (f" --standbys {standbys}" if standbys else "")
    seconds, told = time.monotonic() - began, world.told
    return Outcome(scenario.name, again, seed, damage, recovery, seconds, world.done, told, world.recoveries)


async def _played(world: World, scenario: Scenario, damage: Damage) -> float:
    """Everything of a run inside a loop; gives the seconds of recovery."""
    await topics.create(world.settings)
    await world.feed.masters()
    for name in (*scenario.names, *("" for _ in range(scenario.dynamic))):
        await world.start(name)
    await world.ready()
    await under_faults(world, scenario)
    async with following(world.settings) as progress:
        world.note("all faults done, the load is sent")
        try:
            recovery = await progress.processed(world.alive) - world.healed
            if recovery > RECOVERY_SECONDS_MAX:
                damage.mistake(f"recovered after {recovery:.1f} s, more than {RECOVERY_SECONDS_MAX:.0f}")
            await world.feed.late()
            damage += await _settled(world, progress)
        except StalledError as error:
            # What stands still is judged as well: a position that was set back says that, and what else was done twice.
            recovery = RECOVERY_SECONDS_MAX
            damage.mistake(str(error))
            damage += await judged(world.settings)
    damage += brokerside.bounds(world.living)
    damage += await brokerside.group_offsets(world.settings)
    for worker in world.living:
        if await world.end(worker) != 0:
            damage.mistake(f"{worker.name} did not end by itself with 0 after all was done")
    damage += await brokerside.open_transactions(world.settings)
    world.done["rebalances"] = await brokerside.generations(world.settings)
    return recovery


async def under_faults(world: World, scenario: Scenario) -> None:
    """Send the load while the scenario is played; then what is left of it at once."""
    world.feed.begin(scenario.seconds)
    await scenario.play(world)
    await world.feed.rest()


async def _settled(world: World, progress: Progress) -> Damage:
    """Check once all is applied; again for a while when there is damage, since late releases are not counted by lag."""
    deadline = time.monotonic() + SETTLED_SECONDS_MAX
    while True:
        await progress.processed(world.alive)
        world.note("all is applied")
        damage = await judged(world.settings)
        world.note("checked")
        if not damage or time.monotonic() > deadline:
            return damage


BILLTIDE: Final = Engine(World, _played)
