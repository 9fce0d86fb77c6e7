"""`billtide holds` on a broker: what waits is read from the changelog, tried again in memory, and nothing is written."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from billtide.app import records, topics
from billtide.app.audit.reading import opened
from billtide.app.audit.story import iso
from billtide.app.demo.reading import read_streams
from billtide.app.intake.admission import admit
from billtide.app.memory import Memory, Read
from billtide.app.runtime.outgoing import partition_of
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY

from ...builders import capped, rate_card, resource, time_entry, year

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("kafka")]

OVER_THE_CAP = b"htime\x1fpsa\x1fE1\x1f2"


def waiting_task(partition: int) -> Memory:
    """A task with an entry over its cap, and one that nobody can price."""
    task = Memory(partition)
    for stream, value in (("periods", year()), ("resources", resource()), ("rate-cards", rate_card())):
        task.refer(stream, [Read(stream, 0, 0, 1, b"", json.dumps(value).encode(), ())])
    task.apply("engagements", [Read("engagements", partition, 0, 1, b"E1", json.dumps(capped("1000")).encode(), ())])
    sent = [
        time_entry(id="1", status="approved"),
        time_entry(id="2", status="approved"),
        time_entry(id="3", role="pilot"),
    ]
    task.apply(
        "time-entries",
        [Read("time-entries", partition, at, 1, b"E1", json.dumps(one).encode(), ()) for at, one in enumerate(sent)],
    )
    return task


async def publish() -> None:
    """Put the task's state on the changelog, and reference data on its topics, the newest unknown to the task."""
    settings = load()
    await topics.create(settings)
    task = waiting_task(partition_of(b"E1", settings.partitions))
    newer = rate_card(version=2, lines=[*rate_card()["lines"], {"role": "pilot", "rate": "90"}])  # type: ignore[misc]
    for stream, value in (
        ("periods", year()),
        ("resources", resource()),
        ("rate-cards", rate_card()),
        ("rate-cards", newer),
    ):
        await records.send(settings, stream, [admit(stream, json.dumps(value).encode())])
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for table in task.state.tables:
            for key, value in table.bytes.items():
                await producer.send(settings.topic("state-changelog"), value, key, partition=task.partition)


async def since(key: bytes) -> str:
    """When a record of the changelog was written, by the broker."""
    found = (await read_streams(load(), ["state-changelog"]))["state-changelog"]
    return iso(next(record.timestamp for record in found if record.key == key))


async def written() -> int:
    """How many records there are on all topics."""
    names = [stream.name for stream in TOPOLOGY.streams]
    async with opened(load(), names) as found:
        return sum([len(batch.records) async for batch in found.to_end()])


def test_what_waits_is_listed_shown_and_tried_again(run: Callable[..., Result]) -> None:
    """With amount and time; what a new card prices would go on, the cap still lacks room; no record is written."""
    asyncio.run(publish())
    before = asyncio.run(written())
    found = json.loads(run("holds", "list", "--json").stdout)
    of_engagement = json.loads(run("holds", "list", "--engagement", "E1", "--reason", "cap_reached", "--json").stdout)
    table, shown = run("holds", "list").stdout, run("holds", "show", "psa:time:2").stdout
    tried = json.loads(run("holds", "retry", "--all", "--json").stdout)["holds"]
    said = run("holds", "retry", "psa:time:3").stdout

    assert found["reasons"] == {"cap_reached": 1, "rate_missing": 1}
    assert [one["id"] for one in of_engagement["holds"]] == ["psa:time:2"]
    assert "600.00" in table
    assert "what it waits for" in table
    assert f"cap_reached since {asyncio.run(since(OVER_THE_CAP))}, waits on cap:E1" in shown
    assert "amount: 600.00 EUR" in shown
    assert {one["id"]: one["would_go_on"] for one in tried} == {"psa:time:2": False, "psa:time:3": True}
    assert "1 hold tried in memory, 1 would go on; nothing was written" in said
    assert asyncio.run(written()) == before


def test_what_does_not_wait_is_a_finding(run: Callable[..., Result]) -> None:
    """Exit code 1 with where to look; without a choice nothing is tried."""
    asyncio.run(topics.create(load()))
    unknown, unsaid = run("holds", "show", "psa:time:404"), run("holds", "retry")

    assert (unknown.exit_code, unsaid.exit_code) == (1, 2)
    assert "billtide holds list" in unknown.stderr
    assert "--all" in unsaid.stderr
