"""Restore: a task's state read back from its partition of the changelog, in batches, to the end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ...tables.state import TaskState
from ..topology import TOPOLOGY
from . import failpoints
from .failures import PositionOutsideLogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import Settings

POLL_MILLISECONDS: Final = 1_000
AUDIT: Final = TOPOLOGY.stream("audit")
"""Every transaction that posts anything writes there too."""
MEND: Final = (
    "Put the topic back from a copy; else create all topics anew, under another BILLTIDE_TOPIC_PREFIX, and send all "
    "inputs again"
)


class OpenTransactionError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """A foreign transaction on the changelog is open: committed records behind it cannot be read until it ends."""


class Restored(NamedTuple):
    """State as the last committed transaction left it, and what it took to read it."""

    state: TaskState
    records: int
    seconds: float


def cut(where: TopicPartition, first: int, end: int) -> str:
    """Say that a changelog does not begin at 0. Compaction leaves its start; Kafka deletes by other policies only."""
    return (
        f"{where.topic} partition {where.partition}: the state begins at offset 0, the log holds {first} to {end - 1}: "
        f"offsets 0 to {first - 1} were deleted while cleanup.policy was not compact alone"
    )


async def _written(settings: Settings, where: TopicPartition) -> int:
    """Where the log ends, records of open transactions included. Once the former owner is fenced none is ours."""
    consumer = AIOKafkaConsumer(**settings.connection(), enable_auto_commit=False)
    try:
        await consumer.start()
        return int((await consumer.end_offsets([where]))[where])
    finally:
        await consumer.stop()


async def _require_no_past(consumer: AIOKafkaConsumer, told: TopicPartition, where: TopicPartition) -> None:
    """See that a task without any state has written nothing yet, by its partition of the audit."""
    consumer.assign([told])
    await consumer.seek_to_beginning(told)
    end = (await consumer.end_offsets([told]))[told]
    while await consumer.position(told) < end:
        found = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=1)
        if found:
            raise PositionOutsideLogError(
                f"{where.topic} partition {where.partition}: the log is empty, and {told.topic} tells at offset "
                f"{found[told][0].offset} of {end} of what the task has done: the topic was created anew. {MEND}"
            )


async def restore(settings: Settings, topic: str, partition: int, remaining: Callable[[int], None]) -> Restored:
    """Read a changelog partition up to where it ends now; tell `remaining` how many offsets are left.

    Call it after the former owner is fenced: then nobody writes there any more, and its last transaction is
    settled. The end is judged by the position, because transaction markers and compaction leave holes.
    Raises PositionOutsideLogError when records of the state are gone, and OpenTransactionError when some cannot be read
    yet: nothing may be decided on a part of it.
    """
    started = time.monotonic()
    where = TopicPartition(topic, partition)
    state = TaskState()
    count = 0
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        client_id=f"{settings.app_id}-restore-{partition}",
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=settings.restore_fetch_bytes_max,
        fetch_max_bytes=settings.restore_fetch_bytes_max,
        fetch_max_wait_ms=settings.fetch_wait_milliseconds_max,
    )
    try:
        await consumer.start()
        written = await _written(settings, where)
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        first, end = (await consumer.beginning_offsets([where]))[where], (await consumer.end_offsets([where]))[where]
        if end < written:
            raise OpenTransactionError(
                f"{where.topic} partition {where.partition}: a transaction of another producer is open at offset {end} "
                f"of {written} and hides what follows, which may be state; `billtide doctor` says how to end it"
            )
        if first:
            raise PositionOutsideLogError(f"{cut(where, first, end)}. {MEND}")
        while (position := await consumer.position(where)) < end:
            remaining(end - position)
            step = settings.restore_records_step
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=step)).values():
                failpoints.reach("restoring")
                state.restore(records)
                count += len(records)
            await asyncio.sleep(0)
        if not count:
            await _require_no_past(consumer, TopicPartition(settings.topic(AUDIT.name), partition), where)
    finally:
        await consumer.stop()
    state.restored()
    remaining(0)
    return Restored(state, count, time.monotonic() - started)
