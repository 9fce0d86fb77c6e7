"""What changes back in time after the week: prices of contracts, cards, cost, exchange rates; and entries again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...codecs.decimals import RATE_PLACES, format_plain, parse_scaled
from ...codecs.engagement import ExpenseTerms
from ...codecs.expense import Expense
from ...codecs.time_entry import TimeEntry
from .happenings import FORGOTTEN, FRIDAY, MINUTE_MILLISECONDS, MONDAY, NEXT_MONDAY, chance, happening
from .offices import ENTITIES, RAISE
from .spending import corrected

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from ...codecs.engagement import Engagement
    from ...codecs.fx_rate import FxRate
    from ...codecs.rate_card import RateCard
    from ...codecs.resource import CostRate, Resource
    from .happenings import Happening

DISCOUNTED, ROUNDED_ANEW, SPENT_ANEW, PLAIN_AGAIN, APPROVED_ANEW, SOLD_ON = 11, 12, 13, 14, 16, 17
"""T&M engagements whose terms change: a discount, rounding, expense terms, no multipliers, levels, another customer."""
CARD_RAISED: Final = "standard-eur"
COST_RAISED: Final = ("R-0005", "R-0033", "R-0077")
"""People who turn out to have cost more since the raise."""
FX_CORRECTED: Final = ("GBP", "EUR")
CORRECTED_LATE: Final = 60
"""Entries that are corrected when everything else has come, also in a month that has closed."""
ADJUSTED_LATE: Final = 30
"""Entries among them, at most, of engagements whose month closes and whose corrections are lines of the difference."""
REVIEWED_REVISION, LATE_REVISION = 8, 9
_HOUR_MILLISECONDS: Final = 60 * MINUTE_MILLISECONDS
_CLOSE: Final = frozenset(entity.id for entity in ENTITIES if entity.closes)


def other_prices(number: int, first: Engagement) -> dict[str, Any]:
    """Fields of an engagement's second revision that price its entries anew; none where they stay."""
    policies = first.policies
    fields: dict[int, dict[str, Any]] = {
        DISCOUNTED: {"discount_percent": "4.25"},
        ROUNDED_ANEW: {"policies": msgspec.structs.replace(policies, rounding="up", time_rounding=None)},
        SPENT_ANEW: {"expenses": ExpenseTerms(policy="mark_up", mark_up_percent="10")},
        PLAIN_AGAIN: {"policies": msgspec.structs.replace(policies, multipliers=None, multiplier_changes=())},
        APPROVED_ANEW: {"policies": msgspec.structs.replace(policies, approval_levels=("manager", "finance"))},
        SOLD_ON: {"customer_id": "C-031"},
    }
    return fields.get(number, {})


def other_reference_data(
    cards: Sequence[RateCard], people: Sequence[Resource], rates: Sequence[FxRate]
) -> Iterator[RateCard | Resource | FxRate]:
    """A third version of a card, higher cost of a few people, and a corrected exchange rate, all for days gone by."""
    for card in cards:
        if card.id == CARD_RAISED and card.effective_from == RAISE:
            lines = tuple(msgspec.structs.replace(line, rate=_raised(line.rate)) for line in card.lines)
            yield msgspec.structs.replace(card, version=3, lines=lines)
    for person in people:
        if person.id in COST_RAISED:
            yield msgspec.structs.replace(person, revision=5, cost_rates=tuple(map(_costlier, person.cost_rates)))
    for rate in rates:
        if (rate.base, rate.quote) == FX_CORRECTED and rate.valid_from == MONDAY:
            yield msgspec.structs.replace(rate, revision=2, rate=_raised(rate.rate))


def _raised(rate: str) -> str:
    """Two percent more, to the places of a rate."""
    return format_plain(parse_scaled(rate, RATE_PLACES, "$.rate") * 102 // 100, RATE_PLACES)


def _costlier(cost: CostRate) -> CostRate:
    return msgspec.structs.replace(cost, rate=_raised(cost.rate)) if cost.effective_from == RAISE else cost


def late_corrections(
    seed: int, load: Sequence[Happening], sold: Sequence[Engagement], dated: frozenset[str]
) -> Iterator[TimeEntry | Expense]:
    """Approved entries of the week, corrected after everything else; none that has moved to another engagement.

    Some are of engagements whose corrections are lines of the difference, in a month that has closed. dated:
    engagements that want the day of every approval, which a source does not say.
    """
    rng = chance(seed, "late corrections")
    approved = [
        what.thing
        for what in _latest(load)
        if what.thing.status == "approved" and what.thing.engagement_id not in dated
    ]
    chosen = {entry.id: entry for entry in rng.sample(approved, CORRECTED_LATE)}
    adjusted = {terms.id for terms in sold if terms.policies.correction == "adjust" and terms.legal_entity_id in _CLOSE}
    closed = [entry for entry in approved if isinstance(entry, TimeEntry) and entry.engagement_id in adjusted]
    for entry in ({entry.id: entry for entry in closed[:ADJUSTED_LATE]} | chosen).values():
        yield _corrected(entry, LATE_REVISION, NEXT_MONDAY)


def corrections_of_last_month(load: Sequence[Happening], sold: Sequence[Engagement]) -> Iterator[Happening]:
    """Entries of the week before, corrected in the source where corrections in closed months are reviewed."""
    names = {terms.id for terms in sold if terms.policies.closed_period == "review_corrections"}
    for what in _latest(load):
        entry = what.thing
        day = entry.work_date if isinstance(entry, TimeEntry) else entry.spent_on
        if entry.engagement_id in names and day in FORGOTTEN and entry.status in {"submitted", "approved"}:
            yield happening(what.at + _HOUR_MILLISECONDS, _corrected(entry, REVIEWED_REVISION, FRIDAY))


class _Entered(NamedTuple):
    """The latest revision of an entry, and when it was sent."""

    at: int
    thing: TimeEntry | Expense


def _latest(load: Sequence[Happening]) -> list[_Entered]:
    """Every entry of the week that has not moved to another engagement."""
    latest: dict[str, _Entered] = {}
    moved: set[str] = set()
    for what in load:
        entry = what.thing
        if isinstance(entry, TimeEntry | Expense):
            known = latest.get(entry.id)
            if known is not None and known.thing.engagement_id != entry.engagement_id:
                moved.add(entry.id)
            if known is None or entry.revision > known.thing.revision:
                latest[entry.id] = _Entered(what.at, entry)
    return [entered for name, entered in latest.items() if name not in moved]


def _corrected(entry: TimeEntry | Expense, revision: int, day: dt.date) -> TimeEntry | Expense:
    """About a quarter less, approved by the source; where the entry says when it was submitted, on that day."""
    submitted_on = None if entry.submitted_on is None else day
    again = msgspec.structs.replace(entry, revision=revision, status="approved", submitted_on=submitted_on)
    if isinstance(again, Expense):
        return msgspec.structs.replace(again, **corrected(again))
    quantity = parse_scaled(again.quantity, RATE_PLACES, "$.quantity") * 3 // 4
    return msgspec.structs.replace(again, quantity=format_plain(quantity, RATE_PLACES), billable_quantity=None)
