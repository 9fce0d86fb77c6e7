"""A unit of work: the records of one slab, the state they meet, and everything that leaves with the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Protocol

from ..codecs import accrual, billing, cloudevents, dead_letter, exception, figures, forecast, revenue
from ..codecs.errors import UndecodableError
from ..codecs.records import EngagementState
from ..codecs.wire import encode
from ..tables.reference import Reference
from ..tables.state import TaskState
from .context import Contexts, WorkLookups
from .figures import figures_of
from .rules.effects import Effects

Outcome = Literal["applied", "duplicate", "stale", "held", "dead_lettered"]
Headers = Sequence[tuple[str, bytes]]
OutputRecord = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers of a record that leaves."""


class Record(Protocol):
    """A consumed record, as the Kafka client hands it over. timestamp: ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


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

    stream: the input's name in the topology, such as `time-entries`. finish() turns effects into records.
    """

    def __init__(
        self, stream: str, records: Sequence[Record], state: TaskState, reference: Reference, contexts: Contexts
    ) -> None:
        """Open a unit of work; `contexts` outlives it and belongs to the task."""
        self.stream: Final = stream
        self.records: Final = records
        self.state: Final = state
        self.reference: Final = reference
        self.contexts: Final = contexts
        self.effects: Final = Effects()
        self.outcomes: Final[dict[Outcome, int]] = {
            "applied": 0,
            "duplicate": 0,
            "stale": 0,
            "held": 0,
            "dead_lettered": 0,
        }
        self.dead_letters: Final[list[OutputRecord]] = []
        self.dead_letter_reasons: Final[list[str]] = []
        self.lookups: Final = WorkLookups(self)
        self._touched: Final[dict[str, EngagementState]] = {}

    def engagement(self, engagement_id: str) -> EngagementState:
        """State of an engagement, to be changed in place; its figures go out when the work ends."""
        state = self._touched.get(engagement_id)
        if state is None:
            table = self.state.engagements
            state = table.get(table.key(engagement_id)) or EngagementState(engagement_id)
            self._touched[engagement_id] = state
        return state

    def dead_letter(self, record: Record, error: UndecodableError) -> None:
        """Put a record aside as it came, with where it stood and what is wrong with it."""
        headers = dead_letter.headers(
            record.topic, record.partition, record.offset, record.timestamp, record.headers, error
        )
        self.dead_letters.append((record.key, record.value, headers))
        self.dead_letter_reasons.append(error.reason)

    def finish(self) -> dict[str, list[OutputRecord]]:
        """Encode what leaves, by output stream; after this the state is complete for the changelog."""
        self._keep_engagements()
        effects = self.effects
        return {
            "billing": _encoded(billing.TYPE, effects.billing),
            "accruals": _encoded(accrual.TYPE, effects.accruals),
            "revenue": _encoded(revenue.TYPE, effects.revenue),
            "exceptions": _encoded(exception.TYPE, effects.exceptions),
            "assignment-forecasts": [
                _keyed(
                    forecast.FORECAST_TYPE,
                    e.resource_id,
                    f"{e.assignment_source}:{e.assignment_id}:{e.revision}:{e.week}",
                    e,
                )
                for e in effects.forecasts
            ],
            "utilisation": [
                _keyed(forecast.UTILISATION_TYPE, e.resource_id, f"{e.resource_id}:{e.week}", e)
                for e in effects.utilisation
            ],
            "engagement-figures": [_keyed(figures.TYPE, e.id, e.id, figures_of(e)) for e in self._touched.values()],
            "dead-letters": self.dead_letters,
        }

    def _keep_engagements(self) -> None:
        table = self.state.engagements
        for engagement_id, state in self._touched.items():
            table.put(table.key(engagement_id), state)


def _encoded(event_type: str, events: Sequence[Any]) -> list[OutputRecord]:
    """Encode events keyed by engagement."""
    around = cloudevents.headers
    return [(event.engagement_id.encode(), encode(event), around(event_type, event.id)) for event in events]


def _keyed(event_type: str, key: str, event_id: str, event: object) -> OutputRecord:
    return key.encode(), encode(event), cloudevents.headers(event_type, event_id)


Apply = Callable[[Work, Record], Outcome]
"""What an agent does with one record: raises UndecodableError before it changes anything."""
