"""What crosses currencies, legal entities and systems: how some of the firm's contracts convert and book.

Which contracts goes by their numbers, so that each way is there whatever the seed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.decimals import format_scaled
from ...codecs.fx_policy import AgreedFxRate, FxPolicy
from ...codecs.fx_rate import FxRate
from .bookkeeping import MAPPED, booked
from .happenings import chance
from .lending import lent
from .offices import ENTITIES, LATE_CURRENCY, LATE_PER_HUNDRED_EURO, PER_HUNDRED_EURO

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement, Policies
    from .offices import Entity

AVERAGED: Final = (8, 19, 56, 76, 104, 114)
"""Engagements, by number, converted at averages of the month, over the euro; the opposite quotations are missing."""
STEPPED: Final = (15, 32, 68, 88)
"""Engagements converted over the euro at the plain rates of the day."""
RATES_FIXED: Final = (10, 22, 77, 106)
"""Engagements whose terms fix the rates."""
BOOKED: Final = (25, 60, 78)
"""Engagements converted at the average of the month they are posted in, of an entity whose months stay as they are."""
DATED: Final = (26, 44)
"""T&M engagements whose charges are dated by their approval, of entities that close no month; anybody approves them."""
SUBMITTED: Final = (29, 48)
"""T&M engagements whose charges are dated by the day of submission, of entities that close no month."""
REVIEWED_LATE: Final = (3, 9, 19, 23, 28, 38, 46)
"""T&M engagements whose corrections in closed months are reviewed, of entities with a closed October, which for some
opens again; they close no month."""
CONVERTED_WHEN_APPROVED: Final = (44, 50)
"""T&M engagements converted at the rates of the day of approval."""
AVERAGE: Final = "average"
_HUB: Final = "EUR"
_PLACES: Final = 6
_MONTHS: Final = tuple(dt.date(2025, month, 1) for month in (9, 10, 11, 12))


def placed(number: int, entity: Entity) -> Entity:
    """The legal entity of the engagement with this number, in place of one by chance where it matters."""
    if number in MAPPED:
        return next(each for each in ENTITIES if each.id == MAPPED[number])
    if number in BOOKED:
        return next(each for each in ENTITIES if each.october == "closed" and not each.closes)
    if number in REVIEWED_LATE and entity.october == "open":
        return next(each for each in ENTITIES if each.october == "closed")
    return ENTITIES[0] if number in (*DATED, *SUBMITTED) and entity.closes else entity


def crossing(number: int, currency: str, agreed: Policies) -> Policies:
    """The policies of the engagement with this number, with its ways across."""
    agreed = lent(number, booked(number, agreed))
    by_average = FxPolicy(rate_type=AVERAGE, quotation="either", base_currency=_HUB)
    if number in DATED:
        agreed = msgspec.structs.replace(agreed, accounting_date="approval_date", closed_period="next_open_period")
    if number in SUBMITTED:
        agreed = msgspec.structs.replace(agreed, accounting_date="submission_date", closed_period="next_open_period")
    if number in REVIEWED_LATE:
        agreed = msgspec.structs.replace(agreed, closed_period="review_corrections")
    if number in CONVERTED_WHEN_APPROVED:
        return msgspec.structs.replace(agreed, fx_policy=FxPolicy(date="approval_date"))
    if number in AVERAGED:
        return msgspec.structs.replace(agreed, fx_policy=by_average)
    if number in STEPPED:
        return msgspec.structs.replace(agreed, fx_policy=FxPolicy(base_currency=_HUB))
    if number in RATES_FIXED:
        return msgspec.structs.replace(agreed, fx_policy=FxPolicy(agreed_rates=_fixed(number, currency)))
    if number in BOOKED:
        as_posted = msgspec.structs.replace(by_average, date="accounting_date")
        return msgspec.structs.replace(agreed, fx_policy=as_posted, closed_period="next_open_period")
    return agreed


def needs_day(terms: Engagement) -> bool:
    """Whether the contract wants to know on which day its entries are approved: then all who decide say it."""
    fx, accounting = terms.policies.fx_policy, terms.policies.accounting_date
    return accounting == "approval_date" or (fx is not None and fx.date == "approval_date")


def says_day(terms: Engagement) -> bool:
    """Whether who hands in entries for the contract says on which day."""
    return terms.policies.accounting_date == "submission_date"


def _fixed(number: int, currency: str) -> tuple[AgreedFxRate, ...]:
    """A rate for each of the firm's other currencies, some percent off the market's."""
    percent = 100 + number % 7
    return tuple(
        AgreedFxRate(base=base, rate=_text(PER_HUNDRED_EURO[currency] * percent, PER_HUNDRED_EURO[base] * 100))
        for base in PER_HUNDRED_EURO
        if base != currency
    )


def averages(seed: int) -> tuple[list[FxRate], list[FxRate]]:
    """Averages of each month from the euro into the firm's other currencies, and those that arrive late."""
    rng = chance(seed, "average rates")
    known = [
        _average(quote, month, PER_HUNDRED_EURO[quote] * (980 + rng.randint(0, 40)), 100_000)
        for month in _MONTHS
        for quote in PER_HUNDRED_EURO
        if quote != _HUB
    ]
    late = [_average(LATE_CURRENCY, month, LATE_PER_HUNDRED_EURO, 100) for month in _MONTHS]
    return known, late


def _average(quote: str, month: dt.date, numerator: int, denominator: int) -> FxRate:
    last = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return FxRate(
        base=_HUB,
        quote=quote,
        valid_from=month,
        valid_to=last,
        rate=_text(numerator, denominator),
        rate_type=AVERAGE,
    )


def _text(numerator: int, denominator: int) -> str:
    """A quotient as a rate, cut to its places."""
    return format_scaled(numerator * 10**_PLACES // denominator, _PLACES)
