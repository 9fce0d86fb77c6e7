"""What the firm has sold: rate cards, engagements of every contract type, and who is planned on them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ...codecs.assignment import Assignment, PlannedWeek
from ...codecs.engagement import ContractType, Engagement, EngagementRate
from ...codecs.rate_card import RateCard, RateLine
from .aftermath import other_prices
from .agreements import DATED_DISCOUNTS, DISCOUNTS, SUM_CLOSES, has_own_rates, limited, policies
from .ceilings import caps, other_caps
from .crossings import crossing, placed
from .fees import BILLED_BY_TERM, BY_DAYS, ENDS, PAID_AHEAD, fee, other_fee
from .happenings import MONDAY, chance, often
from .lending import transfer_cards
from .offices import ENTITIES, GRADES, PER_HUNDRED_EURO, PRACTICES, RAISE, Person, amount_text, spread
from .payers import funding
from .spending import expense_terms
from .volumes import BY_CARD, CUSTOMER, tiered_cards, tiered_rates

if TYPE_CHECKING:
    import random

ENGAGEMENTS: Final[dict[ContractType, int]] = {
    "time_and_materials": 50,
    "capped": 20,
    "fixed_fee": 20,
    "retainer": 8,
    "subscription": 4,
    "non_billable": 10,
    "internal": 8,
}
BILLED_BY_TIME: Final = {"time_and_materials", "capped"}
CUSTOMERS: Final = 60
HOURLY_RATE: Final = {"partner": 360, "principal": 280, "consultant": 185, "analyst": 130, "developer": 160}
"""What an hour is sold at, in euro, before it is put into the currency of a card."""
LATE_ROLE: Final = "data-scientist"
"""A role that no card prices at first. Its rates arrive late, except in the currency below."""
UNPRICED_CURRENCY: Final = "CHF"
ARRIVE_LATE: Final = (7, 58, 79, 101)
"""Engagements, by number, whose terms arrive after their entries: T&M, capped, fixed fee, subscription."""
WEEKS: Final = tuple(MONDAY + dt.timedelta(days=7 * week) for week in range(3))
LATE_ASSIGNMENTS: Final = 100
"""Of the people's assignments, one in this many arrives late."""
_DAY_HOURS: Final = 8


def rate_cards(seed: int) -> tuple[list[RateCard], list[RateCard]]:
    """Cards as master data, and the supplements with the role that was missing."""
    rng = chance(seed, "rate cards")
    cards = [card for currency in PER_HUNDRED_EURO for card in _standard(rng, currency)]
    cards += [
        _by_day(rng, region, currency) for region, currency in (("dach", "EUR"), ("dach", "CHF"), ("apac", "JPY"))
    ]
    cards += [
        RateCard(
            id=f"practice-data-{currency.lower()}",
            version=1,
            scope="practice",
            scope_id="data",
            currency=currency,
            effective_from=dt.date(2025, 1, 1),
            lines=tuple(RateLine(role=role, rate=_rate(rng, role, currency)) for role in ("analyst", "developer")),
        )
        for currency in ("EUR", "USD", "GBP")
    ]
    cards += [_of_customer(rng, number) for number in range(1, CUSTOMERS + 1, 5)]
    cards += tiered_cards()
    late = [
        RateCard(
            id=f"supplement-{currency.lower()}",
            version=1,
            scope="default",
            currency=currency,
            effective_from=dt.date(2025, 1, 1),
            lines=(RateLine(role=LATE_ROLE, rate=_rate(rng, "developer", currency)),),
        )
        for currency in PER_HUNDRED_EURO
        if currency != UNPRICED_CURRENCY
    ]
    known_transfers, late_transfers = transfer_cards(seed, LATE_ROLE, UNPRICED_CURRENCY)
    return [*cards, *known_transfers], [*late, *late_transfers]


