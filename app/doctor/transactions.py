"""Transactions that nobody ends: what stands behind one is invisible to every reader of committed records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..topology import TOPOLOGY
from .line import Line, judged

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from .view import View

BROKER_PATIENCE_MILLISECONDS: Final = 900_000
"""transaction.max.timeout.ms where the broker does not tell it."""
READ_MILLISECONDS: Final = 5_000


async def check(view: View) -> list[Line]:
    """Whether a last stable offset stays behind the end for longer than any transaction may."""
    places = await view.places(TOPOLOGY.streams)
    if not places:
        return [Line("ok", "no topic to look at")]
    async with view.consumer() as consumer:
        stable = await consumer.end_offsets(places)
    async with view.consumer("read_uncommitted") as consumer:
        ends = await consumer.end_offsets(places)
        behind = {where: stable[where] for where in places if stable[where] < ends[where]}
        ages = await _ages(consumer, behind, view.now)
    patience = await _patience(view)
    ours = 2 * view.settings.transaction_timeout_milliseconds / 1000
    problems = []
    for where, age in ages.items():
        if age <= ours:
            continue
        found = f"{where.topic} partition {where.partition}: open for {age:.0f} s at offset {behind[where]}"
        mend = (
            f"End it: `kafka-transactions.sh --bootstrap-server {view.settings.kafka_bootstrap} abort --topic "
            f"{where.topic} --partition {where.partition} --start-offset {behind[where]}`"
        )
        problems.append(Line("fail" if age > patience else "warn", found, mend))
    return judged(problems, f"none open for longer than {ours:.0f} s in {len(places)} partitions")


async def _ages(
    consumer: AIOKafkaConsumer, behind: dict[TopicPartition, int], now: float
) -> dict[TopicPartition, float]:
    """Seconds since the first record of each open transaction; one whose record nobody finds is left out."""
    found: dict[TopicPartition, float] = {}
    for where, offset in behind.items():
        consumer.assign([where])
        consumer.seek(where, offset)
        records = (await consumer.getmany(where, timeout_ms=READ_MILLISECONDS, max_records=1)).get(where, ())
        if records:
            found[where] = now - records[0].timestamp / 1000
    return found


async def _patience(view: View) -> float:
    """Seconds after which every broker ends a transaction by itself."""
    told = [one.get("transaction.max.timeout.ms") for one in (await view.broker_configs()).values()]
    return max([int(one) for one in told if one] or [BROKER_PATIENCE_MILLISECONDS]) / 1000
