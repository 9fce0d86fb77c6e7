"""The facts of a reckoning: what the input records say in the end, duplicates, stale and undecodable ones set aside.

Takes the shapes of the records from the codecs and nothing else from the product: numbers, currencies,
contradictions and the order of revisions are judged here a second time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from ...codecs import (
    account_map,
    approval,
    assignment,
    engagement,
    expense,
    fx_rate,
    invoice,
    payment,
    period,
    rate_card,
    resource,
    time_entry,
)
from ...codecs.account_map import AccountMap
from ...codecs.approval import Approval
from ...codecs.assignment import Assignment
from ...codecs.engagement import Engagement
from ...codecs.errors import UndecodableError
from ...codecs.expense import Expense
from ...codecs.fx_rate import FxRate
from ...codecs.invoice import Invoice
from ...codecs.payment import Payment
from ...codecs.period import Period
from ...codecs.rate_card import RateCard
from ...codecs.resource import Resource
from ...codecs.time_entry import TimeEntry
from .reckoning_documents import DocumentId, check_invoice, check_payment
from .reckoning_numbers import FX_PLACES, UnreadableError, minor, number, refuse_when
from .reckoning_spent import lines_of
from .reckoning_terms import check_rates, check_terms
from .reckoning_tiers import Volume
from .reckoning_time import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MONDAY: Final = 0


class Revised(Protocol):
    """What is sent again under a higher revision when it changes."""

    @property
    def revision(self) -> int:
        """Its revision."""


K = TypeVar("K")
R = TypeVar("R", bound=Revised)


class Record(Protocol):
    """A record of a topic; a Kafka client's own record will do."""

    @property
    def key(self) -> bytes | None:
        """Bytes that chose the partition."""

    @property
    def value(self) -> bytes | None:
        """The JSON text."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Names and bytes around the value."""


class EntryId(NamedTuple):
    """What an entry is: two records with equal ids are versions of one entry."""

    kind: str
    source: str
    engagement_id: str
    id: str


Entry = TimeEntry | Expense
AssignmentId = tuple[str, str, str]
People = tuple[str, str, str, dt.date | None]
"""Level, approver, on whose behalf, on which day."""
Decisions = dict[EntryId, dict[int, dict[People, Approval]]]


@dataclass(slots=True)
class Facts:
    """All that the records say in the end.

    versions: each entry's, lowest revision first; decisions: by entry, revision and people; reviews: those about
    corrections; assignments: by (source, engagement, id); cards: by (scope, scope_id), id and version; fx: by (base,
    quote, rate_type) and first date; periods: by legal entity and id; account_maps: by legal entity and version;
    invoices, credit notes among them, and payments: by id; volumes: what entries add to volume tiers, by engagement,
    once it is counted.
    """

    dead_letters: int = 0
    versions: dict[EntryId, list[Entry]] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=dict)
    reviews: Decisions = field(default_factory=dict)
    engagements: dict[str, Engagement] = field(default_factory=dict)
    assignments: dict[AssignmentId, Assignment] = field(default_factory=dict)
    cards: dict[tuple[str, str], dict[str, dict[int, RateCard]]] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    fx: dict[tuple[str, str, str], dict[dt.date, FxRate]] = field(default_factory=dict)
    periods: dict[str, dict[str, Period]] = field(default_factory=dict)
    invoices: dict[DocumentId, Invoice] = field(default_factory=dict)
    payments: dict[DocumentId, Payment] = field(default_factory=dict)
    volumes: dict[str, list[Volume]] = field(default_factory=dict)
    account_maps: dict[str, dict[int, AccountMap]] = field(default_factory=dict)


def _check_place(record: Record, source: str, engagement_id: str) -> None:
    """A record that belongs to an engagement stands under its key, and its source can be part of an id."""
    refuse_when(record.key != engagement_id.encode(), "key")
    refuse_when(":" in source, "source")


def _time_entry(facts: Facts, record: Record) -> None:
    entry = time_entry.decode(record.value)
    _check_place(record, entry.source, entry.engagement_id)
    worked = number(entry.quantity)
    refuse_when(entry.unit == "unit", "unit")
    if entry.rate is not None:
        number(entry.rate)
    if entry.billable_quantity is not None:
        refuse_when(number(entry.billable_quantity) * worked < 0, "billable quantity")
    _add_version(facts, EntryId("time", entry.source, entry.engagement_id, entry.id), entry)


def _expense(facts: Facts, record: Record) -> None:
    entry = expense.decode(record.value)
    _check_place(record, entry.source, entry.engagement_id)
    lines_of(entry)
    _add_version(facts, EntryId("expense", entry.source, entry.engagement_id, entry.id), entry)


def _add_version(facts: Facts, entry_id: EntryId, entry: Entry) -> None:
    """Keep a version only when its revision is above all that came before: else it is a duplicate or stale."""
    versions = facts.versions.setdefault(entry_id, [])
    if not versions or entry.revision > versions[-1].revision:
        versions.append(entry)


