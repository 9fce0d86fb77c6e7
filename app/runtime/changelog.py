"""Restore: a task's state read back from its partition of the changelog, in batches, to the end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from ...tables.state import TaskState
from . import failpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import Settings

POLL_MILLISECONDS: Final = 1_000


class Restored(NamedTuple):
    """State as the last committed transaction left it, and what it took to read it."""

    state: TaskState
    records: int
    seconds: float


async def restore(settings: Settings, topic: str, partition: int, remaining: Callable[[int], None]) -> Restored:
    """Read a changelog partition up to where it ends now; tell `remaining` how many offsets are left.

    Call it after the former owner is fenced: then nobody writes there any more, and its last transaction is
    settled. The end is judged by the position, because transaction markers and compaction leave holes.
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
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        end = (await consumer.end_offsets([where]))[where]
        while (position := await consumer.position(where)) < end:
            remaining(end - position)
            step = settings.restore_records_step
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=step)).values():
                failpoints.reach("restoring")
                state.restore(records)
                count += len(records)
            await asyncio.sleep(0)
    finally:
        await consumer.stop()
    state.restored()
    remaining(0)
    return Restored(state, count, time.monotonic() - started)
