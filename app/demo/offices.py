"""The firm: legal entities with their calendars, people with their cost, exchange rates. Plain data from a seed."""

from __future__ import annotations

import calendar as month_lengths
import datetime as dt
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from ...codecs.currencies import EXPONENTS
from ...codecs.decimals import format_scaled
from ...codecs.fx_rate import FxRate
from ...codecs.period import Period, PeriodStatus
from ...codecs.resource import CostRate, Resource
from .happenings import chance

if TYPE_CHECKING:
    import random

PEOPLE: Final = 400
PRACTICES: Final = ("strategy", "technology", "data", "operations")
ROLES: Final = {"partner": 5, "principal": 10, "consultant": 40, "analyst": 25, "developer": 20}
"""Roles with their share in percent."""
HOURLY_COST: Final = {"partner": 150, "principal": 110, "consultant": 70, "analyst": 50, "developer": 65}
"""What an hour costs the firm, in euro, before it is put into the currency of the entity."""
GRADES: Final = ("junior", "senior")
PER_HUNDRED_EURO: Final = {"EUR": 100, "USD": 116, "GBP": 87, "CHF": 93, "JPY": 17_700}
"""The firm's currencies, with about what a hundred euro are in them. JPY has no minor unit."""
LATE_CURRENCY, LATE_PER_HUNDRED_EURO = "SEK", 1_100
"""A currency of spend whose exchange rates arrive late."""
UNQUOTED_CURRENCY: Final = "THB"
"""A currency of spend for which no exchange rate ever arrives."""
RAISE: Final = dt.date(2025, 11, 1)
"""From this day on people cost, and standard cards charge, more than before."""
SPREAD: Final = 15
"""Percent by which cost and rates differ from person to person and card to card."""
_YEAR: Final = 2025
_FX_PLACES: Final = 6
_FX_NOISE: Final = 200  # in 10^-4: up to two percent
_FX_FIRST: Final = dt.date(2025, 9, 29)
_FX_WEEKS: Final = 12


class Entity(NamedTuple):
    """A legal entity. october: what its calendar says of October at first, and `reopened` when it opens late.

    closes: whether November closes, and December opens, after the week; what is corrected then is posted in December.
    """

    id: str
    currency: str
    region: str
    october: Literal["open", "closed", "reopened"]
    share: int
    closes: bool = False


ENTITIES: Final = (
    Entity("DE-GMBH", "EUR", "dach", "reopened", 28),
    Entity("FR-SAS", "EUR", "west", "open", 14, closes=True),
    Entity("GB-LTD", "GBP", "west", "reopened", 18),
    Entity("US-INC", "USD", "americas", "closed", 22),
    Entity("CH-AG", "CHF", "dach", "closed", 10),
    Entity("JP-KK", "JPY", "apac", "open", 8),
)

Arrival = Literal["masters", "late", "cost_rate_late", "never"]
ARRIVALS: Final[dict[int, Arrival]] = {
    11: "late",
    57: "late",
    140: "late",
    23: "cost_rate_late",
    88: "cost_rate_late",
    200: "never",
}
"""People, by number, whom the firm's master data does not know in time."""


class Person(NamedTuple):
    """Somebody who works, and when their record arrives."""

    resource: Resource
    entity: Entity
    arrival: Arrival


def people(seed: int) -> tuple[Person, ...]:
    """Everybody of the firm, in the order of their ids."""
    rng = chance(seed, "people")
    return tuple(_person(rng, number) for number in range(1, PEOPLE + 1))


