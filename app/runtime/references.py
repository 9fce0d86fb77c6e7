"""Reference data as broadcast state: every worker reads these topics whole, once, for all its tasks.

One consumer without a group reads from the start to the end, then follows. A task becomes active only after the end
was reached, so that nothing is held for a rate that has long been there, nor decided with less than was known before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...agents.work import Record
    from ...codecs.errors import UndecodableError
    from .shared import Shared

log = logging.getLogger(__name__)

POLL_MILLISECONDS: Final = 1_000
RECORDS_STEP: Final = 5_000
"""Records applied before other work may run."""


class References:
    """offsets: next offset of each reference stream; what lies below is in `Shared.reference`.

    undecodable: records nobody understood, kept until task 0, here or elsewhere, puts them aside.
    """

    def __init__(self, shared: Shared) -> None:
        """Know the streams; follow() reads them."""
        self._shared: Final = shared
        self.offsets: Final = shared.reference.offsets
        self.offsets.update({stream.name: 0 for stream in shared.topology.references})
        self.undecodable: Final[deque[tuple[str, tuple[Record, UndecodableError]]]] = deque()
        self.ready: Final = asyncio.Event()
        self.problem = ""
        self._failures = 0
        self._consumer: AIOKafkaConsumer | None = None
        self._moved: Final = asyncio.Event()
        topic = shared.settings.topic
        self._streams: Final = {TopicPartition(topic(name), 0): name for name in self.offsets}

    async def caught_up(self) -> None:
        """Wait until all is applied that is committed now; raises what Kafka says when it cannot be asked.

        Whoever goes on with a task must not know less than its former owner did: what is posted, and what the audit
        tells of it, would go back behind what was known before.
        """
        await self.ready.wait()
        ends = await self._ends()
        while any(self.offsets[name] < end for name, end in ends.items()):
            self._moved.clear()
            await self._moved.wait()

    async def _ends(self) -> dict[str, int]:
        """Where the streams end now, for readers of what is committed."""
        if self._consumer is None:
            raise KafkaConnectionError(self.problem)
        ends = await self._consumer.end_offsets(list(self._streams))
        return {name: ends[where] for where, name in self._streams.items()}

    async def follow(self, changed: Callable[[set[str]], None]) -> None:
        """Read for ever; tell `changed` what may be released. A lost connection is made again from where it was."""
        while True:
            try:
                await self._read(changed)
            except Exception as error:
                self._failures += 1
                self.problem = f"reference data cannot be read: {error!r}"
                log.warning("%s; tried again", self.problem, exc_info=error)
                await asyncio.sleep(self._shared.pause_seconds(self._failures))

    async def _read(self, changed: Callable[[set[str]], None]) -> None:
        settings = self._shared.settings
        consumer = AIOKafkaConsumer(
            **settings.connection(),
            client_id=f"{settings.app_id}-reference",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # compacted topics: a removed offset has a later value
            max_partition_fetch_bytes=settings.fetch_bytes_max,
        )
        try:
            await consumer.start()
            consumer.assign(list(self._streams))
            for where, name in self._streams.items():
                consumer.seek(where, self.offsets[name])
            ends = await consumer.end_offsets(list(self._streams))
            self.problem, self._consumer, self._failures = "", consumer, 0
            while True:
                await self._catch_up(consumer, ends)
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_STEP)
                for where, records in batches.items():
                    self._apply(self._streams[where], records, changed)
        finally:
            self._consumer = None
            await consumer.stop()

    async def _catch_up(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        """Be ready once every position has reached the end as it was at the start, markers and holes included."""
        for where, name in self._streams.items():
            self.offsets[name] = max(self.offsets[name], await consumer.position(where))
        if not self.ready.is_set() and all(self.offsets[self._streams[where]] >= ends[where] for where in ends):
            log.info("reference data read: %s", self.offsets)
            self.ready.set()
        self._moved.set()

    def _apply(self, stream: str, records: list[Any], changed: Callable[[set[str]], None]) -> None:
        """Apply and tell in one step, so that no task sees new data without the wake that belongs to it."""
        change = self._shared.actors.apply_reference(self._shared.reference, stream, records)
        self.undecodable.extend((stream, letter) for letter in change.undecodable)
        while len(self.undecodable) > self._shared.settings.undecodable_references_max:
            lost_stream, (lost, _) = self.undecodable.popleft()
            log.error("undecodable record of %s at offset %d not kept; mend its producer", lost_stream, lost.offset)
        self.offsets[stream] = records[-1].offset + 1
        self._shared.metrics.referenced(stream, len(records), len(change.undecodable))
        changed(set(change.wakes))
        self._moved.set()
