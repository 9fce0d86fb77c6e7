"""Faust as shipped on the same input: decode, a table with its changelog, and one or two outputs a record.

Run by throughput.py with the topics in the environment; prints one JSON object and ends after COUNT records.
It decides far less than billtide's rules do: no rates, no accounting calendar, no caps, no journals.
"""

from __future__ import annotations

import os
import sys
import time

import faust
import msgspec

COUNT = int(os.environ["STOCK_COUNT"])
TOPIC = os.environ["STOCK_TOPIC"]
PREFIX = os.environ["STOCK_PREFIX"]
PARTITIONS = int(os.environ["STOCK_PARTITIONS"])


class TimeEntry(msgspec.Struct):
    """What the agent reads of an entry."""

    source: str
    id: str
    revision: int
    engagement_id: str
    quantity: str
    status: str
    role: str


RATES = {"partner": 42000, "manager": 26000, "consultant": 18000, "analyst": 12050}
decode = msgspec.json.Decoder(TimeEntry).decode

app = faust.App(
    f"{PREFIX}stock",
    broker=f"kafka://{os.environ['STOCK_BOOTSTRAP']}",
    datadir=os.environ["STOCK_DATA"],
    store="memory://",
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
)
entries = app.Table(f"{PREFIX}stock-entries", key_type=str, value_type=str, partitions=PARTITIONS)
billing = app.topic(f"{PREFIX}stock-billing", partitions=PARTITIONS, value_serializer="json", key_type=str)
accruals = app.topic(f"{PREFIX}stock-accruals", partitions=PARTITIONS, value_serializer="json", key_type=str)


@app.agent(app.topic(TOPIC, value_serializer="raw", key_serializer="raw"), name="stock")
async def price(stream: faust.Stream) -> None:
    """Price each entry; bill it when approved, accrue it before."""
    seen, began, used = 0, 0.0, 0.0
    async for value in stream:
        if not seen:
            began, used = time.monotonic(), time.process_time()
        entry = decode(value)
        key = f"{entry.source}:{entry.id}"
        known = entries.get(key)
        amount = int(entry.quantity.replace(".", "")) * RATES[entry.role] // 100
        entries[key] = f"{entry.revision}:{entry.status}:{amount}"
        line = {"id": f"{key}:{entry.revision}", "engagement_id": entry.engagement_id, "amount": amount}
        if entry.status == "approved":
            await billing.send(key=entry.engagement_id, value=line)
            if known:
                await accruals.send(key=entry.engagement_id, value={**line, "amount": -amount})
        else:
            await accruals.send(key=entry.engagement_id, value=line)
        seen += 1
        if seen == COUNT:
            await app.producer.flush()
            seconds, cpu = time.monotonic() - began, time.process_time() - used
            sys.__stdout__.write(
                msgspec.json.encode({"events": seen, "seconds": seconds, "cpu_seconds": cpu}).decode() + "\n"
            )
            sys.__stdout__.flush()
            os._exit(0)


if __name__ == "__main__":
    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()
