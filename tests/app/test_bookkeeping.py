"""A real time sheet, by its mapping, through a real worker: what is billed is what the CSV says, to the cent.

The sheet and its terms are a bookkeeping firm's (clock-in, clock-out, client code; hourly and flat rates). They are
looked for in BILLTIDE_TEST_BOOKKEEPING, then beside the checkout. Without them the same test runs on a small sample
of the same form, and says so.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import os
import random
import subprocess
import sys
import time
import warnings
from collections import Counter, defaultdict
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer

from billtide.codecs.billing import BillingEvent
from billtide.codecs.records import Position
from billtide.tables.table import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka import ConsumerRecord

    from billtide.app.broker import Broker

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.filterwarnings("always:the bookkeeping data is absent:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "BILLTIDE_TEST_BOOKKEEPING"
BESIDE = ROOT.parent / "shared" / "data" / "bookkeeping"
PARTITIONS = 4
SETTLED_SECONDS = 120.0
QUIET_SECONDS = 2.0
COMMAND_SECONDS = 120
STOP_SECONDS = 30
CENT = Decimal("0.01")
OUTCOMES = ("applied", "duplicate", "stale", "held", "dead_lettered")
"""What becomes of a record, as a position counts it."""
TERM_MONTHS = {"month": 1, "quarter": 3}


@pytest.fixture
def books(tmp_path: Path, seed: int) -> Path:
    """Folder with timesheet.csv and clients.csv: the real ones, or a sample with a loud word about it."""
    given = os.environ.get(FOLDER_VARIABLE, "").strip()
    folder = Path(given) if given else BESIDE
    if (folder / "timesheet.csv").is_file():
        return folder
    if given:
        pytest.fail(f"{FOLDER_VARIABLE}={given} has no timesheet.csv; correct or unset it", pytrace=False)
    said = f"the bookkeeping data is absent ({BESIDE}); a generated sample is billed instead, set {FOLDER_VARIABLE}"
    warnings.warn(said, UserWarning, stacklevel=1)
    print(said)  # noqa: T201 - shown with a failure
    write_sample(tmp_path, random.Random(seed))
    return tmp_path


def write_sample(folder: Path, chance: random.Random) -> None:
    """Half a year of short sessions, with rates that make many lines fall on half a cent."""
    clients = [
        ("HOUR", "month", "hourly", "93.35"),
        ("H/2", "quarter", "hourly", "100"),
        ("FLAT", "month", "flat rate", "330"),
    ]
    clients += [("QUART", "quarter", "flat rate", "800.50"), ("BIZ", "biz", "biz", "0.01")]
    with (folder / "clients.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("code", "term", "type", "rate"), *clients])
    rows = []
    for day in range(182):  # 1 January to 30 June of a leap year
        date, minute = dt.date(2024, 1, 1) + dt.timedelta(days=day), 6 * 60
        for _ in range(3):
            end = minute + chance.randint(1, 130)
            start, stop = (f"{at // 60:02}:{at % 60:02}:00" for at in (minute, end))
            rows.append((date, start, stop, chance.choice(clients)[0], "notes, with a comma", ""))
            minute = end
    with (folder / "timesheet.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("date", "clock_in", "clock_out", "code", "notes", "tags"), *rows])


def read_csv(file: Path) -> list[dict[str, str]]:
    """Rows of a CSV."""
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


class Expected:
    """What the firm may bill, worked out from the CSV files alone.

    Each session is a line of its own and lines are rounded one by one, half up to the cent: the sum of rounded lines
    is what is billed, not the rounded sum.
    """

    def __init__(self, folder: Path) -> None:
        terms = {row["code"]: row for row in read_csv(folder / "clients.csv")}
        sessions = read_csv(folder / "timesheet.csv")
        self.clients, self.sessions = len(terms), len(sessions)
        self.hourly = {code: Decimal(0) for code, row in terms.items() if row["type"] == "hourly"}
        for row in sessions:
            if row["code"] in self.hourly:
                start, end = (dt.datetime.strptime(row[at], "%H:%M:%S") for at in ("clock_in", "clock_out"))  # noqa: DTZ007 - a clock on a wall
                minutes = (end - start) // dt.timedelta(minutes=1)
                line = Decimal(minutes) * Decimal(terms[row["code"]]["rate"]) / 60
                self.hourly[row["code"]] += line.quantize(CENT, ROUND_HALF_UP)
        first, last = (dt.date.fromisoformat(end(row["date"] for row in sessions)) for end in (min, max))
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        flat = {code: row for code, row in terms.items() if row["type"] == "flat rate"}
        self.terms = {code: months // TERM_MONTHS[row["term"]] for code, row in flat.items()}
        self.fees = {code: Decimal(row["rate"]) for code, row in flat.items()}


class Firm:
    """billtide on topics of one test's own: commands, a worker, and what came out."""

    def __init__(self, broker: Broker, prefix: str, folder: Path) -> None:
        self.bootstrap, self.prefix, self.log = broker.bootstrap, prefix, folder / "worker.log"
        own = {"KAFKA_BOOTSTRAP": broker.bootstrap, "TOPIC_PREFIX": prefix, "APP_ID": f"{prefix}firm"}
        own |= {"PARTITIONS": str(PARTITIONS), "TELEMETRY_PORT": "0", "DATA_DIR": str(folder / "data")}
        others = {name: value for name, value in os.environ.items() if not name.startswith("BILLTIDE_")}
        self.environment = others | {f"BILLTIDE_{name}": value for name, value in own.items()}

    def command(self, *arguments: str) -> str:
        """Run a command to its end; gives its stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "billtide.app.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker process; its log is shown when the test fails while it runs."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "billtide.app.cli", "worker"], env=self.environment, stdout=log, stderr=log
            )
            try:
                yield
                assert process.poll() is None, "the worker ended by itself"
            except BaseException:
                print(self.log.read_text()[-4000:])  # noqa: T201 - pytest shows it with the failure
                raise
            finally:
                process.terminate()
                process.wait(STOP_SECONDS)

    async def records(self, stream: str) -> list[ConsumerRecord]:
        """Everything committed in a topic now."""
        consumer = AIOKafkaConsumer(
            self.prefix + stream,
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            found: list[ConsumerRecord] = []
            ends = await consumer.end_offsets(list(consumer.assignment()))
            assert len(ends) == PARTITIONS
            while any([await consumer.position(where) < end for where, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
        finally:
            await consumer.stop()
        return found

    async def billed(self) -> list[BillingEvent]:
        """Every billing event."""
        return [msgspec.json.decode(record.value, type=BillingEvent) for record in await self.records("billing")]

    async def state(self) -> tuple[dict[str, Counter[str]], int]:
        """Dispositions of every input over all tasks, and how many entries are held."""
        latest: dict[tuple[int, bytes], bytes | None] = {}
        for record in await self.records("state-changelog"):
            latest[record.partition, record.key] = record.value
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for (_, key), value in latest.items():
            if key[:1] == b"p" and value is not None:
                assert value[:1] == VERSION
                position = msgspec.msgpack.decode(value[1:], type=Position)
                outcomes = {name: getattr(position, name) for name in OUTCOMES}
                counts[key[1:].decode()].update(outcomes)
        return counts, sum(value is not None for (_, key), value in latest.items() if key.startswith(b"htime"))

    async def settled(self, sessions: int, fees: int) -> dict[str, Counter[str]]:
        """Wait until every session has its disposition, none is held and the fees are out; then a quiet moment."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            counts, held = await self.state()
            done = sum(counts["time-entries"].values()) >= sessions and not held
            if done and sum(event.kind == "fee" for event in await self.billed()) >= fees:
                await asyncio.sleep(QUIET_SECONDS)
                return (await self.state())[0]
            assert time.monotonic() < deadline, f"not settled in {SETTLED_SECONDS} s: {dict(counts)}, {held} held"
            await asyncio.sleep(QUIET_SECONDS)


