"""What happens in the sample week: a value, the stream it goes to and the moment it is sent; and its record."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs import (
    account_map,
    approval,
    assignment,
    cloudevents,
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
from ...codecs.expense import Expense
from ...codecs.fx_rate import FxRate
from ...codecs.invoice import Invoice
from ...codecs.payment import Payment
from ...codecs.period import Period
from ...codecs.rate_card import RateCard
from ...codecs.resource import Resource
from ...codecs.time_entry import TimeEntry
from ...codecs.wire import encode

if TYPE_CHECKING:
    from ...codecs.cloudevents import Headers

MONDAY: Final = dt.date(2025, 11, 3)
"""First day of the sample week. It lies in the past, because brokers refuse records from the future."""
WORKDAYS: Final = tuple(MONDAY + dt.timedelta(days=day) for day in range(5))
FRIDAY: Final = WORKDAYS[-1]
WEEKEND: Final = (MONDAY - dt.timedelta(days=2), MONDAY - dt.timedelta(days=1))
"""The days before the week, on which a few people work; they are of the open month."""
FORGOTTEN: Final = tuple(day - dt.timedelta(days=7) for day in WORKDAYS)
"""Days of the week before, in a month that most legal entities have closed."""
NEXT_MONDAY: Final = MONDAY + dt.timedelta(days=7)
MINUTE_MILLISECONDS: Final = 60_000
_DAY_MINUTES: Final = 1_440
_EPOCH: Final = dt.date(1970, 1, 1)

Thing = (
    TimeEntry
    | Expense
    | Approval
    | Engagement
    | Assignment
    | Invoice
    | Payment
    | RateCard
    | Resource
    | FxRate
    | Period
    | AccountMap
)


class Happening(NamedTuple):
    """A value on its way to a stream. at: ms since 1970, UTC."""

    at: int
    stream: str
    thing: Thing


class Sent(NamedTuple):
    """A record as it is sent. timestamp: ms since 1970; a record without key or with broken bytes is one too."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


def moment(date: dt.date, minute: int, millisecond: int = 0) -> int:
    """Milliseconds since 1970 of a minute of a day, UTC."""
    return ((date - _EPOCH).days * _DAY_MINUTES + minute) * MINUTE_MILLISECONDS + millisecond


def day_of(at: int) -> dt.date:
    """Day of a moment in milliseconds since 1970, UTC."""
    return _EPOCH + dt.timedelta(days=at // (_DAY_MINUTES * MINUTE_MILLISECONDS))


def chance(seed: int, part: str) -> random.Random:
    """Chance of one part of the data: a change in one part leaves the others as they are."""
    return random.Random(f"{seed}:{part}")  # noqa: S311 - repeatable, not secret


def often(rng: random.Random, percent: int) -> bool:
    """Whether something that happens that often happens this time."""
    return rng.randrange(100) < percent


STREAM_OF: Final = {
    TimeEntry: "time-entries",
    Expense: "expenses",
    Approval: "approvals",
    Engagement: "engagements",
    Assignment: "assignments",
    Invoice: "invoices",
    Payment: "payments",
    RateCard: "rate-cards",
    Resource: "resources",
    FxRate: "fx-rates",
    Period: "periods",
    AccountMap: "account-maps",
}
_TYPE_OF: Final = {
    TimeEntry: time_entry.TYPE,
    Expense: expense.TYPE,
    Approval: approval.TYPE,
    Engagement: engagement.TYPE,
    Assignment: assignment.TYPE,
    Invoice: invoice.TYPE,
    Payment: payment.TYPE,
    RateCard: rate_card.TYPE,
    Resource: resource.TYPE,
    FxRate: fx_rate.TYPE,
    Period: period.TYPE,
    AccountMap: account_map.TYPE,
}


def happening(at: int, thing: Thing) -> Happening:
    """Send a value to the stream of its type."""
    return Happening(at, STREAM_OF[type(thing)], thing)


def record(what: Happening) -> Sent:
    """Encode a happening as its record: key, JSON, CloudEvents headers, moment."""
    thing = what.thing
    return Sent(
        key_of(thing).encode(), encode(thing), cloudevents.headers(_TYPE_OF[type(thing)], id_of(thing)), what.at
    )


def key_of(thing: Thing) -> str:
    """Key of a value's record, as its topic asks for."""
    match thing:
        case Engagement() | Resource():
            return thing.id
        case RateCard():
            return f"{thing.id}/{thing.version}"
        case FxRate():
            return "/".join(filter(None, (thing.base, thing.quote, str(thing.valid_from), thing.rate_type)))
        case Period():
            return f"{thing.legal_entity_id}/{thing.id}"
        case AccountMap():
            return f"{thing.legal_entity_id}/{thing.version}"
        case _:
            return thing.engagement_id


def id_of(thing: Thing) -> str:
    """Id of a value's event: its identity and revision."""
    match thing:
        case Approval():
            entry = f"{thing.entry_type}:{thing.entry_id}:{thing.entry_revision}"
            return f"{thing.source}:approval:{entry}:{thing.level}:{thing.sequence}"
        case RateCard():
            return f"card:{key_of(thing)}"
        case AccountMap():
            return f"accounts:{key_of(thing)}"
        case Resource() | FxRate() | Period():
            return f"{type(thing).__name__.lower()}:{key_of(thing)}:{thing.revision}"
        case _:
            return f"{thing.source}:{type(thing).__name__.lower()}:{thing.id}:{thing.revision}"
