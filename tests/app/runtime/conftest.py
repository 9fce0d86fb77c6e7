"""Workers to test with: inside the test's loop, where it can look into them, or as processes, to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from billtide.app import topics
from billtide.app.metrics import Metrics
from billtide.app.runtime import tuning
from billtide.app.runtime.application import build
from billtide.app.runtime.changelog import restore
from billtide.app.runtime.outgoing import partition_of
from billtide.app.runtime.shared import Shared
from billtide.app.runtime.surroundings import Surroundings
from billtide.app.runtime.tasks import Tasks
from billtide.app.settings import Settings, load
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
    from types import ModuleType

    from billtide.app.broker import Broker

StartWorker = "Callable[..., contextlib.AbstractAsyncContextManager[Running]]"
StartProcess = "Callable[..., Process]"
Until = "Callable[[Callable[[], Any]], Awaitable[None]]"

HERE = Path(__file__).parent
PARTITIONS = 4
PATIENCE_SECONDS = 60.0


def _counting() -> ModuleType:
    spec = importlib.util.spec_from_file_location("counting_worker", HERE / "counting_worker.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Running:
    """A worker inside the test's loop."""

    def __init__(self, settings: Settings) -> None:
        """Make it; `__aenter__` starts it."""
        self.settings = settings
        self.metrics = Metrics()
        self.shared = Shared(settings, TOPOLOGY, _counting().actors(), self.metrics)
        self.tasks = Tasks(self.shared)
        self.application = build(self.shared, self.tasks)
        self.surroundings = Surroundings(self.tasks)

    async def __aenter__(self) -> Self:
        """Start it; it has no tasks yet."""
        await self.surroundings.start()
        await self.application.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drain and stop it."""
        await self.application.stop()
        await self.surroundings.stop()

    def value(self, name: str, **labels: str) -> float:
        """Sum a metric over all labels that are not given."""
        return sum(
            sample.value
            for metric in self.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == f"billtide_{name}" and labels.items() <= sample.labels.items()
        )

    def ready(self, count: int = PARTITIONS) -> bool:
        """Whether it has `count` tasks, all active."""
        tasks = self.tasks.by_partition.values()
        return len(tasks) == count and all(task.phase == "active" for task in tasks)


class Topics:
    """What a test puts into Kafka and reads from it."""

    def __init__(self, settings: Settings) -> None:
        """Use this broker and prefix."""
        self.settings = settings

    async def send(self, stream: str, rows: Iterable[tuple[str, str]], partition: int | None = None) -> None:
        """Send (key, value) rows, each to the partition of its key."""
        count = TOPOLOGY.stream(stream).partitions(self.settings.partitions)
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap, linger_ms=5) as producer:
            futures = [
                await producer.send(
                    self.settings.topic(stream),
                    value.encode(),
                    key.encode(),
                    partition=partition_of(key.encode(), count) if partition is None else partition,
                )
                for key, value in rows
            ]
            await asyncio.gather(*futures)

    async def read(self, stream: str) -> list[Any]:
        """Every committed record of a stream."""
        count = TOPOLOGY.stream(stream).partitions(self.settings.partitions)
        where = [TopicPartition(self.settings.topic(stream), number) for number in range(count)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        found: list[Any] = []
        await consumer.start()
        try:
            consumer.assign(where)
            await consumer.seek_to_beginning(*where)
            ends = await consumer.end_offsets(where)
            while any([await consumer.position(one) < ends[one] for one in where]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        finally:
            await consumer.stop()
        return found

    async def outputs(self) -> Counter[str]:
        """How often each record was answered, by its value."""
        return Counter(msgspec.json.decode(record.value)["id"] for record in await self.read("billing"))

    async def restored(self) -> dict[str, int]:
        """Count of records by engagement, as the changelog has it."""
        found = {}
        for partition in range(self.settings.partitions):
            topic = self.settings.topic("state-changelog")
            state = (await restore(self.settings, topic, partition, lambda _: None)).state
            for key in list(state.engagements.bytes):
                engagement = state.engagements.get(key)
                assert engagement is not None
                found[engagement.id] = engagement.entries
        return found


class Process:
    """A worker process."""

    def __init__(self, settings: Settings, tmp_path: Path, **variables: str) -> None:
        """Start it."""
        self.log = tmp_path / f"worker-{len(list(tmp_path.iterdir()))}.log"
        values = {
            "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "TOPIC_PREFIX": settings.topic_prefix,
            "APP_ID": settings.app_id,
            "PARTITIONS": str(settings.partitions),
            "TELEMETRY_PORT": "0",
            "DATA_DIR": str(tmp_path / "data"),
            "SLAB_RECORDS_MAX": str(settings.slab_records_max),
            "SESSION_TIMEOUT_MILLISECONDS": str(settings.session_timeout_milliseconds),
            "TRANSACTION_TIMEOUT_MILLISECONDS": str(settings.transaction_timeout_milliseconds),
            "DELIVERY_MILLISECONDS_MAX": str(settings.delivery_milliseconds_max),
            "COMMIT_MILLISECONDS_MAX": str(settings.commit_milliseconds_max),
            "HEARTBEAT_MILLISECONDS": str(settings.heartbeat_milliseconds),
        } | variables
        environment = os.environ | {f"BILLTIDE_{name}": value for name, value in values.items()}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "counting_worker.py")], env=environment, stderr=log
            )

    def has_tasks(self) -> bool:
        """Whether the group has given it tasks."""
        return "tasks: [" in self.log.read_text()

    def is_stopped(self) -> bool:
        """Whether a signal has stopped it, as a failpoint may."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def end(self, number: int) -> int:
        """Send a signal and wait; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture(autouse=True, scope="session")
def _tuned() -> None:
    tuning.tune()


@pytest.fixture
def settings(broker: Broker, topic_prefix: str, tmp_path: Path) -> Settings:
    """Settings of a worker of one test, quick to notice what is gone."""
    return load(
        kafka_bootstrap=broker.bootstrap,
        topic_prefix=topic_prefix,
        app_id=topic_prefix.rstrip("."),
        partitions=PARTITIONS,
        telemetry_port=0,
        data_dir=tmp_path / "data",
        slab_records_max=200,
        session_timeout_milliseconds=6_000,
        transaction_timeout_milliseconds=5_000,
        delivery_milliseconds_max=4_000,
        commit_milliseconds_max=4_000,
        heartbeat_milliseconds=300,
        retry_milliseconds_first=20,
        retry_milliseconds_max=500,
        position_commit_milliseconds=300,
    )


@pytest.fixture
async def kafka(settings: Settings) -> Topics:
    """The topics of one test, created."""
    settings.data_dir.mkdir(parents=True)
    await topics.create(settings)
    return Topics(settings)


@pytest.fixture
def worker(settings: Settings) -> Callable[..., Any]:
    """Start workers in this loop; named values replace settings."""

    @contextlib.asynccontextmanager
    async def make(**given: object) -> AsyncIterator[Running]:
        async with Running(settings.model_copy(update=given)) as running:
            yield running

    return make


@pytest.fixture
def process(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start worker processes; what still runs at the end is killed."""
    started: list[Process] = []

    def start(**variables: str) -> Process:
        started.append(Process(settings, tmp_path, **variables))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Awaitable[None]]:
    """Poll a fact until it is true; it may be a coroutine."""

    async def wait(fact: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = fact()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.05)

    return wait
