"""`billtide what-if` on a broker: the state comes from the changelog, and nobody notices."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from billtide.app import topics
from billtide.app.intake.admission import admit
from billtide.app.records import send
from billtide.app.runtime.transaction import TaskProducer
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY

from ...builders import rate_card
from .firm import FIRM, lines, restored, tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from billtide.agents.outbox import OutputRecord
    from billtide.app.broker import Broker

pytestmark = pytest.mark.kafka

REFERENCES = [stream.name for stream in TOPOLOGY.references]


async def publish() -> list[TaskProducer]:
    """Put the firm's state on the changelog as its tasks do, and its reference data; the tasks' producers live on."""
    settings = load()
    await topics.create(settings)
    for stream in REFERENCES:
        sent: list[OutputRecord] = [admit(stream, json.dumps(value).encode()) for name, value in FIRM if name == stream]
        await send(settings, stream, sent)
    producers = []
    for task in tasks():
        producer = TaskProducer(settings, TOPOLOGY, task.partition)
        await producer.start()
        await write(producer, [list(table.bytes.items()) for table in restored(task).tables])
        producers.append(producer)
    return producers


async def write(producer: TaskProducer, changes: list[Any]) -> None:
    """One transaction of a task."""
    await producer.write(producer.outgoing().close(changes))


async def ends() -> tuple[dict[TopicPartition, int], list[str]]:
    """Where every topic ends, and the groups there are."""
    settings = load()
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await consumer.start()
    await admin.start()
    try:
        places = [
            TopicPartition(settings.topic(stream.name), number)
            for stream in TOPOLOGY.streams
            for number in range(stream.partitions(settings.partitions))
        ]
        groups = [name for name, _ in await admin.list_consumer_groups()]
        return await consumer.end_offsets(places), groups
    finally:
        await consumer.stop()
        await admin.close()


def test_the_state_on_the_topics_gives_what_the_files_give(
    run: Callable[..., Result], kafka: Broker, tmp_path: Path
) -> None:
    """The same answer as from the records themselves; no topic grows, no group is joined, no producer is fenced."""
    assert kafka.bootstrap
    card = json.dumps(rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}]))
    arguments = ("what-if", "--rate-card", "-", "--json")

    async def on_topics() -> tuple[Any, Any, Result]:
        producers = await publish()
        before = await ends()
        told = await asyncio.to_thread(run, *arguments, stdin=card)
        after = await ends()
        for producer in producers:
            await write(producer, [[(b"gE0", None)]])
            await producer.discard(abort=False)
        return before, after, told

    before, after, told = asyncio.run(on_topics())
    of_files = run(*arguments, "--from", lines(tmp_path / "firm.jsonl", *FIRM), stdin=card)

    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == json.loads(of_files.stdout)
    assert json.loads(told.stdout)["totals"][0]["billed"]["change"] == "160.00"
    assert before == after


def test_without_topics_it_says_how_to_make_them(run: Callable[..., Result], kafka: Broker) -> None:
    """Exit code 2 and the command, and no topic comes into being by asking."""
    assert kafka.bootstrap
    result = run("what-if", "--rate-card", "-", stdin=json.dumps(rate_card(version=2)))

    assert (result.exit_code, result.stdout) == (2, "")
    assert "billtide topics create" in result.stderr
