"""How long the tasks of a killed worker stand still when their state is large: restored as a whole, and kept warm.

    python bench/takeover.py --entries 500000 --kills 3 --json

The state is made as in restore.py. Two workers share it, entries go on coming, one worker is killed, and time counts
from its SIGKILL to the first commit of the last of its tasks in the other's hands; then another worker joins. Once
without warm copies, once with them (BILLTIDE_STANDBYS=1), on topics of their own.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import asyncio  # noqa: E402
import contextlib  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import AsyncIterator, Callable, Iterable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import load as inputs  # noqa: E402
from aiokafka import AIOKafkaProducer  # noqa: E402
from fault.ground import Ground, prepare  # noqa: E402
from fault.recovery import killed_and_timed, told  # noqa: E402
from fault.world import PARTITIONS, SESSION_MILLISECONDS, FaultError, World  # noqa: E402
from restore import fill  # noqa: E402

from billtide.app import topics  # noqa: E402
from billtide.app.runtime import tuning  # noqa: E402
from billtide.app.runtime.outgoing import partition_of  # noqa: E402
from billtide.app.settings import Settings  # noqa: E402
from billtide.app.topology import TOPOLOGY  # noqa: E402

WORKERS = 2
INTERRUPTED = 130
SENT_AT_ONCE = 40
SLICE_SECONDS = 0.1
WAIT_SECONDS_MAX = 120.0
LAG_RECORDS_MAX = 1_000
"""A copy that lacks no more than this is warm: entries go on coming."""


async def send(producer: AIOKafkaProducer, settings: Settings, stream: str, events: Iterable[inputs.Event]) -> None:
    """Send events, each to the partition of its key."""
    count = TOPOLOGY.stream(stream).partitions(settings.partitions)
    topic = settings.topic(stream)
    sent = [
        await producer.send(topic, key=key, value=value, partition=partition_of(key, count)) for key, value in events
    ]
    await asyncio.gather(*sent)


@contextlib.asynccontextmanager
async def coming(settings: Settings, entries: Iterator[inputs.Event]) -> AsyncIterator[None]:
    """Send the masters that the state was made with, then entries for as long as the block lasts."""
    producer = AIOKafkaProducer(**settings.connection())
    await producer.start()

    async def trickle() -> None:
        while True:
            await send(producer, settings, "time-entries", itertools.islice(entries, SENT_AT_ONCE))
            await asyncio.sleep(SLICE_SECONDS)

    masters = inputs.masters()
    for stream in TOPOLOGY.references:
        await send(producer, settings, stream.name, masters.get(stream.name, []))
    sending = asyncio.ensure_future(trickle())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await producer.stop()


def shared_out(world: World) -> bool:
    """Whether both workers have tasks, all of them between them, by what their metrics say once a second."""
    tasks = [worker.tasks() for worker in world.living]
    return all(tasks) and sum(map(len, tasks)) == PARTITIONS and all(worker.is_ready() for worker in world.living)


def lags(world: World) -> list[float]:
    """What each warm copy of each worker lacks, in offsets."""
    name = "billtide_standby_lag_records{"
    lines = [line for worker in world.living for line in worker.metrics().splitlines() if line.startswith(name)]
    return [float(line.rpartition(" ")[2]) for line in lines]


def is_warm(world: World) -> bool:
    """Whether every task has a copy at the other worker that lacks next to nothing; always where none are kept."""
    found = lags(world)
    return not world.settings.standbys or (len(found) == PARTITIONS and max(found) <= LAG_RECORDS_MAX)


async def until(fact: Callable[[World], bool], world: World) -> None:
    """Wait for a fact; raises FaultError."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not await asyncio.to_thread(fact, world):
        if time.monotonic() > deadline:
            told = "\n".join(worker.warned() for worker in world.workers)
            raise FaultError(f"not {fact.__name__} in {WAIT_SECONDS_MAX:.0f} s; {lags(world)}\n{told}")
        await asyncio.sleep(SLICE_SECONDS)


async def taken_over(world: World, entries: int, kills: int) -> dict[str, Any]:
    """Kill and time; records_read: the most that a survivor had to read of the changelog."""
    await topics.create(world.settings)
    records = await fill(world.settings, entries)
    more = itertools.islice(inputs.submitted(2 * entries + 1_000_000), entries, None)
    read = []
    async with coming(world.settings, more):
        for _ in range(kills):
            while len(world.living) < WORKERS:
                await world.start()
            await until(shared_out, world)
            await until(is_warm, world)
            victim = world.chance.choice(world.living)
            (survivor,) = (worker for worker in world.living if worker is not victim)
            before = survivor.metric("restored_records_total")
            await killed_and_timed(world, victim)
            read.append(int(survivor.metric("restored_records_total") - before))
    return {"records": records, "records_read": max(read), **told(world.recoveries, SESSION_MILLISECONDS / 1000)}


def measured(ground: Ground, directory: Path, standbys: int, entries: int, kills: int) -> dict[str, Any]:
    """Figures with so many standbys, on topics and workers of their own."""
    world = World(ground, directory, random.Random(inputs.SEED), standbys=standbys)
    try:
        return asyncio.run(taken_over(world, entries, kills))
    finally:
        world.close()


def main() -> None:
    """Parse the arguments, measure, print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))  # so that broker and workers are stopped
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=500_000, help="time entries in the state (default 500000)")
    parser.add_argument("--kills", type=int, default=3, help="workers killed in each of both cases (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # lost connections are the point
    tuning.tune()
    directory = Path(tempfile.mkdtemp(prefix="billtide-takeover-"))
    ground = prepare(directory, 0)
    try:
        cases = {"whole": 0, "warm": 1}
        found = {
            name: measured(ground, directory, standbys, arguments.entries, arguments.kills)
            for name, standbys in cases.items()
        }
    finally:
        ground.discard()
    shutil.rmtree(directory)  # kept, with the workers' logs, when anything was raised
    if arguments.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        sys.stdout.write(
            f"{name}: {figures['records']:,} records, median {figures['median_s']} s, worst {figures['max_s']} s, "
            f"session {figures['session_s']} s; {figures['records_read']:,} records read at most\n"
        )


if __name__ == "__main__":
    main()
