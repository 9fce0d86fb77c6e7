"""The whole way of one entry, put together from audit rows, the events they tell of, and the records they name."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...codecs import audit
from ...codecs.currencies import format_amount, parse_amount
from .entry import KINDS, Entry, entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...agents.work import Record
    from ...codecs.audit import AuditRow

ACCOUNTS: Final = {"work_in_progress": "work_in_progress", "project_cost": "cost", "project_expense": "cost"}
"""What a line on an account counts to in the sums of what stands now."""


class Found(NamedTuple):
    """A value and where it stands. time: ISO 8601, UTC; value: the JSON object, None when it is no longer kept."""

    stream: str
    partition: int
    offset: int
    time: str
    value: dict[str, Any] | None


class Step(NamedTuple):
    """One audit row: what brought it about, and the events of the entry that came of it.

    stream: of the input record, `reference` for a wake; sequence: of the audit record; applied: its time.
    """

    stream: str
    partition: int
    sequence: int
    applied: str
    row: AuditRow

    @property
    def about(self) -> Entry:
        """What the row's record is about."""
        return Entry(self.row.kind, self.row.source, self.row.id)


class Standing(NamedTuple):
    """What stands of an entry now. sums: decimal text by figure and currency; events: ids that nothing reverses.

    postings: how far the ERP is with each billing event, by id; the ERP has said nothing about one that is not there.
    """

    sums: dict[str, dict[str, str]]
    events: list[str]
    hold: dict[str, Any] | None
    postings: dict[str, dict[str, Any]]


@dataclass(slots=True)
class Story:
    """Collects what is about `entry`, whose kind and source may be open. Records of one partition come in order."""

    entry: Entry
    steps: list[Step] = field(default_factory=list)
    entries: set[Entry] = field(default_factory=set)
    events: dict[str, Found] = field(default_factory=dict)
    inputs: dict[tuple[str, int, int], Found] = field(default_factory=dict)
    postings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take_audit(self, partition: int, records: Iterable[Record]) -> None:
        """Keep rows of the entry, and rows of other records that brought about events of it."""
        needle = self._needle()
        for record in records:
            if needle not in (record.value or b""):
                continue
            read = audit.decode(record.value)
            for row in read.rows:
                known = {entry for entry in _entries(row) if self.entry.means(entry)}
                if known:
                    self.entries |= known
                    self.steps.append(Step(read.stream, partition, read.sequence, iso(record.timestamp), row))

    def take_events(self, stream: str, partition: int, records: Iterable[Record]) -> None:
        """Keep events of the entry."""
        needle = self._needle()
        for record in records:
            if needle not in (record.value or b""):
                continue
            value = msgspec.json.decode(record.value or b"")
            entry = entry_of(value["id"])
            if entry is not None and self.entry.means(entry):
                self.events[value["id"]] = Found(stream, partition, record.offset, iso(record.timestamp), value)

    def take_postings(self, records: Iterable[Record]) -> None:
        """Keep the latest posting state of each of the entry's billing events."""
        needle = self._needle()
        for record in records:
            if needle not in (record.value or b""):
                continue
            value = msgspec.json.decode(record.value or b"")
            entry = entry_of(value["billing_id"])
            if entry is not None and self.entry.means(entry):
                self.postings[value["billing_id"]] = value

    def take_input(self, step: Step, record: Record | None) -> None:
        """Keep the input record of a step; None when the log no longer holds it."""
        place = step.stream, step.partition, step.row.offset
        value = None if record is None else msgspec.json.decode(record.value or b"null")
        self.inputs[place] = Found(*place, iso(step.row.timestamp), value)

    def own_steps(self) -> list[Step]:
        """Steps whose input record is about the entry itself."""
        return [step for step in self.steps if step.row.offset >= 0 and self.entry.means(step.about)]

    def events_of(self, step: Step) -> list[tuple[str, Found | None]]:
        """The entry's events of a step by id; None for one that is on no topic."""
        return [
            (name, self.events.get(name))
            for name in step.row.events
            if (entry := entry_of(name)) is not None and self.entry.means(entry)
        ]

    def engagements(self) -> list[str]:
        """Engagements the entry was sent under, in the order of the steps."""
        return list(dict.fromkeys(step.row.engagement_id for step in self.own_steps()))

    def standing(self) -> Standing:
        """Add up every event of the entry, in the order the audit tells of them."""
        told = [found.value or {} for step in self.steps for _, found in self.events_of(step) if found is not None]
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for event in told:
            _add(sums, event, self.events[event["id"]].stream)
        figures: dict[str, dict[str, str]] = {}
        for (figure, currency), minor in sums.items():
            figures.setdefault(figure, {})[currency] = format_amount(minor, currency)
        reversed_ids = {event.get("reverses") for event in told}
        posted = [event for event in told if "action" not in event or event["action"] in {"charge", "accrual"}]
        live = [event["id"] for event in posted if not event.get("reverses") and event["id"] not in reversed_ids]
        holds = [event for event in told if "waits_on" in event]
        hold = holds[-1] if holds and holds[-1]["action"] == "held" else None
        return Standing(figures, live, hold, self.postings)

    def _needle(self) -> bytes:
        """The id as it stands in JSON: most records do not hold it, and are not decoded."""
        return msgspec.json.encode(self.entry.id)[1:-1]


def iso(milliseconds: int) -> str:
    """A Kafka timestamp (ms since 1970) as ISO 8601, UTC, to the second."""
    return dt.datetime.fromtimestamp(milliseconds // 1000, dt.UTC).isoformat()


def _entries(row: AuditRow) -> set[Entry]:
    """Every entry a row is about or has events of."""
    found = {entry for name in row.events if (entry := entry_of(name)) is not None}
    return found | ({Entry(row.kind, row.source, row.id)} if row.kind in KINDS else set())


def _add(sums: defaultdict[tuple[str, str], int], event: dict[str, Any], stream: str) -> None:
    """Count one event to the figures it belongs to, in minor units."""
    if stream in {"billing", "revenue"}:
        figure = "billed" if stream == "billing" else "revenue"
        sums[figure, event["currency"]] += parse_amount(event["amount"], event["currency"], "$.amount")
    elif stream == "accruals":
        for line in event["lines"]:
            figure = ACCOUNTS.get(line["account"], "")
            if figure:
                amount = parse_amount(line["amount"], event["currency"], "$.lines")
                sums[figure, event["currency"]] += amount if line["side"] == "debit" else -amount
