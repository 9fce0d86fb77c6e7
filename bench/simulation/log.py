"""The log in memory: topics with offsets, transactions that commit whole or not at all, owners that are fenced.

As a read-committed reader sees Kafka: what is committed, in one order per partition, with holes where markers and
aborted records stand. Who begins a new life of a task fences every earlier one and settles its open transaction.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import ProducerFenced

from billtide.app.memory import Read

if TYPE_CHECKING:
    from collections.abc import Sequence

_offset = attrgetter("offset")

Place = tuple[str, int]
"""A topic and a partition."""


class Written(NamedTuple):
    """A record on its way into the log."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Log:
    """All partitions, and for each task the number of its latest life and its open transaction."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[Place, list[Read]] = {}
        self._ends: dict[Place, int] = {}
        self._lives: dict[int, int] = {}
        self._open: dict[int, list[Written]] = {}
        self.fenced = 0

    def records(self, topic: str, partition: int) -> list[Read]:
        """Every record of a partition that is not compacted away."""
        return self._records.setdefault((topic, partition), [])

    def end(self, topic: str, partition: int) -> int:
        """Offset after the last record or marker."""
        return self._ends.get((topic, partition), 0)

    def follows(self, topic: str, partition: int) -> int:
        """Offset after the last record, markers left out: how far a task can come."""
        there = self.records(topic, partition)
        return there[-1].offset + 1 if there else 0

    def read(self, where: Place, offset: int, most: int) -> tuple[Sequence[Read], int]:
        """Records from an offset on, and where the next read begins."""
        there = self.records(*where)
        at = bisect_left(there, offset, key=_offset)
        found = there[at : at + most]
        last = at + most >= len(there)
        return found, self.end(*where) if last or not found else found[-1].offset + 1

    def append(self, written: Written, timestamp: int = 0) -> None:
        """Put one record at the end of its partition."""
        where = written.topic, written.partition
        offset = self._ends.get(where, 0)
        self._ends[where] = offset + 1
        self.records(*where).append(Read(*where, offset, timestamp, *written[2:]))

    def compact(self, topic: str, partition: int) -> None:
        """Keep the latest record of each key; offsets stay as they are."""
        latest = {record.key: record for record in self.records(topic, partition)}
        kept = sorted(latest.values(), key=_offset)
        self._records[topic, partition] = kept

    def fence(self, task: int) -> int:
        """Begin a new life of a task: earlier ones can write no more, and their open transaction is aborted."""
        self.abort(task, self._lives.get(task, 0))
        self._lives[task] = self._lives.get(task, 0) + 1
        return self._lives[task]

    def check(self, task: int, life: int) -> None:
        """Refuse an earlier life; raises ProducerFenced."""
        if self._lives[task] != life:
            self.fenced += 1
            raise ProducerFenced

    def begin(self, task: int, life: int, records: list[Written]) -> None:
        """Take the records of a transaction that nobody sees yet."""
        self.check(task, life)
        self._open[task] = records

    def commit(self, task: int, life: int) -> None:
        """Make the open transaction visible, whole."""
        self.check(task, life)
        records = self._open.pop(task)
        for record in records:
            self.append(record)
        self._mark(records)

    def abort(self, task: int, life: int) -> None:
        """Throw the open transaction of a life away; its records leave holes."""
        if self._lives.get(task, 0) != life or task not in self._open:
            return
        records = self._open.pop(task)
        for record in records:
            self._ends[record[:2]] = self._ends.get(record[:2], 0) + 1
        self._mark(records)

    def is_open(self, task: int, life: int) -> bool:
        """Whether a life of a task has a transaction that is neither committed nor aborted."""
        return self._lives.get(task) == life and task in self._open

    def _mark(self, records: list[Written]) -> None:
        for where in {record[:2]: None for record in records}:
            self._ends[where] = self._ends.get(where, 0) + 1
