"""A resource: the person who works, where they belong, and what an hour of them costs from when on."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from .currencies import exponent
from .decimals import parse_rate
from .durations import HOUR, parse_duration
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.resource.v1"


class CostRate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Cost of an hour from a date on, until the next."""

    rate: DecimalText
    currency: CurrencyCode
    effective_from: dt.date = dt.date.min


class Resource(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One person. Key is id. role and grade are the defaults of entries that carry none."""

    id: Id
    revision: Revision
    legal_entity_id: Id
    role: OptionalId = ""
    grade: OptionalId = ""
    practice: OptionalId = ""
    region: OptionalId = ""
    weekly_capacity_hours: DecimalText = "40"
    cost_rates: tuple[CostRate, ...] = ()


decode: Final = decoder(Resource)


class ParsedCostRate(msgspec.Struct, frozen=True, gc=False):
    """Cost of an hour in 10^-6 of the currency, from a date on."""

    effective_from: dt.date
    rate: int
    currency: str


class ParsedResource(msgspec.Struct, frozen=True, gc=False):
    """A resource as the rules read it: capacity in microseconds a week, cost rates by date, latest first."""

    id: str
    revision: int
    legal_entity_id: str
    role: str
    grade: str
    practice: str
    region: str
    weekly_capacity: int
    cost_rates: tuple[ParsedCostRate, ...]


def parse(resource: Resource) -> ParsedResource:
    """Turn decimal text into integers; raises UndecodableError."""
    rates: list[ParsedCostRate] = []
    for at, cost in enumerate(resource.cost_rates):
        exponent(cost.currency, f"$.cost_rates[{at}].currency")
        rates.append(
            ParsedCostRate(cost.effective_from, parse_rate(cost.rate, f"$.cost_rates[{at}].rate"), cost.currency)
        )
    return ParsedResource(
        resource.id,
        resource.revision,
        resource.legal_entity_id,
        resource.role,
        resource.grade,
        resource.practice,
        resource.region,
        parse_duration(resource.weekly_capacity_hours, "hour", HOUR, "$.weekly_capacity_hours"),
        tuple(sorted(rates, key=lambda cost: cost.effective_from, reverse=True)),
    )