def _approval(facts: Facts, record: Record) -> None:
    """Of decisions by the same people on the same day the highest sequence counts; all others are kept side by side."""
    decision = approval.decode(record.value)
    _check_place(record, decision.source, decision.engagement_id)
    refuse_when(bool(decision.on_behalf_of) and decision.approver_id in {"", decision.on_behalf_of}, "delegate")
    entry_id = EntryId(decision.entry_type, decision.source, decision.engagement_id, decision.entry_id)
    of_correction = decision.target == "correction"
    refuse_when(of_correction and decision.level != "finance", "no reviewer")
    about = facts.reviews if of_correction else facts.decisions
    of_revision = about.setdefault(entry_id, {}).setdefault(decision.entry_revision, {})
    people = (decision.level, decision.approver_id, decision.on_behalf_of, decision.decided_on)
    known = of_revision.get(people)
    if known is None or decision.sequence > known.sequence:
        of_revision[people] = decision


def _keep_newest(kept: dict[K, R], name: K, sent: R) -> None:
    """Of several revisions of one thing the highest counts, whenever it comes."""
    known = kept.get(name)
    if known is None or sent.revision > known.revision:
        kept[name] = sent


def _engagement(facts: Facts, record: Record) -> None:
    terms = engagement.decode(record.value)
    _check_place(record, terms.source, terms.id)
    check_terms(terms)
    _keep_newest(facts.engagements, terms.id, terms)


def _assignment(facts: Facts, record: Record) -> None:
    plan = assignment.decode(record.value)
    _check_place(record, plan.source, plan.engagement_id)
    if plan.rate is not None:
        number(plan.rate)
    for planned in plan.weeks:
        number(planned.hours)
        refuse_when(planned.week.weekday() != _MONDAY, "not a Monday")
    refuse_when(len({planned.week for planned in plan.weeks}) < len(plan.weeks), "a week twice")
    _keep_newest(facts.assignments, (plan.source, plan.engagement_id, plan.id), plan)


def _rate_card(facts: Facts, record: Record) -> None:
    card = rate_card.decode(record.value)
    minor("0", card.currency)
    refuse_when((card.scope == "default") == bool(card.scope_id), "scope_id")
    check_rates(card.lines, card.currency, card.schema_version)
    refuse_when(len({line_of(line) for line in card.lines}) < len(card.lines), "a line twice")
    versions = facts.cards.setdefault((card.scope, card.scope_id), {}).setdefault(card.id, {})
    versions.setdefault(card.version, card)


def _resource(facts: Facts, record: Record) -> None:
    person = resource.decode(record.value)
    number(person.weekly_capacity_hours)
    for cost in person.cost_rates:
        minor("0", cost.currency)
        number(cost.rate)
    _keep_newest(facts.resources, person.id, person)


def _fx_rate(facts: Facts, record: Record) -> None:
    fx = fx_rate.decode(record.value)
    minor("0", fx.base)
    minor("0", fx.quote)
    refuse_when(number(fx.rate, FX_PLACES) <= 0, "rate")
    ranges = facts.fx.setdefault((fx.base, fx.quote, fx.rate_type), {})
    _keep_newest(ranges, fx.valid_from, fx)


def _period(facts: Facts, record: Record) -> None:
    stretch = period.decode(record.value)
    periods = facts.periods.setdefault(stretch.legal_entity_id, {})
    _keep_newest(periods, stretch.id, stretch)


def _invoice(facts: Facts, record: Record) -> None:
    document = invoice.decode(record.value)
    _check_place(record, document.source, document.engagement_id)
    check_invoice(document)
    _keep_newest(facts.invoices, DocumentId(document.source, document.engagement_id, document.id), document)


def _payment(facts: Facts, record: Record) -> None:
    document = payment.decode(record.value)
    _check_place(record, document.source, document.engagement_id)
    check_payment(document)
    _keep_newest(facts.payments, DocumentId(document.source, document.engagement_id, document.id), document)


def _account_map(facts: Facts, record: Record) -> None:
    """The first content of a version counts; another under its number cannot be read."""
    sent = account_map.decode(record.value)
    refuse_when(sent.effective_to is not None and sent.effective_to < sent.effective_from, "ends before it begins")
    lines = {(line.account, line.category, line.contract_type, line.practice) for line in sent.lines}
    refuse_when(len(lines) < len(sent.lines), "a number twice")
    known = facts.account_maps.setdefault(sent.legal_entity_id, {}).setdefault(sent.version, sent)
    refuse_when(known != sent, "another map under a known version")


_READERS: Final[dict[str, tuple[str, Callable[[Facts, Record], None]]]] = {
    "time-entries": (time_entry.TYPE, _time_entry),
    "expenses": (expense.TYPE, _expense),
    "approvals": (approval.TYPE, _approval),
    "engagements": (engagement.TYPE, _engagement),
    "assignments": (assignment.TYPE, _assignment),
    "rate-cards": (rate_card.TYPE, _rate_card),
    "resources": (resource.TYPE, _resource),
    "fx-rates": (fx_rate.TYPE, _fx_rate),
    "periods": (period.TYPE, _period),
    "invoices": (invoice.TYPE, _invoice),
    "payments": (payment.TYPE, _payment),
    "account-maps": (account_map.TYPE, _account_map),
}


def read_facts(inputs: Mapping[str, Iterable[Record]]) -> Facts:
    """Read every record of every stream once. Raises KeyError for a stream that is not an input."""
    facts = Facts()
    for stream, records in inputs.items():
        event_type, read = _READERS[stream]
        for record in records:
            try:
                types = {value for name, value in record.headers if name == "ce_type"}
                refuse_when(bool(types - {event_type.encode()}), "ce_type")
                read(facts, record)
            except (UndecodableError, UnreadableError):
                facts.dead_letters += 1
    return facts
