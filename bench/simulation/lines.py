"""What must be true of the output events by themselves: reversals, traces, holds, open periods, figures."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from billtide.codecs import dead_letter, figures
from billtide.codecs.accrual import AccrualEvent
from billtide.codecs.billing import BillingEvent
from billtide.codecs.currencies import parse_amount
from billtide.codecs.exception import ExceptionEvent
from billtide.codecs.figures import EngagementFigures
from billtide.codecs.forecast import Utilisation
from billtide.codecs.revenue import RevenueEvent
from billtide.codecs.wire import decoder

from .producer import OPEN_PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterator

_billing, _accrual, _revenue = decoder(BillingEvent), decoder(AccrualEvent), decoder(RevenueEvent)
_exception, _utilisation = decoder(ExceptionEvent), decoder(Utilisation)
COPIED = (
    "kind", "source", "entry_id", "revision", "engagement_id", "customer_id", "legal_entity_id", "work_date", "unit",
    "rate", "rate_unit", "currency", "rounding", "fx_rate", "resource_id", "role", "item", "task_id",
)  # fmt: skip
"""What a reversal has in common with the charge it reverses."""
ELIMINATIONS = frozenset(("sale_elimination", "purchase_elimination"))
"""Journals of the consolidation, which has no calendar: they are dated as what they take out."""
NEGATED = ("quantity", "amount")

Name = tuple[str, str, str, str]
"""Kind, source, engagement and id of an entry."""


class Events(NamedTuple):
    """Output events in the order of their partitions. posted: each dated event with the periods open then."""

    billing: list[BillingEvent]
    accruals: list[AccrualEvent]
    revenue: list[RevenueEvent]
    exceptions: list[ExceptionEvent]
    figures: list[EngagementFigures]
    posted: list[tuple[Any, int]]
    letters: list[tuple[str, str, str]]


def decoded(left: dict[str, list[Any]]) -> Events:
    """Read the outputs once."""
    events = Events([], [], [], [], [], [], [])
    for stream, read in (("billing", _billing), ("accruals", _accrual), ("revenue", _revenue)):
        for record in left[stream]:
            event = read(record.value)
            getattr(events, stream).append(event)
            events.posted.append((event, int(dict(record.headers)[OPEN_PERIODS])))
    events.exceptions.extend(_exception(record.value) for record in left["exceptions"])
    events.figures.extend(figures.decode(record.value) for record in left["engagement-figures"])
    for record in left["dead-letters"]:
        facts = dead_letter.facts(record.headers)
        events.letters.append((facts["topic"], facts["partition"], facts["offset"]))
    return events


def problems(events: Events, periods: list[tuple[Any, ...]]) -> Iterator[str]:
    """Sentences about events that cannot stand beside each other."""
    yield from _reversals(events.billing)
    yield from _closed(events, "accruals")
    yield from _closed(events, "revenue")
    yield from _holds(events.exceptions)
    for event, number in events.posted:
        if getattr(event, "kind", "") in ELIMINATIONS:
            continue
        days = periods[number]
        if not any(e == event.legal_entity_id and a <= event.accounting_date <= b for e, a, b in days):
            yield f"{event.id} is posted on {event.accounting_date}, when no period was open (M6)"
    for shown in events.figures:
        currency = shown.currency
        if currency is not None:
            parts = shown.approved_value, shown.billed, shown.held, shown.non_chargeable
            value, billed, held, stopped = (parse_amount(text or "0", currency, "$") for text in parts)
            if value != billed + held + stopped:
                sums = f"{billed} billed + {held} held + {stopped} not chargeable"
                yield f"engagement {shown.engagement_id}: approved {value} is not {sums} (M7)"
    for letter, count in Counter(events.letters).items():
        if count > 1:
            yield f"record {letter} is {count} times on dead-letters (M4)"


def _reversals(billing: list[BillingEvent]) -> Iterator[str]:
    """A reversal names a charge that stands, copies how it came to be, and negates it; a charge has a trace."""
    standing: dict[str, BillingEvent] = {}
    for event in billing:
        if event.action == "charge":
            standing[event.id] = event
            if not event.trace:
                yield f"{event.id} has no trace"
            continue
        if event.action == "adjustment":
            yield from _adjustment(event, standing)
            standing[event.id] = event
            continue
        charge = standing.pop(event.reverses, None)
        if charge is None:
            yield f"{event.id} reverses {event.reverses}, which does not stand"
            continue
        for name in COPIED:
            if getattr(event, name) != getattr(charge, name):
                yield f"{event.id} has another {name} than the charge it reverses"
        for name in NEGATED:
            if Fraction(getattr(event, name)) != -Fraction(getattr(charge, name)):
                yield f"{event.id} does not negate the {name} of the charge it reverses"


def _adjustment(event: BillingEvent, standing: dict[str, BillingEvent]) -> Iterator[str]:
    """An adjusting line is a difference to a charge that stands: one unit at its amount, for the same customer."""
    charge = standing.get(event.adjusts)
    if charge is None or charge.action != "charge":
        yield f"{event.id} adjusts {event.adjusts}, which is no charge that stands"
    elif (charge.customer_id, charge.legal_entity_id) != (event.customer_id, event.legal_entity_id):
        yield f"{event.id} has another customer or legal entity than the charge it adjusts"
    if event.quantity != "1" or Fraction(event.rate) != Fraction(event.amount) or not event.trace:
        yield f"{event.id} is not shown as one unit at its amount, with a trace"


def _closed(events: Events, stream: str) -> Iterator[str]:
    """A reversal of an accrual or of revenue names one that stands, and leaves nothing on any account."""
    standing: dict[str, Any] = {}
    for event in getattr(events, stream):
        if not event.reverses:
            standing[event.id] = event
            continue
        other = standing.pop(event.reverses, None)
        if other is None:
            yield f"{event.id} reverses {event.reverses}, which does not stand"
            continue
        debits = _debits(event)
        debits.update(_debits(other))
        if any(debits.values()):
            yield f"{event.id} is not the opposite of {event.reverses}"
    if stream == "accruals":
        # A loss and the asset of a milestone are posted as what is missing, time and again, and never reversed whole.
        of_entries = [event for event in standing.values() if event.kind in {"cost", "work_in_progress"}]
        for what, count in Counter(map(_accrued, of_entries)).items():
            if count > 1:
                yield f"{what} stands {count} times (M2)"


def _accrued(event: AccrualEvent) -> tuple[str, ...]:
    """What an accrual is of: its id without revision and number."""
    return event.engagement_id, event.kind, ":".join(event.id.split(":")[:3])


def _debits(event: Any) -> Counter[str]:
    """What an event debits to each account; credits are below zero."""
    found: Counter[str] = Counter()
    for line in event.lines:
        found[line.account] += Fraction(line.amount) * (1 if line.side == "debit" else -1)
    return found


def _holds(exceptions: list[ExceptionEvent]) -> Iterator[str]:
    """What is released was held, and is held again before it is released again (M8)."""
    latest: dict[Name, str] = {}
    for event in exceptions:
        name = event.kind, event.source, event.engagement_id, event.entry_id
        if event.action == "released" and latest.get(name) != "held":
            yield f"{event.id} releases what is not held (M8)"
        latest[name] = event.action


def billed_by_entry(events: Events) -> Counter[Name]:
    """Sum of the billing lines of each entry, in minor units."""
    found: Counter[Name] = Counter()
    for event in events.billing:
        name = event.kind, event.source, event.engagement_id, event.entry_id
        found[name] += parse_amount(event.amount, event.currency, "$.amount")
    return found


def unbilled_by_entry(events: Events) -> Counter[Name]:
    """Open work in progress of each entry, in minor units."""
    found: Counter[Name] = Counter()
    for event in events.accruals:
        if event.kind != "work_in_progress":
            continue
        kind = "expense" if ":expense:" in event.id else "time"
        for line in event.lines:
            if line.account == "work_in_progress":
                amount = parse_amount(line.amount, event.currency, "$.lines")
                sign = 1 if line.side == "debit" else -1
                found[kind, event.source, event.engagement_id, event.entry_id] += sign * amount
    return found


def latest_weeks(utilisation: list[Any]) -> dict[tuple[str, str], tuple[Fraction, Fraction, Fraction | None]]:
    """Hard and soft hours and capacity of each person and week, as told last; nothing for weeks without any."""
    found: dict[tuple[str, str], tuple[Fraction, Fraction, Fraction | None]] = {}
    for record in utilisation:
        event = _utilisation(record.value)
        capacity = None if event.capacity_hours is None else hours(event.capacity_hours)
        found[event.resource_id, str(event.week)] = hours(event.hard_hours), hours(event.soft_hours), capacity
    return found


def hours(text: str) -> Fraction:
    """Hours as a number."""
    return Fraction(text)
