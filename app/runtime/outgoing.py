"""What leaves with a transaction, built into batches as it is decided, a batch at a time for each partition."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.partitioner import murmur2

from .record_batch import RecordBatch, around_id, before_last

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...agents.outbox import OutputEvent, OutputRecord
    from .record_batch import Record

KEYS_REMEMBERED_MAX: Final = 65_536

Changes = list[list[tuple[bytes, bytes | None]]]


class Batch(NamedTuple):
    """wave: how many batches go before it to the same partition."""

    wave: int
    topic: str
    partition: int
    records: RecordBatch


class Destination(NamedTuple):
    """own_partition: its records stay in the task's partition; else each goes where its key hashes to."""

    topic: str
    own_partition: bool


class Outgoing:
    """The outbox of one transaction of one task. Used once.

    close() takes the state changes and gives all batches. counts: output records by stream.
    """

    def __init__(
        self, outputs: Mapping[str, Destination], changelog: str, partition: int, partitions: int, batch_bytes_max: int
    ) -> None:
        """Write to `outputs` by stream, and to the task's partition of the changelog."""
        self._outputs: Final = outputs
        self._changelog: Final = changelog
        self._partition: Final = partition
        self._partitions: Final = partitions
        self._batch_bytes_max: Final = batch_bytes_max
        self._open: Final[dict[tuple[str, int], Batch]] = {}
        self._full: Final[list[Batch]] = []
        self.counts: Final[Counter[str]] = Counter()

    def add(self, stream: str, event_type: str, events: Sequence[OutputEvent]) -> None:
        """Append events of an output stream to its batches."""
        before, after = around_id(event_type)
        self._place(stream, events, before, after)

    def add_record(self, stream: str, record: OutputRecord) -> None:
        """Append a record with headers of its own."""
        key, value, headers = record
        before, last = before_last(headers)
        self._place(stream, [(last, key, value)], before, b"")

    def close(self, changes: Changes) -> list[Batch]:
        """Append the state changes and close every batch."""
        state = [(b"", key, value) for table in changes for key, value in table]
        self._append(self._changelog, self._partition, state, b"", b"")
        batches = [*self._full, *self._open.values()]
        for batch in batches:
            batch.records.close()
        return batches

    def _place(self, stream: str, records: Sequence[Record], before: bytes, after: bytes) -> None:
        """Append records where they belong: to the task's own partition, or each to that of its key."""
        topic, own = self._outputs[stream]
        self.counts[stream] += len(records)
        if own:
            self._append(topic, self._partition, records, before, after)
            return
        placed: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            placed[partition_of(record[1] or b"", self._partitions)].append(record)
        for partition, there in placed.items():
            self._append(topic, partition, there, before, after)

    def _append(self, topic: str, partition: int, records: Sequence[Record], before: bytes, after: bytes) -> None:
        """Fill the partition's open batch; a full one starts the next."""
        where = topic, partition
        batch = self._open.get(where)
        rest = 0 if batch is None else batch.records.fill(records, before, after)
        while rest < len(records):
            if batch is not None:
                batch.records.close()
                self._full.append(batch)
            wave = 0 if batch is None else batch.wave + 1
            batch = self._open[where] = Batch(wave, topic, partition, RecordBatch(self._batch_bytes_max))
            rest = batch.records.fill(records, before, after, rest)


@functools.lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key: murmur2, as Java's default partitioner; remembered, since aiokafka's is plain Python."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
