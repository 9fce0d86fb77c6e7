"""What the firm's legal entities charge each other for their people: transfer prices and transfer cards."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.intercompany import Intercompany
from ...codecs.rate_card import RateCard, RateLine
from .happenings import chance
from .offices import ENTITIES, HOURLY_COST, PER_HUNDRED_EURO, amount_text, spread

if TYPE_CHECKING:
    from ...codecs.engagement import Policies

_AT_COST: Final = Intercompany()
LENT: Final = {
    23: _AT_COST,
    29: Intercompany(transfer_price="cost_plus", percent="7.5"),
    35: Intercompany(transfer_price="percent_of_sale", percent="82.5", elimination_entity_id="GROUP"),
    41: Intercompany(transfer_price="rate_card"),
    47: Intercompany(transfer_price="rate_card", currency="USD"),
    61: Intercompany(transfer_price="percent_of_sale", percent="66.6667"),
    81: Intercompany(transfer_price="cost_plus", percent="5.25"),
    94: _AT_COST,
    107: Intercompany(transfer_price="percent_of_sale", percent="70"),
    117: Intercompany(transfer_price="rate_card"),
}
"""By the number of the engagement. What is charged is posted in the next open month where one is closed."""
_MARK_UP: Final = 130  # in percent of what an hour costs
_FROM: Final = dt.date(2025, 1, 1)


def lent(number: int, agreed: Policies) -> Policies:
    """The policies of the engagement with this number, with what people of other legal entities are charged at."""
    if number not in LENT:
        return agreed
    return msgspec.structs.replace(agreed, intercompany=LENT[number], closed_period="next_open_period")


def transfer_cards(seed: int, late_role: str, unpriced: str) -> tuple[list[RateCard], list[RateCard]]:
    """Cards of each legal entity in each currency, one for a pair of them; and supplements with a role they lack.

    unpriced: the currency without a supplement.
    """
    rng = chance(seed, "transfer cards")
    known: list[RateCard] = []
    late: list[RateCard] = []
    for entity in ENTITIES:
        for currency in PER_HUNDRED_EURO:
            prices = {role: amount_text(spread(rng, cost * _MARK_UP), currency) for role, cost in HOURLY_COST.items()}
            lines = tuple(RateLine(role=role, rate=rate) for role, rate in prices.items())
            name = f"{entity.id}-{currency}".lower()
            card = _card(f"transfer-{name}", entity.id, currency, lines)
            known.append(card)
            if currency != unpriced:
                added = (RateLine(role=late_role, rate=prices["developer"]),)
                late.append(_card(f"transfer-late-{name}", entity.id, currency, added))
    known.append(
        _card("transfer-pair", "DE-GMBH/US-INC", "USD", (RateLine(role="consultant", rate="640", unit="day"),))
    )
    return known, late


def _card(name: str, scope_id: str, currency: str, lines: tuple[RateLine, ...]) -> RateCard:
    return RateCard(
        id=name,
        version=1,
        scope="intercompany",
        scope_id=scope_id,
        currency=currency,
        effective_from=_FROM,
        lines=lines,
    )
