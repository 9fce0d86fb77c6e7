"""Time in a reckoning: the rate that is found, what the contract makes of it, the billed quantity, the price."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_exchange import labour_cost
from .reckoning_lookups import WaitsError, hours_in
from .reckoning_numbers import MINOR_UNITS, PLACES, in_minor_units, minor, number, rounded
from .reckoning_tiers import Part, Volume, account_of, parts_of, size_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from ...codecs.engagement import Engagement, EngagementRate, Rounding
    from ...codecs.rate_card import RateCard, RateLine
    from ...codecs.resource import Resource
    from ...codecs.time_entry import TimeEntry
    from ...codecs.volume_tiers import VolumeTiers
    from .reckoning_facts import Facts

_BY_THE_HOUR: Final = {"time_and_materials", "capped"}
_MODES: Final[dict[str, Rounding]] = {"nearest": "half_up", "up": "up", "down": "down"}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR_MINUTES: Final = 60

Line = tuple[str, str, str, str, str]
"""Role, grade, item, person and the person's region that a line of a card names."""
Scopes = tuple[tuple[str, str], ...]
"""Scope and scope id of cards, those that win first."""


class Rate(NamedTuple):
    """Money for an hour or a day; least and most: minor units that an entry at this rate is billed.

    tiers: other rates by volume; line: of which card they are.
    """

    amount: Fraction
    unit: str
    least: int | None = None
    most: int | None = None
    tiers: VolumeTiers | None = None
    line: str = ""


def time_worth(facts: Facts, terms: Engagement, entry: TimeEntry, fx_on: dt.date) -> tuple[int, int | None]:
    """Cost and price of worked time, in minor units of the contract's currency. fx_on: day of exchange rates."""
    hours = number(entry.quantity) * hours_in(entry.unit, terms)
    person = facts.resources.get(entry.resource_id)
    if person is None:
        raise WaitsError("resource_unknown")
    cost = labour_cost(facts, terms, person, hours, entry.work_date, fx_on)
    draws = terms.contract_type == "retainer" and terms.fee is not None and terms.fee.drawdown is not None
    if not entry.billable or not (draws or terms.contract_type in _BY_THE_HOUR):
        return cost, None
    return cost, _billed(facts, terms, entry, person)[0]


def exact_price(facts: Facts, terms: Engagement, entry: TimeEntry) -> Fraction:
    """The price of worked time in minor units as it is before it is rounded; a limited one is agreed as it is."""
    person = facts.resources.get(entry.resource_id)
    if person is None:
        raise WaitsError("resource_unknown")
    return _billed(facts, terms, entry, person)[1]


def _billed(facts: Facts, terms: Engagement, entry: TimeEntry, person: Resource) -> tuple[int, Fraction]:
    """What the customer pays, rounded and exactly."""
    rate = _found(facts, terms, entry, person)
    billed = _billed_hours(terms, entry, rate.unit)
    charged = sum(
        (_charged(terms, entry, rate._replace(amount=part.rate)).amount * part.share)
        for part in _parts(facts, terms, entry, rate, billed)
    )
    exact = billed * charged / hours_in(rate.unit, terms)
    price = in_minor_units(exact, terms.currency, terms.policies.rounding)
    limited = _limited(price, billed, rate)
    return limited, Fraction(limited) if limited != price else exact * 10 ** MINOR_UNITS[terms.currency]


def _parts(facts: Facts, terms: Engagement, entry: TimeEntry, rate: Rate, billed: Fraction) -> list[Part]:
    """Rates of an entry with the share that is billed at each: one, where it lies in one tier or there are none."""
    if rate.tiers is None:
        return [Part(rate.amount, Fraction(1))]
    own = _volume(terms, entry, rate, rate.tiers, billed)
    return parts_of(rate.tiers, rate.amount, own, facts.volumes.get(terms.id, ()))