def _person(rng: random.Random, number: int) -> Person:
    entity = rng.choices(ENTITIES, [entity.share for entity in ENTITIES])[0]
    role = rng.choices(list(ROLES), list(ROLES.values()))[0]
    euro_cents = spread(rng, HOURLY_COST[role] * 100)
    before = amount_text(euro_cents, entity.currency)
    after = amount_text(euro_cents * 104 // 100, entity.currency)
    resource = Resource(
        id=f"R-{number:04}",
        revision=1,
        legal_entity_id=entity.id,
        role=role,
        grade=rng.choice(GRADES),
        practice=rng.choice(PRACTICES),
        region=entity.region,
        weekly_capacity_hours=rng.choice(("40", "40", "40", "37.5", "32")),
        cost_rates=(
            CostRate(rate=before, currency=entity.currency, effective_from=dt.date(2024, 1, 1)),
            CostRate(rate=after, currency=entity.currency, effective_from=RAISE),
        ),
    )
    return Person(resource, entity, ARRIVALS.get(number, "masters"))


def resources(everybody: tuple[Person, ...]) -> tuple[list[Resource], list[Resource]]:
    """Records of people as master data, and those that arrive late: unknown people, and missing cost rates."""
    masters: list[Resource] = []
    late: list[Resource] = []
    for person in everybody:
        if person.arrival == "masters":
            masters.append(person.resource)
        elif person.arrival == "late":
            late.append(person.resource)
        elif person.arrival == "cost_rate_late":
            masters.append(msgspec.structs.replace(person.resource, cost_rates=()))
            late.append(msgspec.structs.replace(person.resource, revision=2))
    return masters, late


def periods() -> tuple[list[Period], list[Period]]:
    """Calendars as master data, and second revisions: October reopens for some, November closes for others."""
    masters: list[Period] = []
    late: list[Period] = []
    for entity in ENTITIES:
        october = _month(entity, 10, "open" if entity.october == "open" else "closed")
        november, december = _month(entity, 11, "open"), _month(entity, 12, "future")
        masters += [_month(entity, 9, "closed"), october, november, december]
        if entity.closes:
            late += [
                msgspec.structs.replace(november, revision=2, status="closed"),
                msgspec.structs.replace(december, revision=2, status="open"),
            ]
        if entity.october == "reopened":
            late.append(msgspec.structs.replace(october, revision=2, status="open"))
    return masters, late


def _month(entity: Entity, month: int, status: PeriodStatus) -> Period:
    first = dt.date(_YEAR, month, 1)
    last = dt.date(_YEAR, month, month_lengths.monthrange(_YEAR, month)[1])
    name = f"{_YEAR}-{month:02}"
    return Period(legal_entity_id=entity.id, id=name, revision=1, start_date=first, end_date=last, status=status)


def exchange_rates(seed: int) -> tuple[list[FxRate], list[FxRate]]:
    """Weekly rates of every pair of the firm's currencies, and those of a currency of spend that arrive late."""
    rng = chance(seed, "exchange rates")
    pairs = [(base, quote) for base in PER_HUNDRED_EURO for quote in PER_HUNDRED_EURO if base != quote]
    masters = [_fx_rate(rng, base, quote, week) for week in range(_FX_WEEKS) for base, quote in pairs]
    late = [_fx_rate(rng, LATE_CURRENCY, quote, week) for week in range(_FX_WEEKS) for quote in PER_HUNDRED_EURO]
    return masters, late


def _fx_rate(rng: random.Random, base: str, quote: str, week: int) -> FxRate:
    per_base = PER_HUNDRED_EURO.get(base, LATE_PER_HUNDRED_EURO)
    noise = 10_000 + rng.randint(-_FX_NOISE, _FX_NOISE)
    rate = PER_HUNDRED_EURO[quote] * noise * 10**_FX_PLACES // (per_base * 10_000)
    first = _FX_FIRST + dt.timedelta(days=7 * week)
    return FxRate(
        base=base,
        quote=quote,
        valid_from=first,
        valid_to=first + dt.timedelta(days=6),
        rate=format_scaled(rate, _FX_PLACES),
    )


def spread(rng: random.Random, amount: int) -> int:
    """The amount, some percent up or down."""
    return amount * (100 + rng.randint(-SPREAD, SPREAD)) // 100


def amount_text(euro_cents: int, currency: str) -> str:
    """About that many euro cents in a currency, as decimal text with as many places as the currency has."""
    places = EXPONENTS[currency]
    per_hundred = PER_HUNDRED_EURO.get(currency, LATE_PER_HUNDRED_EURO)
    return format_scaled(euro_cents * per_hundred * 10**places // 10_000, places)