def sums(events: list[BillingEvent], kind: str) -> dict[str, Decimal]:
    """Amount billed for each engagement."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.kind == kind:
            found[event.engagement_id] += Decimal(event.amount)
    return dict(found)


async def test_what_is_billed_is_what_the_sheet_says(
    broker: Broker, topic_prefix: str, books: Path, tmp_path: Path
) -> None:
    """Each client is billed to the cent by its terms, however often the file is sent.

    Hourly clients pay minutes x rate, line by line; flat-rate clients their fee a term; the firm's own time is free;
    every session has exactly one disposition.
    """
    expected, firm = Expected(books), Firm(broker, topic_prefix, tmp_path)
    intake = ("intake", "csv", "--map", str(ROOT / "examples" / "bookkeeping.toml"))
    files = ("--terms", str(books / "clients.csv"), str(books / "timesheet.csv"), "--json")
    firm.command("topics", "create")

    with firm.worker():
        told: dict[str, Any] = msgspec.json.decode(await asyncio.to_thread(firm.command, *intake, *files))
        counts = await firm.settled(expected.sessions, sum(expected.terms.values()))
        events = await firm.billed()
        await asyncio.to_thread(firm.command, *intake, *files)
        again = await firm.settled(2 * expected.sessions, sum(expected.terms.values()))
        after = await firm.billed()

    assert (told["rows"], told["sent"]["time-entries"], told["refused"]) == (expected.sessions, expected.sessions, [])
    assert sums(events, "time") == {code: amount for code, amount in expected.hourly.items() if amount}
    assert sums(events, "fee") == {code: expected.fees[code] * count for code, count in expected.terms.items()}
    assert Counter(event.engagement_id for event in events if event.kind == "fee") == expected.terms
    assert "BIZ" not in {event.engagement_id for event in events}
    assert {event.action for event in events} == {"charge"}
    assert sum(counts["time-entries"].values()) == expected.sessions
    assert sum(counts["engagements"].values()) == expected.clients
    assert counts["time-entries"]["applied"] + counts["time-entries"]["held"] == expected.sessions
    assert again["time-entries"]["duplicate"] == expected.sessions
    assert sorted(event.id for event in after) == sorted(event.id for event in events)