def volume_of(facts: Facts, terms: Engagement, entry: TimeEntry) -> Volume | None:
    """What an entry adds to the tiers of its line, None where that has none. Raises WaitsError."""
    person = facts.resources.get(entry.resource_id)
    if person is None:
        raise WaitsError("resource_unknown")
    rate = _found(facts, terms, entry, person)
    if rate.tiers is None:
        return None
    return _volume(terms, entry, rate, rate.tiers, _billed_hours(terms, entry, rate.unit))


def _volume(terms: Engagement, entry: TimeEntry, rate: Rate, tiers: VolumeTiers, billed: Fraction) -> Volume:
    account = account_of(tiers, rate.line, entry.work_date, terms.start_date)
    size = size_of(tiers, billed, rate.amount, hours_in(rate.unit, terms))
    return Volume(account, (entry.work_date, entry.source, entry.id), size)


def _charged(terms: Engagement, entry: TimeEntry, rate: Rate) -> Rate:
    """The rate times its multiplier less the discount, rounded once to the places of a rate; if any of them counts."""
    multiplier = Fraction(1) if entry.rate is not None else _multiplier(terms, entry)
    discount = _discount(terms, entry.work_date)
    if multiplier == 1 and not discount:
        return rate
    exact = rate.amount * multiplier * (100 - discount) / 100
    return rate._replace(amount=Fraction(rounded(exact * 10**PLACES, terms.policies.rounding), 10**PLACES))


def _discount(terms: Engagement, on: dt.date) -> Fraction:
    """Percent off: of the dated ones that cover the day, the one that begins last, else the one without dates."""
    begun = [each for each in terms.discounts if each.effective_from <= on]
    covering = [each for each in begun if each.effective_to is None or on <= each.effective_to]
    latest = max(covering, key=lambda each: each.effective_from, default=None)
    return number(terms.discount_percent if latest is None else latest.percent)


def _multiplier(terms: Engagement, entry: TimeEntry) -> Fraction:
    """Of the kind of work, the weekend and the holiday: the largest that applies, or all of them."""
    agreed, changes = terms.policies.multipliers, terms.policies.multiplier_changes
    begun = [change for change in changes if change.effective_from <= entry.work_date]
    if begun:
        agreed = max(begun, key=lambda change: change.effective_from).multipliers
    if agreed is None:
        return Fraction(1)
    texts = (
        agreed.by_work_type.get(entry.work_type),
        agreed.weekend if _DAYS[entry.work_date.weekday()] in agreed.weekend_days else None,
        agreed.holiday if entry.work_date in agreed.holidays else None,
    )
    applying = [number(text) for text in texts if text is not None]
    if not applying:
        return Fraction(1)
    return prod(applying, start=Fraction(1)) if agreed.stacking == "multiply" else max(applying)


def _billed_hours(terms: Engagement, entry: TimeEntry, rate_unit: str) -> Fraction:
    """Hours the customer pays for: what the entry says, else the agreed share of what was worked; then rounded."""
    policy, day = terms.policies.time_rounding, hours_in("day", terms)
    if entry.billable_quantity is not None:
        hours = number(entry.billable_quantity) * hours_in(entry.unit, terms)
    else:
        share = Fraction(1) if policy is None else number(policy.factor_percent) / 100
        hours = number(entry.quantity) * hours_in(entry.unit, terms) * share
    size, sign = abs(hours), 1 if hours >= 0 else -1
    if terms.policies.day_rounding == "half_day" and rate_unit == "day":
        halves = rounded(size * 2 / day, "up")
        if entry.unit != "day":
            halves = min(halves, 2)
        return sign * halves * day / 2
    if policy is None:
        return hours
    minutes = rounded(size * _HOUR_MINUTES / policy.unit_minutes, _MODES[policy.mode]) * policy.unit_minutes
    if size:
        minutes = max(minutes, policy.minimum_minutes)
    return Fraction(sign * minutes, _HOUR_MINUTES)


