"""Commands against a real broker: topics made and checked, events sent, figures found by key."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer

from billtide.app.records import send
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import ConsumerRecord
    from click.testing import Result

    from billtide.app.broker import Broker

pytestmark = pytest.mark.kafka

ENTRY = {"source": "psa", "revision": 1, "resource_id": "R-1"} | {
    "work_date": "2026-11-20",
    "quantity": "7.5",
    "status": "approved",
}
READ_SECONDS = 20.0


def records_of(stream: str, count: int) -> list[ConsumerRecord]:
    """The first records of a topic."""

    async def work() -> list[ConsumerRecord]:
        settings = load()
        consumer = AIOKafkaConsumer(
            settings.topic(stream), bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(READ_SECONDS):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()

    return asyncio.run(work())


def send_figures(*figures: dict[str, Any]) -> None:
    """Send figures as a worker would."""
    names = "submitted_hours approved_hours non_billable_hours approved_value billed fees unbilled held earned cost"
    zeros = dict.fromkeys([*names.split(), "margin", "planned_hours"], "0")
    records = [
        (one["engagement_id"].encode(), json.dumps(zeros | {"entries": 1, "held_entries": {}} | one).encode(), ())
        for one in figures
    ]
    asyncio.run(send(load(), "engagement-figures", records))


def test_topics_are_missed_made_and_checked(run: Callable[..., Result], kafka: Broker) -> None:
    """Missing topics are findings with exit code 1; after `create` they all pass; a second `create` makes none."""
    before = run("topics", "check", "--json")
    created = run("topics", "create", "--json")
    after = run("topics", "check", "--json")
    again = run("topics", "create")

    assert kafka.bootstrap
    assert before.exit_code == 1
    assert {finding["problem"] for finding in json.loads(before.stdout)["findings"]} == {"it does not exist"}
    assert len(json.loads(created.stdout)["created"]) == len(TOPOLOGY.streams)
    assert (after.exit_code, json.loads(after.stdout)) == (0, {"ok": True, "findings": []})
    assert "exist" in again.stdout


@pytest.mark.usefixtures("kafka")
def test_produced_events_carry_key_type_and_value(run: Callable[..., Result]) -> None:
    """Key by the stream's rule, CloudEvents headers, the value byte for byte."""
    run("topics", "create")
    value = json.dumps(ENTRY | {"id": "7", "engagement_id": "E-1"})
    period = {"legal_entity_id": "DE", "id": "2026-11", "revision": 1, "status": "open"}
    dates = {"start_date": "2026-11-01", "end_date": "2026-11-30"}
    lines = f'{{"stream": "time-entries", "value": {value}}}\n' + json.dumps(
        {"stream": "periods", "value": period | dates}
    )
    result = run("produce", "-", "--json", stdin=lines)
    (entry,), (sent_period,) = records_of("time-entries", 1), records_of("periods", 1)
    headers = dict(entry.headers)

    assert json.loads(result.stdout)["sent"] == {"time-entries": 1, "periods": 1}
    assert (entry.key, entry.value) == (b"E-1", value.encode())
    assert (headers["ce_type"], headers["ce_id"]) == (b"billtide.time-entry.v1", b"psa:7:1")
    assert sent_period.key == b"DE/2026-11"


@pytest.mark.usefixtures("kafka")
def test_an_engagement_is_found_by_its_latest_record(run: Callable[..., Result]) -> None:
    """Of several records of a key the last counts, whichever partition it hashes to; others are not mixed in."""
    run("topics", "create")
    ids = [f"E-{number}" for number in range(8)]
    send_figures(*({"engagement_id": one, "billed": f"{turn}.00"} for turn in (1, 2) for one in ids))

    found = [json.loads(run("engagement", one, "--json").stdout) for one in ids]

    assert [(one["engagement_id"], one["billed"]) for one in found] == [(one, "2.00") for one in ids]


@pytest.mark.usefixtures("kafka")
def test_the_table_shows_money_to_the_right_and_explains_holds(run: Callable[..., Result]) -> None:
    """Amounts end in one column under the currency; what is held is said with what it waits for."""
    run("topics", "create")
    send_figures(
        {"engagement_id": "E-1", "currency": "EUR", "contract_type": "time_and_materials", "billed": "1234567.50"}
        | {"approved_value": "1234567.50", "held_entries": {"rate_missing": 3}}
    )
    lines = run("engagement", "E-1").stdout.splitlines()
    money = [row for row in lines if row.startswith(("money", "approved value", "  billed", "margin"))]

    assert lines[0] == "Engagement E-1: time and materials"
    assert any("1,234,567.50" in row for row in money)
    assert len({len(row) for row in money}) == 1
    assert any("3  rate_missing" in row and "no rate card prices it" in row for row in lines)


@pytest.mark.usefixtures("kafka")
def test_an_unknown_engagement_says_what_to_do(run: Callable[..., Result]) -> None:
    """Exit code 1 and the next steps; before the topics exist, exit code 2 and the command that makes them."""
    without_topics = run("engagement", "E-404")
    run("topics", "create")
    unknown = run("engagement", "E-404")

    assert without_topics.exit_code == 2
    assert "billtide topics create" in without_topics.stderr
    assert unknown.exit_code == 1
    assert "check the id" in unknown.stderr
    assert not unknown.stdout
