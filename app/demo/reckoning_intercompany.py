"""Intercompany in a reckoning: what the work of another legal entity's person is charged, in the books of both.

Each approved entry leaves four journals: a sale in the books of the person's entity, a purchase in those of the
engagement's, and the opposite of both where the firm is consolidated.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.time_entry import TimeEntry
from .reckoning_exchange import cost_in_own_currency, way
from .reckoning_expense import own_cost
from .reckoning_lookups import WaitsError, hours_in
from .reckoning_numbers import PERCENT_PLACES, in_minor_units, minor, number, refuse_when, rounded
from .reckoning_time import rate_on_cards

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from ...codecs.engagement import Engagement
    from ...codecs.intercompany import Intercompany
    from ...codecs.resource import Resource
    from .reckoning_facts import Entry, Facts

_TAKES_PERCENT: Final = {"cost_plus", "percent_of_sale"}

Leg = tuple[str, str, str, str]
"""Kind of a journal, the legal entity in whose books it is, the other one, and its currency."""


class Transfer(NamedTuple):
    """What the entity of a person charges: minor units of a currency in its own books, and in the contract's."""

    seller: str
    sale: int
    currency: str
    purchase: int


def transfer_of(facts: Facts, terms: Engagement, version: Entry, price: int | None, fx_on: dt.date) -> Transfer | None:
    """The charge of a version at this price; None where its person is of the engagement's entity. Raises WaitsError."""
    agreed = terms.policies.intercompany
    if agreed is None:
        return None
    person = facts.resources.get(version.resource_id)
    if person is None:
        raise WaitsError("resource_unknown")
    if person.legal_entity_id == terms.legal_entity_id:
        return None
    _, currency = _own_cost(terms, version, person)
    charged, charged_in = _charged(facts, terms, agreed, version, person, price)
    sale = way(facts, terms, charged_in, fx_on, currency).of(charged)
    return Transfer(person.legal_entity_id, sale, currency, way(facts, terms, charged_in, fx_on).of(charged))


def _own_cost(terms: Engagement, version: Entry, person: Resource) -> tuple[int, str]:
    """Cost in the currency of the cost or of the spending, and that."""
    if isinstance(version, TimeEntry):
        hours = number(version.quantity) * hours_in(version.unit, terms)
        return cost_in_own_currency(person, hours, version.work_date)
    return own_cost(terms, version), version.currency


def _charged(
    facts: Facts, terms: Engagement, agreed: Intercompany, version: Entry, person: Resource, price: int | None
) -> tuple[int, str]:
    """The transfer price in minor units of the currency it is agreed in, and that; expenses are passed on at cost."""
    cost, currency = _own_cost(terms, version, person)
    rounding = terms.policies.rounding
    if isinstance(version, TimeEntry) and agreed.transfer_price == "rate_card":
        currency, seller = agreed.currency or terms.currency, person.legal_entity_id
        scopes = (("intercompany", f"{seller}/{terms.legal_entity_id}"), ("intercompany", seller))
        rate = rate_on_cards(facts, scopes, currency, version, person)
        hours = number(version.quantity) * hours_in(version.unit, terms)
        return in_minor_units(hours * rate.amount / hours_in(rate.unit, terms), currency, rounding), currency
    if isinstance(version, TimeEntry) and agreed.transfer_price == "percent_of_sale" and price is not None:
        return rounded(price * number(agreed.percent or "0", PERCENT_PLACES) / 100, rounding), terms.currency
    if isinstance(version, TimeEntry) and agreed.transfer_price == "cost_plus":
        return rounded(cost * (100 + number(agreed.percent or "0", PERCENT_PLACES)) / 100, rounding), currency
    return cost, currency


def legs(terms: Engagement, transfers: Iterable[Transfer]) -> Counter[Leg]:
    """What the journals of all charges come to, by kind, entities and currency; without those of nothing."""
    agreed, buyer = terms.policies.intercompany, terms.legal_entity_id
    found: Counter[Leg] = Counter()
    for charge in transfers if agreed is not None else ():
        seller, apart = charge.seller, "" if agreed is None else agreed.elimination_entity_id
        found["intercompany_sale", seller, buyer, charge.currency] += charge.sale
        found["sale_elimination", apart, seller, charge.currency] -= charge.sale
        found["intercompany_purchase", buyer, seller, terms.currency] += charge.purchase
        found["purchase_elimination", apart, buyer, terms.currency] -= charge.purchase
    return Counter({leg: amount for leg, amount in found.items() if amount})


def check_intercompany(terms: Engagement) -> None:
    """A percentage belongs to two of the transfer prices alone, and is not below zero; raises UnreadableError."""
    agreed = terms.policies.intercompany
    if agreed is not None:
        refuse_when((agreed.transfer_price in _TAKES_PERCENT) == (agreed.percent is None), "percent")
        refuse_when(number(agreed.percent or "0", PERCENT_PLACES) < 0, "percent below zero")
        minor("0", agreed.currency or terms.currency)
