"""Events a second and processor time an event: billtide's worker, Faust as shipped, and the floor below both.

    python bench/throughput.py --events 300000 --json

All three read the same topic, one after the other, in one run; compare the ratios, not the absolute figures of
different machines. The input is released in one moment, so only the reader is measured. Faust as shipped stops
after the first STOCK_SHARE of the events: it needs minutes for all of them.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import asyncio  # noqa: E402
import json  # noqa: E402
import secrets  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import load as inputs  # noqa: E402
import process  # noqa: E402
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # noqa: E402

from billtide.app import broker as brokers  # noqa: E402
from billtide.app import records, topics  # noqa: E402
from billtide.app.broker_config import free_port  # noqa: E402
from billtide.app.settings import Settings, load  # noqa: E402

HERE = Path(__file__).resolve().parent
PARTITIONS = 4
STOCK_SHARE = 0.1
STOCK_EVENTS_MIN = 10_000
SECONDS_MAX = 600


def figures(result: dict[str, float]) -> dict[str, float]:
    """Events a second of wall time, microseconds of processor time an event."""
    events = result["events"]
    return {
        "events": int(events),
        "events_per_s": round(events / result["seconds"]),
        "cpu_us_per_event": round(result["cpu_seconds"] / events * 1e6, 2),
    }


async def prepare(settings: Settings, events: int) -> inputs.HeldBack:
    """Make the topics, send the masters, and write the entries so that nobody sees them yet."""
    await topics.create(settings)
    for stream, master in inputs.masters().items():
        await records.send(settings, stream, [(key, value, ()) for key, value in master])
    held_back = inputs.HeldBack(settings, settings.topic_prefix)
    await held_back.write("time-entries", inputs.time_entries(events))
    return held_back


async def measure_worker(settings: Settings, held_back: inputs.HeldBack, events: int, logs: Path) -> dict[str, float]:
    """Start a worker, let it get ready, release the entries, wait until each is committed."""
    port = free_port()
    variables = {**process.variables_of(settings), "BILLTIDE_TELEMETRY_PORT": str(port)}
    worker = process.start(process.WORKER, variables, logs / "billtide.log")
    try:
        process.await_ready(port, worker)
        await until(lambda: done(port, "engagements") >= inputs.ENGAGEMENTS)
        began, used = time.monotonic(), process.cpu_seconds(worker.pid)
        await held_back.release()
        await until(lambda: done(port, "time-entries") >= events, worker.pid)
        result = {"events": events, "seconds": time.monotonic() - began}
        result["cpu_seconds"] = process.cpu_seconds(worker.pid) - used
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    return result


def done(port: int, stream: str) -> float:
    """Records of a stream that a worker has applied and committed."""
    return process.metric(port, "record_outcomes_total", f'outcome="applied",stream="{stream}"')


async def until(true: Any, pid: int | None = None) -> None:
    """Wait for a condition, looking at it now and then; with a process, only while that has nothing to do.

    Looking costs the worker some milliseconds, which would be counted as work on events.
    """
    deadline = time.monotonic() + SECONDS_MAX
    while (pid is not None and await busy(pid)) or not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker did not get through its input; see its log")
        await asyncio.sleep(process.POLL_SECONDS)


async def busy(pid: int) -> bool:
    """Whether a process uses more than half a processor."""
    before = process.cpu_seconds(pid)
    await asyncio.sleep(process.POLL_SECONDS)
    return process.cpu_seconds(pid) - before > process.POLL_SECONDS / 2


def measure_script(name: str, settings: Settings, variables: dict[str, str], logs: Path) -> dict[str, float]:
    """Run one of the other scripts to its end and read what it prints."""
    running = process.start([str(HERE / name)], {**process.variables_of(settings), **variables}, logs / f"{name}.log")
    output, _ = running.communicate(timeout=SECONDS_MAX)
    if running.returncode or not output:
        raise RuntimeError(f"{name} ended with {running.returncode}; see {logs / name}.log")
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    return result


async def run(events: int) -> dict[str, dict[str, float]]:
    """Measure all three on one broker."""
    work = Path(tempfile.mkdtemp(prefix="billtide-bench-"))
    broker = brokers.start(work / "kafka")
    name = f"bench{secrets.token_hex(3)}"
    settings = load(
        kafka_bootstrap=broker.bootstrap, topic_prefix=f"{name}.", app_id=name, partitions=PARTITIONS, data_dir=work
    )
    try:
        held_back = await prepare(settings, events)
        result = {"billtide": await measure_worker(settings, held_back, events, work)}
        topic = settings.topic("time-entries")
        stock = {
            "STOCK_COUNT": str(min(events, max(STOCK_EVENTS_MIN, int(events * STOCK_SHARE)))),
            "STOCK_TOPIC": topic,
            "STOCK_PREFIX": settings.topic_prefix,
            "STOCK_PARTITIONS": str(PARTITIONS),
            "STOCK_BOOTSTRAP": settings.kafka_bootstrap,
            "STOCK_DATA": str(work / "stock-faust"),
        }
        await create_plain(settings, ["stock-billing", "stock-accruals", "floor-output"])
        result["faust"] = await asyncio.to_thread(measure_script, "stock_faust.py", settings, stock, work)
        floor = {"FLOOR_COUNT": str(events), "FLOOR_TOPIC": topic, "FLOOR_OUTPUT": settings.topic("floor-output")}
        result["floor"] = await asyncio.to_thread(measure_script, "floor.py", settings, floor, work)
    finally:
        brokers.discard(broker)
    return {name: figures(measured) for name, measured in result.items()}


async def create_plain(settings: Settings, names: list[str]) -> None:
    """Make topics of the bench's own."""
    admin = AIOKafkaAdminClient(**settings.connection())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(settings.topic(name), settings.partitions, 1) for name in names])
    finally:
        await admin.close()


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000, help="time entries to process (default 300000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.events))
    if arguments.json:
        print(json.dumps(result))
        return
    for name, measured in result.items():
        sys.stdout.write(
            f"{name:10} {measured['events_per_s']:>9,} events/s {measured['cpu_us_per_event']:>8} us CPU an event\n"
        )


if __name__ == "__main__":
    main()
