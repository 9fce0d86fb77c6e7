"""Replay: the same records through the same rules, in memory, and the events compared with those on the topics.

From the topics the audit gives the order in which each task met its inputs, and which reference data it knew then; so
the same events must come out, id by id and byte by byte. A file has no such order: its lines are taken as they stand.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...agents import wake
from ...agents.keys import record_key
from ...codecs import audit
from ...tables.keys import SEPARATOR
from ...tables.reference import Reference
from ..memory import APPLIES, REFERENCE, Memory, Read, take_in
from ..runtime.outgoing import partition_of
from ..topology import TOPOLOGY
from .reading import opened
from .verification import AUDIT, EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...agents.outbox import OutputRecord
    from ...agents.work import Record
    from ...codecs.audit import AuditRecord, AuditRow
    from ..settings import Settings

REFERENCES: Final = tuple(stream.name for stream in TOPOLOGY.references)
INPUTS: Final = tuple(stream.name for stream in TOPOLOGY.inputs if stream.role == "input")


class Difference(NamedTuple):
    """An event that is not on both sides, or whose bytes differ. id is empty for an input that is gone."""

    stream: str
    partition: int
    id: str
    problem: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.stream} partition {self.partition}{f', {self.id}' if self.id else ''}: {self.problem}"


class Told:
    """One task done again in the order the audit tells.

    told: ids of the events the audit tells of; gone: inputs that the log no longer holds.
    """

    def __init__(
        self, partition: int, inputs: Mapping[str, Sequence[Record]], known: Mapping[str, Sequence[Record]]
    ) -> None:
        """Take the task's inputs by stream, and the reference streams whole."""
        self.memory: Final = Memory(partition)
        self.told: Final[set[str]] = set()
        self.gone: Final[list[Difference]] = []
        self._inputs: Final = {name: {one.offset: one for one in records} for name, records in inputs.items()}
        self._known: Final = {name: list(reversed(records)) for name, records in known.items()}
        self._done: Final[defaultdict[str, int]] = defaultdict(lambda: audit.NO_OFFSET)

    def take(self, record: AuditRecord) -> None:
        """Do what one audit record tells of, knowing what was known then."""
        self.told.update(name for row in record.rows for name in row.events)
        for stream, offset in record.reference.items():
            self._learn(stream, offset)
        if record.stream == REFERENCE:
            self.memory.settle([self._woken(row) for row in record.rows])
            return
        records = []
        for row in record.rows:
            if row.offset <= self._done[record.stream]:
                continue  # A row with many events goes on in the next audit record.
            self._done[record.stream] = row.offset
            found = self._inputs[record.stream].get(row.offset)
            if found is None:
                problem = f"the topic no longer keeps offset {row.offset}, which the audit tells of"
                self.gone.append(Difference(record.stream, self.memory.partition, "", problem))
            else:
                records.append(found)
        if records:
            self.memory.apply(record.stream, records)

    def react(self) -> None:
        """React to all reference data there is, as a task that opens again does. No event comes of it.

        Only plans may be costed anew, as they were when the data came: of that the audit, which tells of events, has
        no place.
        """
        for stream, left in self._known.items():
            if left:
                self._learn(stream, left[0].offset + 1)
        self.memory.settle(wake.waiting(self.memory.state, None))

    def _woken(self, row: AuditRow) -> bytes:
        """What a wake has settled: a hold, or an entry or plan that nothing holds and that is priced anew."""
        key, state = _hold_key(row), self.memory.state
        if state.holds.get(key) is not None:
            return key
        return (state.assignments if row.kind == "assignment" else state.entries).tag.encode() + key[1:]

    def _learn(self, stream: str, offset: int) -> None:
        """Take in reference records up to an offset."""
        left = self._known.get(stream, [])
        new = []
        while left and left[-1].offset < offset:
            new.append(left.pop())
        if new:
            take_in(self.memory.reference, stream, new)


