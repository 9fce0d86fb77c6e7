"""The audit trail of a unit of work: which input record brought about which events, sealed into the task's chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from ..codecs.audit import NO_OFFSET, AuditOutcome, AuditRecord, AuditRow, event_id, sealed
from ..codecs.records import ChainHead
from .rules.effects import Effects

if TYPE_CHECKING:
    from .outbox import OutputEvent
    from .work import Work

STREAM: Final = "audit"
ROWS_MAX: Final = 128
"""Rows of one audit record."""
EVENTS_MAX: Final = 1_000
"""Event ids of one audit record; a row that brought about more goes on in the next."""
ID: Final = attrgetter("id")


class Subject(Protocol):
    """What an input record is about: a version of an entry has all of it."""

    @property
    def kind(self) -> str:
        """What kind of record."""

    @property
    def source(self) -> str:
        """The system it comes from."""

    @property
    def id(self) -> str:
        """Its id there."""

    @property
    def revision(self) -> int:
        """Its revision."""

    @property
    def engagement_id(self) -> str:
        """Its engagement."""


class About(NamedTuple):
    """A subject that is no version of an entry: a decision, terms, an assignment; or nothing that is known."""

    kind: str = ""
    source: str = ""
    id: str = ""
    revision: int = 0
    engagement_id: str = ""


NOTHING: Final = About()
_Mark = tuple[int, int, AuditOutcome, Subject, tuple[int, int, int, int]]


class Trail:
    """Marks made as records are applied, made into rows when their events leave.

    about: set by the agent for the record in hand. A mark costs a fifth of a microsecond, the rest is done for
    many records at once: this is on the way of every time entry.
    """

    __slots__ = ("_ends", "_marks", "about")

    def __init__(self) -> None:
        """Begin without marks."""
        self.about: Subject | None = None
        self._marks: list[_Mark] = []
        self._ends = (0, 0, 0, 0)

    def mark(self, offset: int, timestamp: int, outcome: AuditOutcome, effects: Effects) -> None:
        """Count what was appended to `effects` since the last mark to this record; nothing of nobody is no row."""
        ends = len(effects.billing), len(effects.accruals), len(effects.revenue), len(effects.exceptions)
        about = self.about
        if about is not None:
            self.about = None
        elif ends == self._ends:
            return
        self._marks.append((offset, timestamp, outcome, about or NOTHING, ends))
        self._ends = ends

    def mark_woken(self, about: Subject, effects: Effects, *, changed: bool) -> None:
        """Count what was appended since the last mark to a wake by reference data.

        A wake without events is a row where it has changed an entry or a hold: what comes of that later begins there.
        """
        ends = len(effects.billing), len(effects.accruals), len(effects.revenue), len(effects.exceptions)
        if changed or ends != self._ends:
            self._marks.append((NO_OFFSET, 0, "woken", about, ends))
            self._ends = ends

    def rows(self, effects: Effects) -> list[AuditRow]:
        """Rows of all marks, and of events after the last one. The caller hands the effects out and clears them."""
        self.mark(NO_OFFSET, 0, "applied", effects)
        # Tuples, because most of the slices added below are empty, and adding an empty tuple copies nothing.
        billing, accruals = tuple(map(ID, effects.billing)), tuple(map(ID, effects.accruals))
        revenue, exceptions = tuple(map(ID, effects.revenue)), tuple(map(ID, effects.exceptions))
        rows = []
        b = a = r = x = 0
        for offset, timestamp, outcome, about, (b_end, a_end, r_end, x_end) in self._marks:
            events = billing[b:b_end] + accruals[a:a_end] + revenue[r:r_end] + exceptions[x:x_end]
            rows.append(
                AuditRow(
                    offset,
                    timestamp,
                    outcome,
                    about.kind,
                    about.source,
                    about.id,
                    about.revision,
                    about.engagement_id,
                    events,
                )
            )
            b, a, r, x = b_end, a_end, r_end, x_end
        self._marks.clear()
        self._ends = (0, 0, 0, 0)
        return rows


def audit_events(work: Work, rows: Sequence[AuditRow]) -> list[OutputEvent]:
    """Seal rows into the task's chain: audit records of a bounded size, each with the hash of all before it."""
    state, task = work.state, work.place[1]
    key, reference = str(task).encode(), work.known
    head = state.chain_head()
    events: list[OutputEvent] = []
    for part in _parts(rows):
        record = AuditRecord(
            task=task, sequence=head.sequence, stream=work.stream, rows=tuple(part), reference=reference
        )
        value, digest = sealed(record, head.hash)
        events.append((event_id(task, head.sequence).encode(), key, value))
        head = ChainHead(head.sequence + 1, digest)
    state.chain_grew(head)
    return events


def _parts(rows: Sequence[AuditRow]) -> Iterator[Sequence[AuditRow]]:
    """Cut rows into parts of at most ROWS_MAX rows and EVENTS_MAX events."""
    if len(rows) <= ROWS_MAX and sum([len(row.events) for row in rows]) <= EVENTS_MAX:
        yield rows
        return
    part: list[AuditRow] = []
    room = EVENTS_MAX
    for row in rows:
        for piece in _pieces(row):
            if part and (len(part) == ROWS_MAX or len(piece.events) > room):
                yield part
                part, room = [], EVENTS_MAX
            part.append(piece)
            room -= len(piece.events)
    yield part


def _pieces(row: AuditRow) -> Iterator[AuditRow]:
    """A row as it is, or cut where it has more events than one record may hold."""
    if len(row.events) <= EVENTS_MAX:
        yield row
        return
    for at in range(0, len(row.events), EVENTS_MAX):
        yield AuditRow(
            row.offset,
            row.timestamp,
            row.outcome,
            row.kind,
            row.source,
            row.id,
            row.revision,
            row.engagement_id,
            row.events[at : at + EVENTS_MAX],
        )
