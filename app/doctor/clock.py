"""The clocks of brokers and workers, compared by what both have written.

Kafka tells nobody its time. But the marker that ends a transaction has the broker's time, and the batches before it
begin with the worker's, whatever time their topic gives records: the marker comes after them, and at most a
transaction's time limit later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from ..topology import TOPOLOGY
from .line import Line, judged

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from .view import View

BACK: Final = 20
"""Offsets before the end at which reading begins: the last transaction's end and what it wrote."""
FETCH_BYTES: Final = 4 * 1024 * 1024
APART_SECONDS_MAX: Final = 5.0
_MEND: Final = "Let NTP set the clocks of brokers and workers"


class Ended(NamedTuple):
    """A transaction on the log: when its last records were written by the worker's clock, and its end by the broker's.

    Both in seconds since 1970.
    """

    written: float
    ended: float


async def check(view: View) -> list[Line]:
    """Compare by the last transaction of each task."""
    found: list[Ended] = []
    places = await view.places([TOPOLOGY.changelog])
    if not places:
        return [Line("ok", "no topic to look at")]
    async with view.consumer("read_uncommitted") as consumer:
        ends = await consumer.end_offsets(places)
        for where in places:
            if ends[where]:
                found += await _ended(consumer, where, max(0, ends[where] - BACK))
    if not found:
        return [Line("ok", "not compared: no task has committed anything yet")]
    longest = view.settings.transaction_timeout_milliseconds / 1000
    return compared(found, view.now, longest)


def compared(found: list[Ended], now: float, longest: float) -> list[Line]:
    """Judge transactions. now: by this machine's clock; longest: seconds a transaction may take."""
    behind = max(one.written - one.ended for one in found)
    ahead = max(one.ended - one.written - longest for one in found)
    ours = max(one.ended for one in found) - now
    problems = [
        Line("warn", f"{whose} by {apart:.1f} s or more", _MEND)
        for apart, whose in (
            (behind, "a broker's clock is behind a worker's"),
            (ahead, "a broker's clock is ahead of a worker's"),
            (ours, "this machine's clock is behind a broker's"),
        )
        if apart > APART_SECONDS_MAX
    ]
    return judged(problems, f"brokers, workers and this machine agree within {APART_SECONDS_MAX:.0f} s where they met")


async def _ended(consumer: AIOKafkaConsumer, where: TopicPartition, offset: int) -> list[Ended]:
    """The last transaction in the batches from an offset on, if there is one with what it wrote."""
    client = consumer._client  # noqa: SLF001 - markers are not shown to consumers
    leader = client.cluster.leader_for_partition(where)
    request = FetchRequest(100, 1, FETCH_BYTES, 0, [(where.topic, [(where.partition, offset, FETCH_BYTES)])])
    answer = await client.send(leader, request)
    raw = answer.topics[0][1][0][-1]
    batches = MemoryRecords(raw or b"")
    written, last = 0.0, []
    while batches.has_next():
        batch = batches.next_batch()
        if not batch.is_control_batch:
            written = batch.first_timestamp / 1000
        elif written:
            last = [Ended(written, batch.max_timestamp / 1000)]
    return last