def _standard(rng: random.Random, currency: str) -> list[RateCard]:
    lines = [RateLine(role=role, rate=_rate(rng, role, currency)) for role in HOURLY_RATE]
    lines += [RateLine(role="consultant", grade=grade, rate=_rate(rng, "consultant", currency)) for grade in GRADES]
    before = RateCard(
        id=f"standard-{currency.lower()}",
        version=1,
        scope="default",
        currency=currency,
        effective_from=dt.date(2025, 1, 1),
        lines=tuple(lines),
    )
    raised = tuple(msgspec.structs.replace(line, rate=_rate(rng, line.role, currency)) for line in lines)
    return [before, msgspec.structs.replace(before, version=2, effective_from=RAISE, lines=raised)]


def _by_day(rng: random.Random, region: str, currency: str) -> RateCard:
    lines = tuple(
        RateLine(role=role, rate=amount_text(spread(rng, HOURLY_RATE[role] * _DAY_HOURS * 100), currency), unit="day")
        for role in ("principal", "consultant")
    )
    name = f"region-{region}-{currency.lower()}"
    return RateCard(
        id=name,
        version=1,
        scope="region",
        scope_id=region,
        currency=currency,
        effective_from=dt.date(2025, 1, 1),
        lines=lines,
    )


def _of_customer(rng: random.Random, number: int) -> RateCard:
    currency = ENTITIES[number % len(ENTITIES)].currency
    return RateCard(
        id=f"customer-{number:03}",
        version=1,
        scope="customer",
        scope_id=f"C-{number:03}",
        currency=currency,
        effective_from=dt.date(2025, 1, 1),
        lines=(
            RateLine(rate=_rate(rng, "consultant", currency)),
            RateLine(
                item="workshop",
                rate=_rate(rng, "principal", currency),
                minimum_charge=amount_text(50_000, currency),
                maximum_charge=amount_text(150_000, currency),
            ),
            RateLine(role="partner", rate=_rate(rng, "partner", currency)),
        ),
    )


def _rate(rng: random.Random, role: str, currency: str) -> str:
    return amount_text(spread(rng, HOURLY_RATE[role] * 100), currency)


def engagements(seed: int) -> tuple[Engagement, ...]:
    """The first revision of every engagement's terms, in the order of their ids."""
    rng = chance(seed, "engagements")
    kinds = [kind for kind, count in ENGAGEMENTS.items() for _ in range(count)]
    return tuple(_engagement(rng, number, kind) for number, kind in enumerate(kinds, start=1))


def revised(first: tuple[Engagement, ...]) -> list[Engagement]:
    """Second revisions that come after the week: caps, fees and prices change."""
    changes = {
        number: {**other_caps(number, terms), **other_fee(number, terms), **other_prices(number, terms)}
        for number, terms in enumerate(first, start=1)
    }
    return [
        msgspec.structs.replace(first[number - 1], revision=2, **fields) for number, fields in changes.items() if fields
    ]


def _engagement(rng: random.Random, number: int, kind: ContractType) -> Engagement:
    entity = rng.choices(ENTITIES, [entity.share for entity in ENTITIES])[0]
    if number in BY_DAYS and entity.closes:
        entity = ENTITIES[0]
    if number == SUM_CLOSES:
        entity = next(each for each in ENTITIES if each.closes)
    entity = placed(number, entity)
    foreign = often(rng, 20)
    currency = rng.choice([c for c in PER_HUNDRED_EURO if c != entity.currency]) if foreign else entity.currency
    internal = kind == "internal"
    sold = Engagement(
        source="crm",
        id=f"E-{number:04}",
        revision=1,
        name=f"Sample {kind.replace('_', ' ')} {number}",
        customer_id="C-000" if internal else f"C-{rng.randint(1, CUSTOMERS):03}",
        legal_entity_id=entity.id,
        practice=rng.choice(PRACTICES),
        region=entity.region,
        currency=currency,
        contract_type=kind,
        start_date=_start(rng, number, kind),
        rates=_own_rates(rng, number, currency) if kind in BILLED_BY_TIME and has_own_rates(rng, number) else (),
        **(caps(rng, number, currency) if kind == "capped" else {}),
        fee=fee(rng, number, kind, currency),
        end_date=ENDS if number in BY_DAYS else None,
        expenses=expense_terms(number, currency),
        policies=crossing(number, currency, policies(rng, number, currency, entity)),
        discount_percent=DISCOUNTS.get(number % 10, "0"),
        discounts=DATED_DISCOUNTS.get(number % 10, ()),
        planned_revenue=None if internal else amount_text(spread(rng, 9_000_000), currency),
    )
    rates = tiered_rates(number, currency) or (() if number == BY_CARD else sold.rates)
    return msgspec.structs.replace(
        sold,
        customer_id=CUSTOMER if number == BY_CARD else sold.customer_id,
        schema_version=2 if any(rate.resource_id or rate.region for rate in rates) else 1,
        rates=rates,
        funding=funding(number, sold.customer_id, currency, sold.policies),
    )


