"""Scenarios of what operators and machines do to workers: places given twice, limits, clocks, disks."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from billtide.app import topics
from billtide.app.demo.reading import read_streams
from billtide.app.topology import TOPOLOGY

from .workers import LOCAL
from .world import FaultError

if TYPE_CHECKING:
    from .workers import Worker
    from .world import World

CLOCKS: Final = (
    "+2h",
    "-2h",
    "@2024-02-29 23:59:57",
    "@2025-03-30 01:59:57 in Europe/Zurich",
    "@2025-10-26 02:59:57 in Europe/Zurich",
    "@2038-01-19 03:14:05",
)
"""Ahead, behind, the night of a leap day, of both ends of a summer time, and of the last second in 32 bits."""
JUMP: Final = ("+2h", "-2h")
COMMITTED: Final = "transactions_committed_total"
CLOCK_SECONDS: Final = 3.0
COMMITS_SECONDS_MAX: Final = 30.0
LIMITED_SECONDS: Final = 10.0
"""Longer than the session, after which a worker is given the tasks of one that ended in a static place."""
COMPACTING: Final = {
    "segment.ms": "500",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "500",
    "delete.retention.ms": "0",
}
COMPACTED_SECONDS_MAX: Final = 90.0
"""Kafka's cleaner looks for work every 15 s."""
TMPFS_BYTES: Final = 65_536
TAKEN_SECONDS_MAX: Final = 60.0
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


async def clocks_wrong(world: World) -> None:
    """R29: clocks hours ahead or behind, that jump back, pass a leap day, summer time, 2038: work goes on to the cent.

    Each worker with such a clock must commit.
    """
    for clock in CLOCKS:
        await _lives_by(world, clock)
    fresh = await _lives_by(world, JUMP[0])
    fresh.set_clock(JUMP[1])
    await asyncio.sleep(CLOCK_SECONDS)
    await _commits(fresh)
    world.tell(f"{fresh.name} has jumped to {JUMP[1]}", "clocks")
    for worker in world.living:
        await world.kill(worker)
        await world.start(worker.name)


async def _lives_by(world: World, clock: str) -> Worker:
    """Kill a worker; start it by another clock, and see that it commits."""
    victim = world.chance.choice(world.living)
    await world.kill(victim)
    fresh = await world.start(victim.name, clock=clock)
    await world.ready(fresh)
    await _commits(fresh)
    await asyncio.sleep(CLOCK_SECONDS)
    world.tell(f"{fresh.name} lives at {clock}", "clocks")
    return fresh


async def _commits(worker: Worker) -> None:
    """Return once a worker has committed anew; raises FaultError."""
    before, deadline = worker.metric(COMMITTED), time.monotonic() + COMMITS_SECONDS_MAX
    while worker.metric(COMMITTED) <= before:
        if time.monotonic() > deadline:
            raise FaultError(f"{worker.name} committed nothing within {COMMITS_SECONDS_MAX:.0f} s; see {worker.log}")
        await asyncio.sleep(0.1)


async def few_descriptors(world: World) -> None:
    """R35: a worker may open no file or connection more, and has tasks to take over; then it may again."""
    victim = world.living[0]
    await _limited(world, victim, resource.RLIMIT_NOFILE, victim.descriptors())


async def little_memory(world: World) -> None:
    """R35: a worker gets no more memory while it takes tasks over; it goes on, or ends and comes back."""
    victim = world.living[0]
    victim.expected = True
    await _limited(world, victim, resource.RLIMIT_AS, victim.address_bytes())
    if victim.code is not None:
        world.note(f"{victim.name} ended with {victim.code}")
        await world.start(victim.name)


async def _limited(world: World, victim: Worker, what: int, limit: int) -> None:
    """Limit a worker, kill the others so that it is given their tasks, and lift the limit."""
    await asyncio.sleep(world.chance.uniform(0.5, 1.5))
    before = resource.prlimit(victim.pid, what)
    resource.prlimit(victim.pid, what, (limit, before[1]))
    world.note(f"limited {victim.name} to {limit}")
    for worker in world.living[1:]:
        await world.end(worker)
    await asyncio.sleep(LIMITED_SECONDS)
    if victim.code is None:
        resource.prlimit(victim.pid, what, before)
    world.tell("the limit is lifted", "limits")


async def changelog_compacted(world: World) -> None:
    """R21: the changelog is compacted while it is written; workers are killed and restore from what is left of it."""
    stream = TOPOLOGY.changelog
    name = world.settings.topic(stream.name)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap)
    await admin.start()
    try:
        wanted = topics.configs(stream, world.settings) | COMPACTING
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted)])
    finally:
        await admin.close()
    await asyncio.sleep(world.chance.uniform(3.0, 6.0))
    await world.feed.rest()
    await _compacted(world, stream.name)
    for worker in world.living:
        await world.kill(worker)
        await world.start(worker.name)
    await world.ready()
    world.tell("restored from a compacted changelog", "compactions")


async def _compacted(world: World, stream: str) -> None:
    """Return once Kafka has taken records out of a stream to which nothing is added any more."""
    most, deadline = 0, time.monotonic() + COMPACTED_SECONDS_MAX
    while time.monotonic() < deadline:
        count = len((await read_streams(world.settings, [stream]))[stream])
        if count < most:
            world.note(f"{most} records compacted to {count}")
            return
        most = count
        await asyncio.sleep(1.0)
    raise FaultError(f"{stream} was not compacted within {COMPACTED_SECONDS_MAX:.0f} s")


async def disk_spoilt(world: World) -> None:
    """R22, R24: the data directory is of rubbish, gone, cannot be made, full, read-only: no worker needs it."""
    local = world.settings.data_dir / LOCAL
    (local / "v1" / "tables").mkdir(parents=True)
    for number in range(world.settings.partitions):
        (local / "v1" / "tables" / f"state-{number}.db").write_bytes(world.chance.randbytes(4_096))
    await _all_anew(world, "rubbish")
    shutil.rmtree(local)
    await asyncio.sleep(1.0)
    if local.exists():
        world.problems.append(f"workers have made {local}")
    local.touch()
    await _all_anew(world, "a file")
    local.unlink()
    local.mkdir()
    if not await asyncio.to_thread(_disk, "mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(local)):
        world.note("no right to mount: neither a full nor a read-only disk was tried")
        return
    try:
        with contextlib.suppress(OSError):
            (local / "full").write_bytes(bytes(2 * TMPFS_BYTES))
        await _all_anew(world, "a full disk")
        await asyncio.to_thread(_disk, "mount", "-o", "remount,ro", str(local))
        await _all_anew(world, "a read-only disk")
    finally:
        await asyncio.to_thread(_disk, "umount", "--lazy", str(local))


async def _all_anew(world: World, what: str) -> None:
    """Kill every worker; others take their places, and have all tasks, on what their directory is now."""
    for worker in world.living:
        await world.kill(worker)
        await world.start(worker.name)
    await world.ready()
    world.tell(f"workers live on {what}", "disks")


def _disk(command: str, *arguments: str) -> bool:
    """Mount or unmount, if that is allowed here."""
    found = shutil.which(command)
    return found is not None and not subprocess.run([found, *arguments], capture_output=True, check=False).returncode
