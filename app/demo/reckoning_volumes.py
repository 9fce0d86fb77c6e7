"""Volumes of a reckoning: what every approved entry that is posted adds to the tiers of its engagement.

What is approved does not depend on them: an entry is judged as if it were alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...codecs.time_entry import TimeEntry
from .reckoning_money import reckon_entry
from .reckoning_time import volume_of

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement, EngagementRate
    from ...codecs.rate_card import RateLine
    from .reckoning_facts import Facts


def count_volumes(facts: Facts) -> None:
    """Keep the volumes of every engagement that has tiers among its cards."""
    tiered = {name for name, terms in facts.engagements.items() if _has_tiers(facts, terms)}
    for entry_id in facts.versions:
        if entry_id.kind != "time" or entry_id.engagement_id not in tiered:
            continue
        terms, worth = facts.engagements[entry_id.engagement_id], reckon_entry(facts, entry_id).worth
        if worth is None or not worth.approved or worth.price is None or not isinstance(worth.version, TimeEntry):
            continue
        volume = volume_of(facts, terms, worth.version)
        if volume is not None:
            facts.volumes.setdefault(terms.id, []).append(volume)


def _has_tiers(facts: Facts, terms: Engagement) -> bool:
    """Whether some line of a card that may be the engagement's has tiers."""
    scopes = ("customer", terms.customer_id), ("practice", terms.practice), ("region", terms.region), ("default", "")
    cards = [card for scope in scopes for versions in facts.cards.get(scope, {}).values() for card in versions.values()]
    lines: list[RateLine | EngagementRate] = list(terms.rates)
    lines += [line for card in cards if card.currency == terms.currency for line in card.lines]
    return any(line.volume_tiers is not None for line in lines)
