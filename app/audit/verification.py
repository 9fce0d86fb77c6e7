"""Verify: the audit chain of every task is whole, tells of exactly the events on the topics, and these balance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ...codecs.records import ChainHead
from ...tables.state import CHAIN_KEY, TaskState
from .balance import FIGURES, JOURNALS, Balance
from .chain import Chain
from .reading import opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...agents.work import Record
    from ..settings import Settings

AUDIT: Final = "audit"
EVENTS: Final = ("billing", "accruals", "revenue", "exceptions")
"""Streams whose events the audit tells of."""
CHANGELOG: Final = "state-changelog"


class Place(NamedTuple):
    """Where a record stands: stream, partition, offset. Offset -1 is the end."""

    stream: str
    partition: int
    offset: int


class Problem(NamedTuple):
    """What is wrong at a place."""

    place: Place
    problem: str

    def __str__(self) -> str:
        """One line for people."""
        stream, partition, offset = self.place
        where = "at its end" if offset < 0 else f"offset {offset}"
        return f"{stream} partition {partition} {where}: {self.problem}"


class _Named(msgspec.Struct, gc=False):
    """What is read of an event: its id."""

    id: str


class _Open(msgspec.Struct, gc=False):
    """An id that is not on both sides. surplus: times told less times found; early: seen in the first reading."""

    surplus: int
    place: Place
    early: bool


@dataclass(slots=True)
class Verification:
    """Takes records in any mixture of partitions, each partition's in order.

    heads: ends of the chains that the states told of before the audit was read. While workers go on, read twice: what
    was read `early` and has found no match by the end of the second reading is a difference, the rest is on its way.
    """

    heads: Mapping[int, ChainHead]
    early: bool = True
    records: int = 0
    rows: int = 0
    events: int = 0
    balance: Balance = field(default_factory=Balance)
    broken: list[Problem] = field(default_factory=list)
    _chains: dict[int, Chain] = field(default_factory=dict)
    _open: dict[str, _Open] = field(default_factory=dict)

    def take(self, stream: str, partition: int, records: Iterable[Record]) -> None:
        """Read records of one partition of the audit, of an event stream, or of the figures."""
        for record in records:
            place = Place(stream, partition, record.offset)
            if stream == AUDIT:
                self._take_audit(place, record)
            elif stream == FIGURES:
                self._found(place, self.balance.take_figures(partition, record))
            else:
                readable = self._take_event(place, record)
                if readable and stream in JOURNALS:
                    self._found(place, self.balance.take_journal(record))

    def problems(self) -> list[Problem]:
        """Everything found, once all is read: broken records, ends, events without their match, then imbalances."""
        ends = [
            Problem(Place(AUDIT, task, -1), problem)
            for task in sorted(self.heads.keys() | self._chains.keys())
            for problem in self._chain(task).end()
        ]
        differences = [Problem(one.place, _difference(name, one)) for name, one in self._open.items() if one.early]
        imbalances = [Problem(Place(FIGURES, at, offset), what) for at, offset, what in self.balance.imbalances()]
        return [*self.broken, *ends, *sorted(differences), *imbalances]

    def _found(self, place: Place, problem: str) -> None:
        if problem:
            self.broken.append(Problem(place, problem))

    def _take_audit(self, place: Place, record: Record) -> None:
        read, problems = self._chain(place.partition).take(record)
        self.records += 1
        self.broken += [Problem(place, problem) for problem in problems]
        if read is None:
            return
        self.rows += len(read.rows)
        for row in read.rows:
            for name in row.events:
                self._count(name, 1, place)

    def _take_event(self, place: Place, record: Record) -> bool:
        self.events += 1
        try:
            name = _named(record.value or b"").id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.broken.append(Problem(place, f"no event can be read: {error}"))
            return False
        self._count(name, -1, place)
        return True

    def _count(self, name: str, change: int, place: Place) -> None:
        known = self._open.get(name)
        if known is None:
            self._open[name] = _Open(change, place, self.early)
        elif known.surplus + change:
            known.surplus += change
        else:
            del self._open[name]

    def _chain(self, task: int) -> Chain:
        chain = self._chains.get(task)
        if chain is None:
            chain = self._chains[task] = Chain(task, self.heads.get(task))
        return chain


_named: Final = msgspec.json.Decoder(_Named).decode


def _difference(name: str, one: _Open) -> str:
    times = f" {abs(one.surplus)} times" if abs(one.surplus) > 1 else ""
    if one.surplus > 0:
        return f"event {name} is told here{times} and is on no topic"
    return f"event {name} stands here{times} and the audit does not tell of it"


async def verify(settings: Settings) -> Verification:
    """Read the ends of the chains, then audit, events and figures twice."""
    found = Verification(await _heads(settings))
    async with opened(settings, (AUDIT, *EVENTS, FIGURES)) as topics:
        for early in (True, False):
            found.early = early
            async for batch in topics.to_end():
                found.take(*batch)
            found.balance.compare()
    return found


async def _heads(settings: Settings) -> dict[int, ChainHead]:
    """The end of each task's chain, as its state has it now."""
    decode = TaskState().audit.decode
    heads = {}
    async with opened(settings, (CHANGELOG,)) as topics:
        async for batch in topics.to_end():
            for record in batch.records:
                if record.key == CHAIN_KEY and record.value is not None:
                    heads[batch.partition] = decode(record.value)
    return heads