def given(records: Iterable[tuple[str, OutputRecord]], partitions: int) -> list[Memory]:
    """Do the records of a file, one by one as they stand: a task for each partition, reference data for all."""
    known = Reference()
    tasks = [Memory(partition, known) for partition in range(partitions)]
    offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
    for stream, (key, value, headers) in records:
        inputs = stream in APPLIES
        partition = partition_of(key or b"", partitions) if inputs else 0
        read = Read(stream, partition, offsets[stream, partition], 0, key, value, tuple(headers))
        offsets[stream, partition] += 1
        if inputs:
            tasks[partition].apply(stream, [read])
            continue
        change = take_in(known, stream, [read])
        for task in tasks:
            task.settle(wake.waiting(task.state, change.wakes))
    return tasks


def compare(task: Memory, found: Mapping[str, Sequence[Any]], told: set[str] | None = None) -> list[Difference]:
    """Events of a task that are not on the topics, are there and did not come out, or are not the same bytes.

    told: with it only these ids count on the topics; what workers have written since the audit was read does not,
    and what the audit does not tell of is for verify to find.
    """
    differences = []
    for stream in EVENTS:
        mine, theirs = _by_id(task.left[stream]), _by_id(found.get(stream, ()))
        for name in mine.keys() | (theirs.keys() if told is None else theirs.keys() & told):
            problem = _difference(mine.get(name, []), theirs.get(name, []))
            if problem:
                differences.append(Difference(stream, task.partition, name, problem))
    return sorted(differences)


async def from_topics(settings: Settings) -> tuple[int, list[Difference]]:
    """Replay every task from the topics: how many events came out, and every difference. A partition at a time."""
    known = await _read(settings, REFERENCES, 0)
    events, differences = 0, []
    for partition in range(settings.partitions):
        told = await _read(settings, (AUDIT,), partition)  # first: what comes later is not replayed
        found = await _read(settings, (*INPUTS, *EVENTS), partition)
        again = Told(partition, found, known)
        for record in told[AUDIT]:
            again.take(audit.decode(record.value))
        events += sum(len(again.memory.left[stream]) for stream in EVENTS)
        differences += [*again.gone, *compare(again.memory, found, again.told)]
    return events, differences


async def with_topics(settings: Settings, tasks: Iterable[Memory]) -> list[Difference]:
    """Compare tasks that are done with the topics as they are now."""
    differences = []
    for task in tasks:
        differences += compare(task, await _read(settings, EVENTS, task.partition))
    return differences


async def _read(settings: Settings, streams: Iterable[str], partition: int) -> dict[str, list[Record]]:
    """One partition of some streams, whole."""
    found: dict[str, list[Record]] = {stream: [] for stream in streams}
    async with opened(settings, found, partition) as topics:
        async for batch in topics.to_end():
            found[batch.stream] += batch.records
    return found


def _hold_key(row: AuditRow) -> bytes:
    """The hold that a wake has settled."""
    if row.kind == "engagement":
        return f"hterms{SEPARATOR}{row.id}".encode()
    return record_key("h", row.kind, row.source, row.engagement_id, row.id)


def _by_id(records: Iterable[Any]) -> dict[str, list[bytes]]:
    """Values of events by id; one that came twice is there twice."""
    found: dict[str, list[bytes]] = {}
    for record in records:
        value = record.value or b""
        found.setdefault(msgspec.json.decode(value)["id"], []).append(value)
    return found


def _difference(mine: list[bytes], theirs: list[bytes]) -> str:
    """What is not the same between what came out and what the topic holds; empty when nothing is."""
    if not theirs:
        return "it comes out again and is not on the topic"
    if not mine:
        return "it is on the topic and does not come out again"
    if len(mine) != len(theirs):
        return f"it comes out {len(mine)} times and is on the topic {len(theirs)} times"
    for one, other in zip(mine, theirs, strict=True):
        if one != other:
            again, there = msgspec.json.decode(one), msgspec.json.decode(other)
            names = [name for name in {**there, **again} if again.get(name) != there.get(name)]
            parts = [f"{name} is {again.get(name)!r}, on the topic {there.get(name)!r}" for name in names]
            return "; ".join(parts) or "the bytes differ, the values do not"
    return ""