def _limited(price: int, billed: Fraction, rate: Rate) -> int:
    """A price between the least and the most charge of its rate; nothing billed stays nothing."""
    sign = 1 if billed > 0 else -1
    if rate.least is not None and abs(price) < rate.least and billed:
        return sign * rate.least
    if rate.most is not None and abs(price) > rate.most:
        return sign * rate.most
    return price


def _found(facts: Facts, terms: Engagement, entry: TimeEntry, person: Resource) -> Rate:
    """Billing rate of an entry: its own, its assignment's, or the first card that has one."""
    if entry.rate is not None:
        return Rate(number(entry.rate), "hour")
    if entry.assignment_id:
        plan = facts.assignments.get((entry.source, entry.engagement_id, entry.assignment_id))
        if plan is None:
            raise WaitsError("assignment_unknown")
        if plan.rate is not None:
            return Rate(number(plan.rate), "hour")
    return _on_lines(_cards(facts, terms, entry.work_date), entry, person)


def rate_on_cards(facts: Facts, scopes: Scopes, currency: str, entry: TimeEntry, person: Resource) -> Rate:
    """The rate of the first card of some scopes, in a currency, that has one; raises WaitsError."""
    return _on_lines(_in_scopes(facts, scopes, currency, entry.work_date), entry, person)


def _on_lines(cards: Iterable[dict[Line, Rate]], entry: TimeEntry, person: Resource) -> Rate:
    """The most telling line of the first card that has one for the work."""
    role, grade, item = entry.role or person.role, entry.grade or person.grade, entry.item
    for lines in cards:
        for named in ((person.id, ""), ("", person.region), ("", "")):
            if role and grade and (role, grade, "", *named) in lines:
                return lines[role, grade, "", *named]
            if role and (role, "", "", *named) in lines:
                return lines[role, "", "", *named]
            if item and ("", "", item, *named) in lines:
                return lines["", "", item, *named]
            if ("", "", "", *named) in lines:
                return lines["", "", "", *named]
    raise WaitsError("rate_missing")


def _cards(facts: Facts, terms: Engagement, on: dt.date) -> Iterator[dict[Line, Rate]]:
    """Lines of every card in force on a date, the card that wins first. Practice and region are the engagement's."""
    own = sorted((line for line in terms.rates if line.effective_from <= on), key=lambda line: line.effective_from)
    yield {line_of(line): _rate(line, terms.currency, "") for line in own}
    scopes = (
        ("customer", terms.customer_id),
        ("practice", terms.practice),
        ("region", terms.region),
        ("default", ""),
    )
    yield from _in_scopes(facts, scopes, terms.currency, on)


def _in_scopes(facts: Facts, scopes: Scopes, currency: str, on: dt.date) -> Iterator[dict[Line, Rate]]:
    """Lines of every card of these scopes in a currency that is in force on a date."""
    for scope in scopes:
        cards = facts.cards.get(scope, {})
        for card_id in sorted(cards):
            card = _in_force([card for card in cards[card_id].values() if card.currency == currency], on)
            if card is not None:
                yield {line_of(line): _rate(line, card.currency, card_id) for line in card.lines}


def line_of(line: RateLine | EngagementRate) -> Line:
    """What a line of a card names."""
    return line.role, line.grade, line.item, line.resource_id, line.region


def _rate(line: RateLine | EngagementRate, currency: str, card: str) -> Rate:
    least, most = (
        None if text is None else minor(text, currency) for text in (line.minimum_charge, line.maximum_charge)
    )
    name = "/".join((card, *line_of(line)))
    return Rate(number(line.rate), line.unit, least, most, line.volume_tiers, name)


def _in_force(versions: list[RateCard], on: dt.date) -> RateCard | None:
    """The version of a card that began last; when that one has ended, no older one takes its place."""
    begun = [card for card in versions if card.effective_from <= on]
    if not begun:
        return None
    latest = max(begun, key=lambda card: (card.effective_from, card.version))
    ended = latest.effective_to is not None and latest.effective_to < on
    return None if ended else latest
