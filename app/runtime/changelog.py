"""Restore: a task's state read back from its partition of the changelog, in batches, to the end."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from ...tables.state import TaskState
from . import failpoints
from .intact import bounds, require_no_past

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..settings import Settings

log = logging.getLogger(__name__)

POLL_MILLISECONDS: Final = 1_000


class LogChangedError(RuntimeError):
    """The changelog is not, or not surely, the one that a copy was read from: the whole has to be read."""


class Copy:
    """State as far as a changelog has been read. Reading may go on later, by another consumer.

    first: the log's first offset when reading began; records: how many were applied; lag: offsets left to the end
    when that was last asked for; whole_at: when, by the monotonic clock in seconds, it last lacked nothing.

    Nothing is written beside it: where reading goes on is where records were applied, all of them committed. So what
    was aborted cannot be in it, nor a position that is ahead of it.
    """

    def __init__(self, first: int) -> None:
        """Start empty, before the first record."""
        self.state: Final = TaskState()
        self.first: Final = first
        self.records = 0
        self.lag = 0
        self.whole_at = time.monotonic()
        self._asked: tuple[float, int] | None = None
        self._last: Any = None
        self._confirmed = True

    def resume(self, first: int, end: int, lagged_seconds_max: float) -> int:
        """Where to read on in a log from `first` to `end`: at the last record applied, which must come again.

        Raises LogChangedError. Compaction may remove what deletes a key, but only some time after it was written: a
        copy that has not been whole for longer might keep what is deleted.
        """
        lagged = time.monotonic() - self.whole_at
        if lagged > lagged_seconds_max:
            raise LogChangedError(f"it has lacked records for {lagged:.0f} s, of which some may be compacted away")
        if first != self.first:
            raise LogChangedError(f"the log began at offset {self.first} and begins at {first} now")
        if self._last is None:
            return first
        if end <= self._last.offset:
            raise LogChangedError(f"the log ends at offset {end}, and {self._last.offset} was read before")
        self._confirmed = False
        return int(self._last.offset)

    def apply(self, records: Sequence[Any]) -> None:
        """Apply records in their order. Raises LogChangedError, or UnreadableStateError: then it is of no use."""
        if not self._confirmed:
            again, last, records = records[0], self._last, records[1:]
            if (again.offset, again.timestamp, again.key, again.value) != (
                last.offset,
                last.timestamp,
                last.key,
                last.value,
            ):
                raise LogChangedError(f"the record at offset {last.offset}, the last one read, is not there any more")
            self._confirmed = True
        if records:
            self.state.restore(records)
            self.records += len(records)
            self._last = records[-1]

    def reached(self, position: int, end: int, asked: float) -> None:
        """Take note that the log has been read to `position`, and ended at `end` when that was asked.

        What was committed at an earlier question is whole as of then, even if the log has grown on since: a copy that
        is always a moment behind lacks nothing for long.
        """
        self.lag = max(0, end - position)
        if self._asked is None or self._asked[1] > end:
            self._asked = asked, end
        when, until = self._asked
        if position >= until:
            self.whole_at, self._asked = when, None

    def confirm(self, position: int) -> None:
        """The log has been read to `position`. Raises LogChangedError when the last record should have come again."""
        if not self._confirmed and position > self._last.offset:
            raise LogChangedError(f"nothing is left at offset {self._last.offset}, of the last record read, and after")


class Restored(NamedTuple):
    """State as the last committed transaction left it, and what it took to read it. warm: records of a copy of it."""

    state: TaskState
    records: int
    seconds: float
    warm: int = 0


async def restore(
    settings: Settings, topic: str, partition: int, remaining: Callable[[int], None], copy: Copy | None = None
) -> Restored:
    """Read a changelog partition up to where it ends now; tell `remaining` how many offsets are left.

    Call it after the former owner is fenced: then nobody writes there any more, and its last transaction is
    settled. Of a copy, which nobody else may change any more, only the rest is read, if it can be used. Raises
    PositionOutsideLogError and OpenTransactionError when not all of the state is there.
    """
    started = time.monotonic()
    where = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        client_id=f"{settings.app_id}-restore-{partition}",
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",  # what is gone before it was read is an error, never a silent jump
        max_partition_fetch_bytes=settings.restore_fetch_bytes_max,
        fetch_max_bytes=settings.restore_fetch_bytes_max,
        fetch_max_wait_ms=settings.fetch_wait_milliseconds_max,
    )
    try:
        await consumer.start()
        first, end = await bounds(settings, consumer, where)
        consumer.assign([where])
        warm = 0 if copy is None else copy.records
        if copy is not None:
            try:
                position = copy.resume(first, end, settings.standby_lagged_milliseconds_max / 1000)
                await _read(consumer, copy, position, end, settings.restore_records_step, remaining)
            except LogChangedError as error:
                log.warning("task %d: its warm copy is not used, all is restored: %s", partition, error)
                copy = None
        if copy is None:
            warm, copy = 0, Copy(first)
            await _read(consumer, copy, first, end, settings.restore_records_step, remaining)
        if not copy.records:
            await require_no_past(settings, consumer, where)
    finally:
        await consumer.stop()
    copy.state.restored()
    remaining(0)
    return Restored(copy.state, copy.records - warm, time.monotonic() - started, warm)


async def _read(
    consumer: AIOKafkaConsumer, copy: Copy, position: int, end: int, step: int, remaining: Callable[[int], None]
) -> None:
    """Read to the end. It is judged by the position, because transaction markers and compaction leave holes."""
    (where,) = consumer.assignment()
    consumer.seek(where, position)
    while (position := await consumer.position(where)) < end:
        remaining(end - position)
        for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=step)).values():
            failpoints.reach("restoring")
            copy.apply(records)
        await asyncio.sleep(0)
    copy.confirm(position)
