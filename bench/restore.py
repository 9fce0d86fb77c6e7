"""How fast a worker that lost all local state gets it back: a million table records from the changelog.

    python bench/restore.py --entries 1000000 --json

The records are real: the rules run over time entries, and the tasks' own producers write what changed. Then a
worker starts with nothing and restores. Time counts from the start of the first task's restore to the end of the
last one's, as the worker logs them, fetching, decompressing and indexing included.
"""

from __future__ import annotations

import environment

environment.enter()

import argparse  # noqa: E402 - after the environment is the right one
import asyncio  # noqa: E402
import datetime as dt  # noqa: E402
import json  # noqa: E402
import secrets  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import load as inputs  # noqa: E402
import process  # noqa: E402
from aiokafka import ConsumerRecord  # noqa: E402

from billtide.agents import engagements, reference, time_entries  # noqa: E402
from billtide.agents.context import Contexts  # noqa: E402
from billtide.agents.outbox import Kept  # noqa: E402
from billtide.agents.shell import apply_all  # noqa: E402
from billtide.agents.work import Apply, Work  # noqa: E402
from billtide.app import broker as brokers  # noqa: E402
from billtide.app import topics  # noqa: E402
from billtide.app.broker_config import free_port  # noqa: E402
from billtide.app.runtime import tuning  # noqa: E402
from billtide.app.runtime.outgoing import partition_of  # noqa: E402
from billtide.app.runtime.transaction import TaskProducer  # noqa: E402
from billtide.app.settings import Settings, load  # noqa: E402
from billtide.app.topology import TOPOLOGY  # noqa: E402
from billtide.tables.reference import Reference  # noqa: E402
from billtide.tables.state import TaskState  # noqa: E402

PARTITIONS = 4
SLAB_RECORDS = 8_000


def record(offset: int, key: bytes, value: bytes) -> ConsumerRecord[bytes, bytes]:
    """Make what a consumer would have brought."""
    return ConsumerRecord("bench", 0, offset, 0, 0, key, value, None, len(key), len(value), ())


class Filler:
    """One task's state, filled by the rules and written by the task's producer, without a worker."""

    def __init__(self, settings: Settings, shared: Reference, partition: int) -> None:
        """Start empty; `shared` is complete."""
        self._state, self._reference, self._contexts = TaskState(), shared, Contexts()
        self._producer = TaskProducer(settings, TOPOLOGY, partition)
        self.records = 0

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def apply(self, stream: str, apply: Apply, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        """Apply records and write what changed to the changelog, a transaction a slab; outputs are left out.

        The position is kept under a name of its own: the input topics of the worker are empty.
        """
        for at in range(0, len(records), SLAB_RECORDS):
            slab, left_out = records[at : at + SLAB_RECORDS], Kept()
            work = Work(f"filled-{stream}", slab, self._state, self._reference, self._contexts, left_out)
            apply_all(work, apply)
            work.finish()
            changes = self._state.changes()
            await self._producer.write(self._producer.outgoing().close(changes))
            self._state.commit(changes)

    async def stop(self) -> int:
        """Close; returns how many records the state's tables hold."""
        await self._producer.discard(abort=False)
        return sum(len(table) for table in self._state.tables)


async def fill(settings: Settings, entries: int) -> int:
    """Write `entries` entries with all that belongs to them to the changelog; returns the table records."""
    shared, masters = Reference(), inputs.masters()
    for stream in reference.STREAMS:
        records = [record(n, key, value) for n, (key, value) in enumerate(masters.get(stream, []))]
        reference.apply_reference(shared, stream, records)
    tasks = [Filler(settings, shared, partition) for partition in range(settings.partitions)]
    await asyncio.gather(*(task.start() for task in tasks))
    for partition, records in placed(settings, iter(masters["engagements"])).items():
        await tasks[partition].apply("engagements", engagements.apply, records)
    for partition, records in placed(settings, inputs.submitted(entries)).items():
        await tasks[partition].apply("time-entries", time_entries.apply, records)
    return sum([await task.stop() for task in tasks])


def placed(settings: Settings, events: Iterator[inputs.Event]) -> dict[int, list[ConsumerRecord[bytes, bytes]]]:
    """Group events by the task of their key."""
    found: dict[int, list[ConsumerRecord[bytes, bytes]]] = defaultdict(list)
    for key, value in events:
        records = found[partition_of(key, settings.partitions)]
        records.append(record(len(records), key, value))
    return found


async def restore(settings: Settings, log: Path) -> tuple[int, float]:
    """Start a worker with nothing; returns the table records it has when ready, and the seconds of restoring."""
    port = free_port()
    variables = {**process.variables_of(settings), "BILLTIDE_TELEMETRY_PORT": str(port)}
    worker = process.start(process.WORKER, variables, log)
    try:
        process.await_ready(port, worker, seconds_max=300)
        await asyncio.sleep(2)  # gauges of the state are set once a second
        tables = [table.name for table in TaskState().tables]
        records = sum(process.metric(port, "table_records", f'table="{table}"') for table in tables)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    return int(records), restoring_seconds(log)


def restoring_seconds(log: Path) -> float:
    """From the first task's start to the last one's end, by the worker's log."""
    starts, ends = [], []
    for line in log.read_text().splitlines():
        said = json.loads(line)
        if ": restored " in said.get("event", ""):
            end = dt.datetime.fromisoformat(said["timestamp"]).timestamp()
            starts.append(end - float(said["event"].split()[-2]))
            ends.append(end)
    return max(ends) - min(starts)


async def run(entries: int) -> dict[str, float]:
    """Fill, lose everything but the changelog, restore, compare."""
    tuning.tune()
    work = Path(tempfile.mkdtemp(prefix="billtide-bench-"))
    broker = brokers.start(work / "kafka")
    name = f"bench{secrets.token_hex(3)}"
    settings = load(
        kafka_bootstrap=broker.bootstrap, topic_prefix=f"{name}.", app_id=name, partitions=PARTITIONS, data_dir=work
    )
    try:
        await topics.create(settings)
        written = await fill(settings, entries)
        records, seconds = await restore(settings, work / "worker.log")
    finally:
        brokers.discard(broker)
    if records != written:
        raise RuntimeError(f"{written} table records were written and {records} came back")
    return {"records": records, "seconds": round(seconds, 3), "records_per_s": round(records / seconds)}


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="time entries to restore (default 1000000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.entries))
    if arguments.json:
        print(json.dumps(result))
    else:
        sys.stdout.write(
            f"{result['records']:,} records in {result['seconds']} s: {result['records_per_s']:,} a second\n"
        )


if __name__ == "__main__":
    main()
