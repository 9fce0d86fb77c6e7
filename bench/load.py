"""The input of the benches: a firm's masters and time entries, each submitted and then approved."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from billtide.app.settings import Settings

SEED = 7
ENGAGEMENTS = 480
RESOURCES = 400
DATES = tuple(f"2026-11-{day:02d}" for day in range(16, 21))
QUANTITIES = ("8.00", "7.50", "4.00", "0.25", "6.75", "2.50")
RATES = {"partner": "420.00", "manager": "260.00", "consultant": "180.00", "analyst": "120.50"}

Event = tuple[bytes, bytes]


def masters() -> dict[str, list[Event]]:
    """Everything that prices the entries, by stream, as (key, value)."""
    roles = list(RATES)
    card = {"id": "standard", "version": 1, "scope": "default", "currency": "EUR", "effective_from": "2026-01-01"}
    period = {"legal_entity_id": "DE", "id": "2026-11", "start_date": "2026-11-01", "end_date": "2026-11-30"}
    return {
        "rate-cards": [
            _event("standard/1", {**card, "lines": [{"role": r, "rate": rate} for r, rate in RATES.items()]})
        ],
        "periods": [_event("DE/2026-11", {**period, "revision": 1, "status": "open"})],
        "resources": [_event(f"R{number}", _resource(number, roles)) for number in range(RESOURCES)],
        "engagements": [_event(f"E{number}", _engagement(number)) for number in range(ENGAGEMENTS)],
    }


def _resource(number: int, roles: list[str]) -> dict[str, Any]:
    cost = [{"rate": f"{60 + number % 40}.00", "currency": "EUR"}]
    return {"id": f"R{number}", "revision": 1, "legal_entity_id": "DE", "role": roles[number % 4], "cost_rates": cost}


def _engagement(number: int) -> dict[str, Any]:
    who = {
        "source": "crm",
        "id": f"E{number}",
        "revision": 1,
        "customer_id": f"C{number % 40}",
        "legal_entity_id": "DE",
    }
    return {**who, "currency": "EUR", "contract_type": "time_and_materials", "start_date": "2026-01-01"}


def time_entries(count: int) -> list[Event]:
    """Make `count` records: revision 1 submitted, revision 2 approved, a Friday afternoon's mix of both."""
    chance = random.Random(SEED)
    roles = list(RATES)
    records: list[Event] = []
    waiting: list[dict[str, Any]] = []
    number = 0
    while len(records) < count:
        if waiting and (len(waiting) > 2_000 or chance.random() < 0.5):
            entry = {**waiting.pop(chance.randrange(len(waiting))), "revision": 2, "status": "approved"}
        else:
            entry = _time_entry(number, chance, roles)
            waiting.append(entry)
            number += 1
        records.append(_event(entry["engagement_id"], entry))
    return records


def submitted(count: int) -> Iterator[Event]:
    """Make `count` different time entries, submitted once."""
    chance = random.Random(SEED)
    roles = list(RATES)
    for number in range(count):
        entry = _time_entry(number, chance, roles)
        yield _event(entry["engagement_id"], entry)


def _time_entry(number: int, chance: random.Random, roles: list[str]) -> dict[str, Any]:
    return {
        "source": "psa",
        "id": f"{10_000_000 + number}",
        "revision": 1,
        "engagement_id": f"E{chance.randrange(ENGAGEMENTS)}",
        "resource_id": f"R{chance.randrange(RESOURCES)}",
        "work_date": chance.choice(DATES),
        "quantity": chance.choice(QUANTITIES),
        "status": "submitted",
        "role": chance.choice(roles),
        "task_id": f"T{chance.randrange(12)}",
        "notes": "Workshop with the customer, follow-up and minutes",
    }


def _event(key: str, value: dict[str, Any]) -> Event:
    return key.encode(), msgspec.json.encode(value)


class HeldBack:
    """Records written in one open transaction: on the brokers, but hidden from readers until release().

    So all input appears at once, and making it costs nothing while the reader is measured.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        """Make the producer; write() opens its transaction."""
        self._settings = settings
        self._producer = AIOKafkaProducer(
            **settings.connection(),
            transactional_id=f"bench-{name}",
            transaction_timeout_ms=900_000,
            linger_ms=20,
            max_batch_size=settings.batch_bytes_max,
            compression_type="zstd",
        )

    async def write(self, stream: str, events: list[Event]) -> None:
        """Write the records of one stream, all in order."""
        await self._producer.start()
        await self._producer.begin_transaction()
        topic = self._settings.topic(stream)
        sent = [await self._producer.send(topic, key=key, value=value) for key, value in events]
        await asyncio.gather(*sent)

    async def release(self) -> None:
        """Show them to the readers."""
        await self._producer.commit_transaction()
        await self._producer.stop()
