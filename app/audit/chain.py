"""The audit chain of one task, checked record by record: each hash, each sequence, and where the chain must end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...codecs import audit, cloudevents
from ...codecs.errors import UndecodableError
from ...codecs.records import ChainHead

if TYPE_CHECKING:
    from ...agents.work import Record
    from ...codecs.audit import AuditRecord

GUESSES_MAX: Final = 4
"""Hashes the next record is tried with after a broken one."""
HASH_END: Final = 66
"""Characters from the start of the hash to the end of a value."""
EMPTY: Final = ChainHead(0, audit.GENESIS)
"""Where the chain of a task ends that has written nothing."""


class Chain:
    """Takes the audit records of a task in the order of their offsets.

    One changed byte is told of the one record that holds it: the records after it are checked against what it says
    of itself, and against what its bytes come to, so that a changed hash and changed content are both met once.
    """

    def __init__(self, task: int, head: ChainHead | None = None) -> None:
        """Begin at the start of the chain. head: an end that the task's state has told of; it must be come by."""
        self.task: Final = task
        self._head: Final = head or EMPTY
        self._met = self._head == EMPTY
        self._sequences = {0}
        self._hashes = [audit.GENESIS]

    def take(self, record: Record) -> tuple[AuditRecord | None, list[str]]:
        """Read the next record; returns it, unless it cannot be read, and a sentence for each thing that is wrong."""
        value = record.value or b""
        found = [audit.hash_of(value, before) for before in self._hashes]
        whole = [digest for digest, right in found if right]
        try:
            decoded = audit.decode(value)
        except UndecodableError as error:
            read, problems = None, [f"it cannot be read: {error}"]
        else:
            read, problems = decoded, self._contradictions(decoded, record)
        if not whole:
            problems.append("its hash is not that of its bytes and the record before: one of them was changed")
        self._hashes = whole or [*_told(value), *(digest for digest, _ in found)][:GUESSES_MAX]
        self._sequences = {sequence + 1 for sequence in self._sequences} if not whole else set()
        if read is not None:
            self._sequences.add(read.sequence + 1)
        self._met = self._met or (self._head.sequence in self._sequences and self._head.hash in self._hashes)
        return read, problems

    def end(self) -> list[str]:
        """What is wrong with where the chain has ended."""
        came_to, told = max(self._sequences), self._head.sequence
        if self._met:
            return []
        if came_to < told:
            return [
                f"its last {told - came_to} are missing: it ends after {came_to} records, the state has seen {told}"
            ]
        return [f"after {told} records it has another hash than the state has kept"]

    def _contradictions(self, read: AuditRecord, record: Record) -> list[str]:
        """What of a record's place, key and headers is not what its value says."""
        problems = []
        if read.sequence not in self._sequences:
            problems.append(f"it has sequence {read.sequence}, {min(self._sequences)} must come here")
        if read.task != self.task:
            problems.append(f"it is of task {read.task}")
        wanted = cloudevents.headers(audit.TYPE, audit.event_id(read.task, read.sequence))
        if record.key != str(read.task).encode() or list(record.headers) != wanted:
            problems.append("its key or headers are not those of its value")
        return problems


def _told(value: bytes) -> list[bytes]:
    """The hash a record gives itself, also where the rest of it cannot be read."""
    try:
        return [bytes.fromhex(value[-HASH_END:-2].decode())]
    except ValueError:
        return []
