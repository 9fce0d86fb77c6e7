"""Run the demonstration: a broker, two workers, the sample week in three phases, the check; and stop it again.

    masters sent -> workers started -> load -> late -> all applied -> outputs read -> compared with the reckoning

The masters are in the topics before the workers start, because a task begins only when all reference data is read. The
broker keeps its data, so that a second run sends the same week to the same topics: nothing of it may count twice.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from .. import broker as brokers
from .. import topics
from ..broker_config import port_is_free
from ..topology import TOPOLOGY
from . import workers
from .feed import require_own, send_phase
from .firm import STREAMS, sample_week
from .outputs import read_outputs
from .progress import OWN_INPUT, StalledError, following
from .reading import read_streams
from .reckoning import reckon
from .summary import DEFAULT_BOOTSTRAP, console, print_endpoints, print_pace, print_repeat, print_summary, print_verdict
from .verdict import judge
from .workers import WorkerEndedError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from rich.console import Console

    from ..settings import Settings
    from .firm import Week
    from .outputs import Written
    from .progress import Progress
    from .reckoning import Reckoning
    from .verdict import Verdict
    from .workers import WorkerProcess

DEFAULT_PORT: Final = int(DEFAULT_BOOTSTRAP.rpartition(":")[2])
"""Where commands look for a broker that are not told another place."""
REFERENCES_READ_SECONDS: Final = 2.0
"""Pause after the masters for workers that run already: they follow reference data within a poll."""
RELEASED_SECONDS_MAX: Final = 15.0
"""How long the check is repeated while holds that late reference data ends may still be released."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C or SIGTERM."""


class Checked(NamedTuple):
    """What was found, and what it was compared with."""

    verdict: Verdict
    reckoning: Reckoning
    written: Written


def demo(settings: Settings, *, stay: bool, seed: int) -> int:
    """Bill a sample week and check it to the cent; gives the exit code. stay: leave broker and workers running."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its retries are not the user's concern; the outcome is
    out = console()
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    found = brokers.find(settings.data_dir)
    earlier = workers.running(settings)
    code = INTERRUPTED
    try:
        broker = _start_broker(settings, out)
        settings = settings.model_copy(update={"kafka_bootstrap": broker.bootstrap})
        workers.require_same(settings, earlier)
        code = asyncio.run(_until_sigterm(_run(settings, out, seed, earlier)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.print("interrupted: stopping what was started", highlight=False)
    finally:
        if not stay or code == INTERRUPTED:
            _stop_started(settings, was_running=found is not None, earlier=earlier)
    if stay and code != INTERRUPTED:
        print_endpoints(out, settings, workers.running(settings))
    return code


def _stop_started(settings: Settings, *, was_running: bool, earlier: list[WorkerProcess]) -> None:
    """Stop what this run has started, and nothing that ran before."""
    if not earlier:
        workers.stop_all(settings, workers.running(settings))
    broker = brokers.find(settings.data_dir)
    if broker is not None and not was_running:
        brokers.stop(broker)


def down(settings: Settings) -> int:
    """Stop the workers and the broker that run on the data directory; gives the exit code."""
    out = console()
    running = workers.running(settings)
    workers.stop_all(settings, running)
    what = [f"{len(running)} workers"] if running else []
    broker = brokers.find(settings.data_dir)
    if broker is not None:
        brokers.stop(broker)
        what.append(f"the broker at {broker.bootstrap}; its data stays in {broker.data_dir}")
    out.print(f"stopped {' and '.join(what)}" if what else "nothing was running", highlight=False, soft_wrap=True)
    return 0


def _start_broker(settings: Settings, out: Console) -> brokers.Broker:
    """Use the named or the running broker, or start one, on the port where commands look for it if that is free."""
    running = brokers.find(settings.data_dir)
    wanted = DEFAULT_PORT if running is None and port_is_free(DEFAULT_PORT) else None
    try:
        broker = brokers.start(settings.data_dir, wanted)
    except brokers.BrokerUnavailable:
        if wanted is None or port_is_free(wanted):
            raise
        broker = brokers.start(settings.data_dir)  # somebody was quicker with that port
    what = "started a broker" if broker.kind != "given" and running is None else "uses the broker that runs"
    out.print(f"{what} at {broker.bootstrap}", highlight=False)
    return broker


async def _until_sigterm(work: Coroutine[None, None, int]) -> int:
    """Run the work as a task that SIGTERM cancels, as Ctrl-C does."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


async def _run(settings: Settings, out: Console, seed: int, earlier: list[WorkerProcess]) -> int:
    """Send, wait, check, print; gives the exit code."""
    week = sample_week(seed)
    await topics.create(settings)
    await topics.require(settings)
    repeated = await require_own(settings, week)
    async with following(settings) as progress:
        await progress.catch_up()
        before = progress.outcomes()
        try:
            sent, seconds = await _through(settings, out, week, progress, earlier)
            checked = await _checked(settings, progress)
        except (StalledError, WorkerEndedError) as error:
            out.print(f"demo: FAILED {error}", highlight=False, markup=False, soft_wrap=True)
            return 1
        print_summary(out, checked.written)
        print_pace(out, sent, seconds, checked.written)
        if repeated:
            print_repeat(out, before, progress.outcomes())
        print_verdict(out, checked.verdict, checked.reckoning, checked.written)
    return 0 if checked.verdict.ok else 1


async def _through(
    settings: Settings, out: Console, week: Week, progress: Progress, earlier: list[WorkerProcess]
) -> tuple[int, float]:
    """Send the phases, each after the one before is applied; gives the load's records and its seconds."""
    await send_phase(settings, week.masters)
    running = earlier or workers.start_all(settings)

    def alive() -> str:
        return workers.require_running(running)

    out.print(f"{len(running)} workers; their logs: {alive()}", highlight=False, soft_wrap=True)
    await progress.processed(alive)
    if earlier:
        await asyncio.sleep(REFERENCES_READ_SECONDS)
    started = time.monotonic()
    sent = await send_phase(settings, week.load)
    seconds = await progress.processed(alive) - started
    await send_phase(settings, week.late)
    await progress.processed(alive)
    return sent, seconds


async def _checked(settings: Settings, progress: Progress) -> Checked:
    """Compare what was written with the reckoning; again for a while if holds may still be released."""
    deadline = time.monotonic() + RELEASED_SECONDS_MAX
    while True:
        checked = await check(settings, progress)
        if checked.verdict.ok or checked.verdict.duplicated or time.monotonic() > deadline:
            return checked
        await progress.processed(str)


async def check(settings: Settings, progress: Progress) -> Checked:
    """Read inputs and outputs, reckon from the inputs alone, and compare."""
    inputs = await read_streams(settings, STREAMS)
    reckoning = reckon(inputs)
    written = await read_outputs(settings)
    await progress.catch_up()
    counted = {stream.name for stream in TOPOLOGY.inputs}
    records = sum(len(found) for name, found in inputs.items() if name in counted) + written.events[OWN_INPUT]
    dispositions = sum(progress.outcomes().values())
    return Checked(judge(reckoning, written, records, dispositions), reckoning, written)
