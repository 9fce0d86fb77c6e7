"""All tables of one task, their changelog as one stream of records, and the index of holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from ..codecs.audit import GENESIS
from ..codecs.entry_state import Approvals
from ..codecs.receivable_state import InvoicedLine, InvoiceState, PaymentState
from ..codecs.records import AssignmentState, ChainHead, Cursor, EngagementState, Position, WeekState
from .entries import Entries
from .holds import Holds
from .table import MEND, READABLE, Table, UnknownVersionError, UnreadableStateError, unknown_version
from .volumes import Volumes

CHAIN_KEY: Final = b"u"
"""The one key of the audit table."""


class ChangelogRecord(Protocol):
    """What a consumer hands over: the key and the value of one changelog record."""

    key: bytes
    value: bytes | None


class TaskState:
    """State of one partition task. Restored from the changelog, changed by agents, encoded for the transaction.

    Only holds are ever deleted: entries stay after they are invoiced and their period is closed.

    | table | key | record | kept |
    |---|---|---|---|
    | entries | kind, source, entry id | EntryState | always |
    | approvals | kind, source, entry id | Approvals | as its entry |
    | engagements | engagement id | EngagementState | always |
    | holds | kind, source, entry id | Hold | until released |
    | assignments | source, assignment id | AssignmentState | always |
    | weeks | resource id, Monday | WeekState | always |
    | positions | input topic | Position | always |
    | cursors | reference topic | Cursor | always |
    | audit | one key | ChainHead | always |
    | invoices | source, engagement, document id | InvoiceState | always |
    | payments | source, engagement, payment id | PaymentState | always |
    | invoiced lines | engagement, billing id | InvoicedLine | always |
    """

    def __init__(self) -> None:
        """Start empty: a new task, or one about to be restored."""
        self.entries: Final = Entries()
        self.approvals: Final = Table("approvals", "a", Approvals)
        self.engagements: Final = Table("engagements", "g", EngagementState)
        self.holds: Final = Holds()
        self.assignments: Final = Table("assignments", "s", AssignmentState)
        self.weeks: Final = Table("weeks", "w", WeekState)
        self.positions: Final = Table("positions", "p", Position)
        self.cursors: Final = Table("cursors", "c", Cursor)
        self.audit: Final = Table("audit", "u", ChainHead)
        self.invoices: Final = Table("invoices", "i", InvoiceState)
        self.payments: Final = Table("payments", "y", PaymentState)
        self.invoiced_lines: Final = Table("invoiced-lines", "l", InvoicedLine)
        self.tables: Final[tuple[Table[Any], ...]] = (
            self.entries,
            self.approvals,
            self.engagements,
            self.holds,
            self.assignments,
            self.weeks,
            self.positions,
            self.cursors,
            self.audit,
            self.invoices,
            self.payments,
            self.invoiced_lines,
        )
        self.volumes: Final = Volumes(self.entries)
        self._by_tag: Final = {ord(table.tag): table.bytes for table in self.tables}

    def restore(self, records: Iterable[ChangelogRecord]) -> None:
        """Apply changelog records in their order; values stay bytes until somebody reads them.

        Raises UnreadableStateError at a record that a newer worker wrote, or that no worker writes; this state is then
        of no use.
        """
        by_tag, readable = self._by_tag, READABLE
        key: bytes = b""
        value: bytes | None = None
        try:
            for record in records:
                key, value = record.key, record.value
                if value is None:
                    by_tag[key[0]].pop(key, None)
                elif value[0] in readable:
                    by_tag[key[0]][key] = value
                else:
                    raise self._refused(key, value)
        except (KeyError, IndexError, TypeError):
            raise self._refused(key, value) from None

    def _refused(self, key: bytes | None, value: bytes | None) -> UnreadableStateError:
        """Why a changelog record is not taken."""
        name = next((table.name for table in self.tables if key and ord(table.tag) == key[0]), "")
        if name:
            return unknown_version(name, value or b"")
        if key:
            return UnknownVersionError(
                f"the changelog has a record of a table {key[:1]!r} that this worker does not know; nothing of this "
                "task is applied or lost: start workers of the version that wrote it, or a newer one"
            )
        return UnreadableStateError(f"the changelog has a record without a key, which no worker writes; {MEND}")

    def restored(self) -> None:
        """Build what is derived from the tables; called once, after the last record."""
        self.holds.index()

    def changes(self) -> list[list[tuple[bytes, bytes | None]]]:
        """Encode what changed, a list for each table, in the order of `tables`."""
        return [table.changes() for table in self.tables]

    def commit(self, changes: list[list[tuple[bytes, bytes | None]]]) -> None:
        """Take over `changes` once their transaction is committed."""
        for table, changed in zip(self.tables, changes, strict=True):
            table.commit(changed)

    def position(self, topic: str) -> Position:
        """How far `topic` is applied; a fresh one for a topic never read."""
        return self.positions.get(self.positions.key(topic)) or Position()

    def cursor(self, topic: str) -> int:
        """Return the next offset of a reference topic this task has not reacted to yet."""
        cursor = self.cursors.get(self.cursors.key(topic))
        return 0 if cursor is None else cursor.offset

    def chain_head(self) -> ChainHead:
        """Where the task's audit chain ends; at its beginning for a task that has written none."""
        return self.audit.get(CHAIN_KEY) or ChainHead(0, GENESIS)

    def chain_grew(self, head: ChainHead) -> None:
        """Keep the new end of the audit chain; it is committed with the record that made it."""
        self.audit.put(CHAIN_KEY, head)
