"""Where the events of a unit of work go as it makes them, and how each becomes a record of its stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from ..codecs import accrual, billing, cloudevents, exception, figures, forecast, revenue
from ..codecs.wire import encode
from .rules.effects import Effects

Headers = Sequence[tuple[str, bytes]]
OutputRecord = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers of a record that leaves."""


class Outbox(Protocol):
    """Takes records before their unit of work is complete: they leave with its commit, or never."""

    def add(self, stream: str, records: Iterable[OutputRecord]) -> None:
        """Put records of one output stream after those that are there."""


class Kept(dict[str, list[OutputRecord]]):
    """An outbox in memory, by stream: for a record that is only tried, and for work without Kafka."""

    def add(self, stream: str, records: Iterable[OutputRecord]) -> None:
        """Keep the records."""
        self.setdefault(stream, []).extend(records)


def by_engagement(event_type: str, events: Sequence[Any]) -> list[OutputRecord]:
    """Records keyed by engagement, of events that have an id of their own."""
    around = cloudevents.headers
    return [(event.engagement_id.encode(), encode(event), around(event_type, event.id)) for event in events]


def by_resource(event_type: str, events: Sequence[forecast.AssignmentForecast]) -> list[OutputRecord]:
    """Records keyed by person: one assignment's week."""
    return [
        _record(event_type, e.resource_id, f"{e.assignment_source}:{e.assignment_id}:{e.revision}:{e.week}", e)
        for e in events
    ]


def by_week(event_type: str, events: Sequence[forecast.Utilisation]) -> list[OutputRecord]:
    """Records keyed by person: all of a week."""
    return [_record(event_type, e.resource_id, f"{e.resource_id}:{e.week}", e) for e in events]


def latest_figures(event_type: str, events: Sequence[figures.EngagementFigures]) -> list[OutputRecord]:
    """Records keyed by engagement, of which the latest counts."""
    return [_record(event_type, e.engagement_id, e.engagement_id, e) for e in events]


def _record(event_type: str, key: str, event_id: str, event: object) -> OutputRecord:
    return key.encode(), encode(event), cloudevents.headers(event_type, event_id)


class Output(NamedTuple):
    """An output stream: which effects it takes, and how they become its records."""

    stream: str
    event_type: str
    events: Callable[[Effects], list[Any]]
    records: Callable[[str, Sequence[Any]], list[OutputRecord]]


OUTPUTS: Final = (
    Output("billing", billing.TYPE, attrgetter("billing"), by_engagement),
    Output("accruals", accrual.TYPE, attrgetter("accruals"), by_engagement),
    Output("revenue", revenue.TYPE, attrgetter("revenue"), by_engagement),
    Output("exceptions", exception.TYPE, attrgetter("exceptions"), by_engagement),
    Output("assignment-forecasts", forecast.FORECAST_TYPE, attrgetter("forecasts"), by_resource),
    Output("utilisation", forecast.UTILISATION_TYPE, attrgetter("utilisation"), by_week),
    Output("engagement-figures", figures.TYPE, attrgetter("figures"), latest_figures),
)
"""Every output but the dead letters, which leave as they came."""
