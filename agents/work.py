"""A unit of work: the records of one slab, the state they meet, and everything that leaves with the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Literal, Protocol

from msgspec import structs

from ..codecs import audit, dead_letter
from ..codecs.errors import UndecodableError
from ..codecs.records import EngagementState
from ..tables.reference import Reference
from ..tables.state import TaskState
from .context import Contexts, WorkLookups
from .figures import figures_of
from .outbox import OUTPUTS, Headers, Outbox
from .poison import Poison
from .rules.effects import Effects
from .trail import STREAM as AUDIT
from .trail import Trail, audit_events

Place = tuple[str, int]
"""A topic and a partition."""
Outcome = Literal["applied", "duplicate", "stale", "held", "dead_lettered"]
_KEYED: Final = tuple(field.name for field in structs.fields(EngagementState) if field.default_factory is dict)
"""What an engagement keeps by key, such as sums by day."""


class Record(Protocol):
    """A consumed record, as the Kafka client hands it over."""

    @property
    def offset(self) -> int:
        """Where it stands in its partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Headers:
        """Its headers."""


class Slab(Protocol):
    """What a stream brings: the records of one fetch of one partition, as a transaction.

    Entering waits for the task's turn and gives the work; leaving commits all of it at once, or nothing.
    """

    async def __aenter__(self) -> Work: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


class Work:
    """Records to apply, in order and each new to the task; state and reference data to apply them with.

    stream: the input's name in the topology, such as `time-entries`; place: topic and partition of its records, the
    partition being the task's; trail: which record brought about which events, for the audit.
    known: next offset of each reference stream as the work is decided; its commit may come after new data.
    poison: judges bad records, where there are limits to them.
    shifted: entries that a changed volume may have moved past a tier, shifting: while they are settled or collected.
    unshared: engagements in which an entry may have room under a cap that is another's, and entries that have changed
    (see rooms.py).
    drain() hands out what was decided so far, finish() what is left; then the state is complete for the changelog.
    """

    def __init__(
        self,
        stream: str,
        records: Sequence[Record],
        state: TaskState,
        reference: Reference,
        contexts: Contexts,
        outbox: Outbox,
        place: Place = ("", 0),
    ) -> None:
        """Open a unit of work; `contexts` outlives it and belongs to the task."""
        self.stream: Final = stream
        self.records = records
        self.poison: Poison | None = None
        self.place: Final = place
        self.state: Final = state
        self.reference: Final = reference
        self.known: Final = dict(reference.offsets)
        self.contexts: Final = contexts
        self.outbox: Final = outbox
        self.effects: Final = Effects()
        self.trail: Final = Trail()
        self.outcomes: Final[dict[Outcome, int]] = {
            "applied": 0,
            "duplicate": 0,
            "stale": 0,
            "held": 0,
            "dead_lettered": 0,
        }
        self.dead_letter_reasons: Final[list[str]] = []
        self.lookups: Final = WorkLookups(self)
        self.shifted: Final[dict[bytes, None]] = {}
        self.shifting = False
        self.unshared: Final[dict[str, dict[bytes, None]]] = {}
        self._touched: Final[dict[str, EngagementState]] = {}

    def engagement(self, engagement_id: str) -> EngagementState:
        """State of an engagement, to be changed in place; its figures go out when the work ends."""
        state = self._touched.get(engagement_id)
        if state is None:
            table = self.state.engagements
            key = table.key(engagement_id)
            state = table.get(key)
            if state is None:
                # Kept at once: the next record of this unit of work must find what this one makes of it.
                state = EngagementState(engagement_id)
                table.put(key, state)
            self._touched[engagement_id] = state
        return state

    def known_engagement(self, engagement_id: str) -> EngagementState | None:
        """State of an engagement, only to be read; None while nothing is known of it."""
        table = self.state.engagements
        return table.get(table.key(engagement_id))

    def is_idle(self) -> bool:
        """Whether there is nothing to commit: no engagement touched, no table written, no record put aside."""
        written = any(table.uncommitted() for table in self.state.tables)
        return not (written or self._touched or self.dead_letter_reasons)

    def dead_letter(self, record: Record, error: UndecodableError, place: Place | None = None) -> None:
        """Put a record aside as it came, with where it stood (`place` if not the work's) and what is wrong with it.

        Raises PoisonedInputError instead when there are too many of them.
        """
        if self.poison is not None:
            self.poison.found(record)
        topic, partition = place or self.place
        key, value, own = dead_letter.kept(record.key, record.value, record.headers)
        headers = dead_letter.headers(topic, partition, record.offset, record.timestamp, own, error)
        self.outbox.add_record("dead-letters", (key, value, headers))
        self.dead_letter_reasons.append(error.reason)

    def drain(self) -> None:
        """Hand out the events decided since the last call.

        Called every few records: encoded while they are still in the processor's cache, events cost a fifth less
        than all at the end of a slab.
        """
        rows = self.trail.rows(self.effects)
        if rows:
            self.outbox.add(AUDIT, audit.TYPE, audit_events(self, rows))
        for stream, event_type, events_of, encoded in OUTPUTS:
            events = events_of(self.effects)
            if events:
                self.outbox.add(stream, event_type, encoded(events))
                events.clear()

    def finish(self) -> None:
        """Hand out what is left, with the figures of each engagement that was touched."""
        self._keep_engagements()
        self.effects.figures.extend(map(figures_of, self._touched.values()))
        self.drain()

    def _keep_engagements(self) -> None:
        table = self.state.engagements
        for engagement_id, state in self._touched.items():
            _sort_keys(state)
            table.put(table.key(engagement_id), state)


def _sort_keys(state: EngagementState) -> None:
    """Put what is kept by key in the order of the keys: bytes tell what is, not in which order it came about.

    So a replay comes to the same bytes, though it knows reference data earlier than the task did.
    """
    for name in _KEYED:
        kept = getattr(state, name)
        if len(kept) > 1:
            setattr(state, name, dict(sorted(kept.items())))


Apply = Callable[[Work, Record], Outcome]
"""What an agent does with one record: raises UndecodableError before it changes anything."""
