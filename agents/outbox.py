"""Where the events of a unit of work go as it makes them, and how each is encoded for its stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from ..codecs import accrual, billing, cloudevents, exception, figures, forecast, posting_state, revenue
from ..codecs.wire import encode, encode_into
from .rules.effects import Effects

Headers = Sequence[tuple[str, bytes]]
OutputRecord = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers of a record that leaves."""
OutputEvent = tuple[bytes, bytes, bytes]
"""Id in UTF-8, key and value of an event that leaves; the headers follow from its type and id."""


class Outbox(Protocol):
    """Takes what leaves before its unit of work is complete: it leaves with the commit, or never."""

    def add(self, stream: str, event_type: str, events: Sequence[OutputEvent]) -> None:
        """Put events of one output stream after what is there."""

    def add_record(self, stream: str, record: OutputRecord) -> None:
        """Put a record with headers of its own after what is there."""


class Kept(dict[str, list[OutputRecord]]):
    """An outbox in memory, by stream: for a record that is only tried, and for work without Kafka."""

    def add(self, stream: str, event_type: str, events: Sequence[OutputEvent]) -> None:
        """Keep the events."""
        headers = cloudevents.headers
        self.setdefault(stream, []).extend(
            (key, value, headers(event_type, name.decode())) for name, key, value in events
        )

    def add_record(self, stream: str, record: OutputRecord) -> None:
        """Keep the record."""
        self.setdefault(stream, []).append(record)


def by_engagement(events: Sequence[Any]) -> list[OutputEvent]:
    """Events keyed by engagement that have an id of their own."""
    # Into one buffer, because a text of its own grows step by step and is moved at each.
    buffer = bytearray()
    encoded: list[OutputEvent] = []
    for event in events:
        encode_into(event, buffer)
        encoded.append((event.id.encode(), event.engagement_id.encode(), bytes(buffer)))
    return encoded


def by_resource(events: Sequence[forecast.AssignmentForecast]) -> list[OutputEvent]:
    """Events keyed by person: one assignment's week."""
    return [
        (f"{e.assignment_source}:{e.assignment_id}:{e.revision}:{e.week}".encode(), e.resource_id.encode(), encode(e))
        for e in events
    ]


def by_week(events: Sequence[forecast.Utilisation]) -> list[OutputEvent]:
    """Events keyed by person: all of a week."""
    return [(f"{e.resource_id}:{e.week}".encode(), e.resource_id.encode(), encode(e)) for e in events]


def latest_figures(events: Sequence[figures.EngagementFigures]) -> list[OutputEvent]:
    """Events keyed by engagement, of which the latest counts."""
    return [(key := e.engagement_id.encode(), key, encode(e)) for e in events]


def latest_postings(events: Sequence[posting_state.PostingState]) -> list[OutputEvent]:
    """Events keyed by billing event, of which the latest counts."""
    return [(key := e.billing_id.encode(), key, encode(e)) for e in events]


class Output(NamedTuple):
    """An output stream: which effects it takes, and how they are encoded."""

    stream: str
    event_type: str
    events: Callable[[Effects], list[Any]]
    encoded: Callable[[Sequence[Any]], list[OutputEvent]]


OUTPUTS: Final = (
    Output("billing", billing.TYPE, attrgetter("billing"), by_engagement),
    Output("accruals", accrual.TYPE, attrgetter("accruals"), by_engagement),
    Output("revenue", revenue.TYPE, attrgetter("revenue"), by_engagement),
    Output("exceptions", exception.TYPE, attrgetter("exceptions"), by_engagement),
    Output("assignment-forecasts", forecast.FORECAST_TYPE, attrgetter("forecasts"), by_resource),
    Output("utilisation", forecast.UTILISATION_TYPE, attrgetter("utilisation"), by_week),
    Output("engagement-figures", figures.TYPE, attrgetter("figures"), latest_figures),
    Output("posting-states", posting_state.TYPE, attrgetter("posting_states"), latest_postings),
)
"""Every output but the dead letters, which leave as they came."""
