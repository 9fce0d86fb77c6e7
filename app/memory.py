"""A partition task without Kafka: the same agents, rules and tables, and what leaves them kept by stream."""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ..agents import reference, shell, wake
from ..agents.context import Contexts
from ..agents.outbox import Kept
from ..agents.work import Work
from ..tables.reference import Reference
from ..tables.state import TaskState
from .topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..agents.work import Apply

REFERENCE: Final = "reference"
"""What a unit of work is called that applies no records of an input."""


class Read(NamedTuple):
    """A record as a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def _applies() -> dict[str, Apply]:
    """What each input's agent does with one record."""
    package = reference.__name__.rpartition(".")[0]
    return {stream.name: importlib.import_module(f"{package}.{stream.agent}").apply for stream in TOPOLOGY.inputs}


APPLIES: Final = _applies()


class Memory:
    """Task `partition`. Each call is one transaction. left: all that left it by stream; reference may be shared.

    Records are as a consumer hands them over, or a Read.
    """

    def __init__(self, partition: int = 0, known: Reference | None = None, state: TaskState | None = None) -> None:
        """Begin with a state that was restored, or an empty one; with reference data that others take in, or none."""
        self.partition: Final = partition
        self.state = TaskState() if state is None else state
        self.reference: Final = Reference() if known is None else known
        self.contexts = Contexts()
        self.left: Final[defaultdict[str, list[Read]]] = defaultdict(list)
        self.outcomes: Final[Counter[str]] = Counter()

    def apply(self, stream: str, records: Sequence[Any]) -> None:
        """Take in records of an input, as one slab."""
        work = self._work(stream, records)
        shell.apply_all(work, APPLIES[stream])
        self.outcomes.update(work.outcomes)
        self._commit(work)

    def refer(self, stream: str, records: Sequence[Any]) -> None:
        """Take in reference records, and settle what waited for them."""
        change = take_in(self.reference, stream, records)
        work = self._work(REFERENCE, ())
        wake.wake(work, wake.waiting(self.state, change.wakes))
        for record, error in change.undecodable:
            work.dead_letter(record, error, (stream, 0))
        self._commit(work)

    def settle(self, hold_keys: list[bytes]) -> None:
        """Settle what stands behind these holds, as a wake does."""
        work = self._work(REFERENCE, ())
        wake.wake(work, hold_keys)
        self._commit(work)

    def restart(self) -> None:
        """Forget everything but what the changelog would bring back."""
        tables, self.state, self.contexts = self.state.tables, TaskState(), Contexts()
        for known, table in zip(tables, self.state.tables, strict=True):
            table.bytes.update(known.bytes)
        self.state.restored()

    def _work(self, stream: str, records: Sequence[Any]) -> Work:
        place = stream, self.partition
        return Work(stream, records, self.state, self.reference, self.contexts, Kept(), place)

    def _commit(self, work: Work) -> None:
        work.finish()
        self.state.commit(self.state.changes())
        for stream, records in cast("Kept", work.outbox).items():
            there = self.left[stream]
            for key, value, headers in records:
                there.append(Read(stream, self.partition, len(there), 0, key, value, tuple(headers)))


def take_in(known: Reference, stream: str, records: Sequence[Any]) -> reference.ReferenceChange:
    """Apply records of a reference stream, and keep how far it is read."""
    change = reference.apply_reference(known, stream, records)
    known.offsets[stream] = records[-1].offset + 1
    return change
