"""A rate card version: immutable once sent, in force from a date until the next version of the card."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from .currencies import exponent, parse_amount
from .decimals import parse_rate
from .engagement import EngagementRate
from .errors import UndecodableError
from .volume_tiers import ParsedTiers, VolumeTiers, parse_tiers
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Revision, SecondWire, decoder

TYPE: Final = "billtide.rate-card.v1"
NAMING_VERSION: Final = 2
"""The first schema_version in which a line may name a person or a region."""

Scope = Literal["customer", "practice", "region", "default", "intercompany"]


class RateLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One rate. The most telling line wins: role and grade, then role, then item, then the card's default.

    resource_id: for this person alone; region: for people of this region (`region` of the resource). Of lines that fit,
    those of the person come first, then those of their region, then those for everybody, each in the order above.
    Both need schema_version 2.
    minimum_charge and maximum_charge: least and most that an entry at this rate is billed, in the card's currency.
    volume_tiers: other rates by the volume that is billed at this line.
    """

    rate: DecimalText
    unit: Literal["hour", "day"] = "hour"
    role: OptionalId = ""
    grade: OptionalId = ""
    item: OptionalId = ""
    minimum_charge: DecimalText | None = None
    maximum_charge: DecimalText | None = None
    volume_tiers: VolumeTiers | None = None
    resource_id: OptionalId = ""
    region: OptionalId = ""


class RateCard(SecondWire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is `{id}/{version}`. Of a version sent twice the first content counts; its topic keeps every record.

    scope and scope_id say for whom the card is: a customer, a practice, a region, or everybody. Cards of scope
    `intercompany` price what a legal entity charges another one for its people: scope_id is `SELLER/BUYER`, or the
    seller alone for all others. schema_version: 2 when a line names a person or a region, else 1.
    """

    id: Id
    version: Revision
    scope: Scope
    scope_id: OptionalId = ""
    currency: CurrencyCode
    effective_from: dt.date
    effective_to: dt.date | None = None
    lines: tuple[RateLine, ...]


decode: Final = decoder(RateCard)


class ParsedRate(msgspec.Struct, frozen=True, gc=False):
    """A rate in 10^-6 of the currency, per hour or per day. Charges: minor units, None without a limit."""

    rate: int
    unit: str
    minimum_charge: int | None = None
    maximum_charge: int | None = None
    tiers: ParsedTiers | None = None


LineKey = tuple[str, str, str, str, str]
"""Role, grade, item, person and region that a line names; empty where it does not."""


class ParsedCard(msgspec.Struct, frozen=True, gc=False):
    """A card version as the rules read it."""

    id: str
    version: int
    scope: str
    scope_id: str
    currency: str
    effective_from: dt.date
    effective_to: dt.date | None
    lines: dict[LineKey, ParsedRate]


def line_key(line: RateLine | EngagementRate, schema_version: int, field: str) -> LineKey:
    """By what a line is found; raises UndecodableError where no work could match, or older workers misread it."""
    if (line.grade and not line.role) or (line.item and line.role):
        problem = "no work is priced by a grade without its role, or by a role and an item together"
        raise UndecodableError("invalid_field", field, problem, "send role and grade, role, item, or none of them")
    if line.resource_id and line.region:
        problem = "no work is priced by a person and a region together"
        raise UndecodableError("invalid_field", field, problem, "send resource_id, region, or none of them")
    if (line.resource_id or line.region) and schema_version < NAMING_VERSION:
        # An older worker passes both fields over and prices everybody at this rate.
        problem = f"{field} names a person or a region, which is version {NAMING_VERSION}"
        raise UndecodableError("invalid_field", "$.schema_version", problem, f"send schema_version {NAMING_VERSION}")
    return line.role, line.grade, line.item, line.resource_id, line.region


def key_text(key: LineKey) -> str:
    """The combination of a line for people; a person or region only where it names one."""
    role, grade, item, resource_id, region = key
    whose = f", resource {resource_id}" if resource_id else f", region {region}" if region else ""
    return f"role {role or '-'}, grade {grade or '-'}, item {item or '-'}{whose}"


def parse_line(line: RateLine | EngagementRate, key: LineKey, currency: str, field: str) -> ParsedRate:
    """Read a line's rate with its limits; raises UndecodableError naming a field below `field`."""
    rate = parse_rate(line.rate, f"{field}.rate")
    least = _parse_charge(line.minimum_charge, currency, f"{field}.minimum_charge")
    most = _parse_charge(line.maximum_charge, currency, f"{field}.maximum_charge")
    if least is not None and most is not None and most < least:
        problem, fix = "it is below minimum_charge", "send the most that an entry is billed"
        raise UndecodableError("invalid_field", f"{field}.maximum_charge", problem, fix)
    tiers = None
    if line.volume_tiers is not None:
        tiers = parse_tiers(line.volume_tiers, rate, key_text(key), currency, f"{field}.volume_tiers")
    return ParsedRate(rate, line.unit, least, most, tiers)


def _parse_charge(text: str | None, currency: str, field: str) -> int | None:
    if text is None:
        return None
    charge = parse_amount(text, currency, field)
    if charge < 0:
        raise UndecodableError(
            "invalid_field", field, f"{text[:40]!r} is below zero", "send zero or more, or leave it out"
        )
    return charge


def parse(card: RateCard) -> ParsedCard:
    """Turn decimal text into integers and check what the types cannot say; raises UndecodableError."""
    exponent(card.currency)
    if (card.scope == "default") == bool(card.scope_id):
        raise UndecodableError(
            "invalid_field",
            "$.scope_id",
            "a default card has none, every other card has one",
            "name the customer, practice, region or legal entity",
        )
    if card.effective_to is not None and card.effective_to < card.effective_from:
        raise UndecodableError("invalid_field", "$.effective_to", "it is before effective_from", "send its last date")
    lines: dict[LineKey, ParsedRate] = {}
    for at, line in enumerate(card.lines):
        if card.scope == "intercompany" and (line.minimum_charge is not None or line.maximum_charge is not None):
            problem, fix = "a transfer rate has no minimum or maximum charge", "send the rate alone"
            raise UndecodableError("invalid_field", f"$.lines[{at}]", problem, fix)
        key = line_key(line, card.schema_version, f"$.lines[{at}]")
        if key in lines:
            problem = f"a second rate for {key_text(key)}"
            raise UndecodableError("invalid_field", f"$.lines[{at}]", problem, "send each combination once")
        lines[key] = parse_line(line, key, card.currency, f"$.lines[{at}]")
    return ParsedCard(
        card.id, card.version, card.scope, card.scope_id, card.currency, card.effective_from, card.effective_to, lines
    )
