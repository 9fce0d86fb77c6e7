"""What leaves with a transaction, built into batches as it is decided, a batch at a time for each partition."""

from __future__ import annotations

import functools
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka.partitioner import murmur2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka.producer.message_accumulator import BatchBuilder

    from ...agents.outbox import OutputRecord

KEYS_REMEMBERED_MAX: Final = 65_536

Changes = list[list[tuple[bytes, bytes | None]]]
_NO_HEADERS: Final[list[tuple[str, bytes]]] = []


class Batch(NamedTuple):
    """wave: how many batches go before it to the same partition."""

    wave: int
    topic: str
    partition: int
    builder: BatchBuilder


class Destination(NamedTuple):
    """own_partition: its records stay in the task's partition; else each goes where its key hashes to."""

    topic: str
    own_partition: bool


class Outgoing:
    """The outbox of one transaction of one task. Used once.

    add() takes output records, close() the state changes and gives all batches. counts: output records by stream.
    """

    def __init__(
        self,
        create_batch: Callable[[], BatchBuilder],
        outputs: Mapping[str, Destination],
        changelog: str,
        partition: int,
        partitions: int,
    ) -> None:
        """Write to `outputs` by stream, and to the task's partition of the changelog."""
        self._create: Final = create_batch
        self._outputs: Final = outputs
        self._changelog: Final = changelog
        self._partition: Final = partition
        self._partitions: Final = partitions
        self._open: Final[dict[tuple[str, int], Batch]] = {}
        self._full: Final[list[Batch]] = []
        self.counts: Final[Counter[str]] = Counter()

    def add(self, stream: str, records: Iterable[OutputRecord]) -> None:
        """Append records of an output stream to its batches."""
        topic, own = self._outputs[stream]
        listed = records if isinstance(records, list) else list(records)
        self.counts[stream] += len(listed)
        if own:
            self._append(topic, self._partition, listed)
            return
        placed: dict[int, list[OutputRecord]] = defaultdict(list)
        for record in listed:
            placed[partition_of(record[0] or b"", self._partitions)].append(record)
        for partition, there in placed.items():
            self._append(topic, partition, there)

    def close(self, changes: Changes) -> list[Batch]:
        """Append the state changes and close every batch."""
        state = [(key, value, _NO_HEADERS) for table in changes for key, value in table]
        self._append(self._changelog, self._partition, state)
        batches = [*self._full, *(batch for batch in self._open.values() if batch.builder.record_count())]
        for batch in batches:
            batch.builder.close()
        return batches

    def _append(self, topic: str, partition: int, records: Sequence[OutputRecord]) -> None:
        """Fill the partition's open batch; a full one starts the next."""
        where = topic, partition
        batch = self._open.get(where)
        if batch is None:
            batch = self._open[where] = Batch(0, topic, partition, self._create())
        rest = _fill(batch.builder, records, 0)
        while rest < len(records):
            self._full.append(batch)
            batch = self._open[where] = Batch(batch.wave + 1, topic, partition, self._create())
            # Into an empty batch one record always fits, whatever its size; the broker judges it.
            rest = _fill(batch.builder, records, rest)


def _fill(batch: BatchBuilder, records: Sequence[OutputRecord], start: int) -> int:
    """Append records from `start` on; returns the index of the first that found no room.

    Goes past BatchBuilder.append, whose work for each record is to call serializers that we do not have.
    """
    append: Any = batch._builder.append  # noqa: SLF001 - see above; the next line and the last keep its one count
    offset = batch._relative_offset  # noqa: SLF001
    now = int(time.time() * 1000)
    at = start
    for key, value, given in records[start:] if start else records:
        headers = given if type(given) is list else list(given)  # the builder takes nothing but a list
        if append(offset, now, key, value, headers) is None:
            break
        offset += 1
        at += 1
    batch._relative_offset = offset  # noqa: SLF001
    return at


@functools.lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key: murmur2, as Java's default partitioner; remembered, since aiokafka's is plain Python."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