def _start(rng: random.Random, number: int, kind: ContractType) -> dt.date:
    if kind in BILLED_BY_TERM:
        start = rng.choice((dt.date(2025, 10, 1), dt.date(2025, 10, 15), dt.date(2025, 11, 1)))
        return MONDAY.replace(day=1) if number == PAID_AHEAD else start
    return dt.date(2025, rng.randint(1, 9), 1)


def _own_rates(rng: random.Random, number: int, currency: str) -> tuple[EngagementRate, ...]:
    """Rates agreed for one engagement: by role, two of them by day, one that rises in the middle of the week.

    Analysts of one region and one person have rates of their own.
    """
    least, most = amount_text(30_000, currency), amount_text(90_000, currency)
    by_day = (
        EngagementRate(
            role=role, rate=amount_text(spread(rng, HOURLY_RATE[role] * _DAY_HOURS * 100), currency), unit="day"
        )
        for role in ("developer", "analyst")
    )
    by_hour = (
        EngagementRate(role="partner", rate=_rate(rng, "partner", currency)),
        EngagementRate(role="consultant", grade="senior", rate=_rate(rng, "principal", currency)),
        EngagementRate(item="workshop", rate=_rate(rng, "analyst", currency)),
        EngagementRate(role="consultant", rate=_rate(rng, "consultant", currency), effective_from=dt.date(2025, 1, 1)),
        EngagementRate(role="consultant", rate=_rate(rng, "consultant", currency), effective_from=dt.date(2025, 11, 5)),
    )
    named = (
        EngagementRate(role="analyst", region="dach", rate=amount_text(12_750, currency)),
        EngagementRate(resource_id=f"R-{number:04}", rate=amount_text(21_025, currency)),
    )
    return tuple(limited(number, least, most, rate) for rate in (*by_hour, *by_day, *named))


class Post(NamedTuple):
    """A person's place on an engagement, with its assignment, and whether that arrives late."""

    person: Person
    terms: Engagement
    assignment: Assignment
    late: bool


def posts(seed: int, everybody: tuple[Person, ...], sold: tuple[Engagement, ...]) -> tuple[Post, ...]:
    """Who works where: two to four engagements a person, most of the person's own legal entity."""
    rng = chance(seed, "posts")
    at_home: dict[str, list[Engagement]] = {}
    for terms in sold:
        at_home.setdefault(terms.legal_entity_id, []).append(terms)
    found: list[Post] = []
    for person in everybody:
        home = at_home.get(person.entity.id, list(sold))
        places = {
            terms.id: terms
            for terms in (rng.choice(home if often(rng, 70) else sold) for _ in range(rng.randint(2, 4)))
        }
        found += [_post(rng, person, terms, len(found) + at) for at, terms in enumerate(places.values(), start=1)]
    return tuple(found)


def _post(rng: random.Random, person: Person, terms: Engagement, number: int) -> Post:
    billed = terms.contract_type in BILLED_BY_TIME
    assignment = Assignment(
        source="psa",
        id=f"A-{number:05}",
        revision=1,
        engagement_id=terms.id,
        resource_id=person.resource.id,
        role=person.resource.role,
        booking="soft" if often(rng, 10) else "hard",
        rate=_rate(rng, person.resource.role, terms.currency) if billed and often(rng, 20) else None,
        weeks=tuple(PlannedWeek(week=week, hours=rng.choice(("8", "10", "16", "12.5"))) for week in WEEKS),
    )
    return Post(person, terms, assignment, number % LATE_ASSIGNMENTS == 0)
