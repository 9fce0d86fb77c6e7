"""Reference data: rate cards, resources, exchange rates, periods, account maps, shared by all tasks of a worker.

Read from compacted topics by everybody, changed by nobody here. Each accepted record says what it wakes, in
the words of `Hold.waits_on`. Records that cannot be decoded are kept with their error, for the one task that
puts them on the dead-letter topic.
"""

from __future__ import annotations

import bisect
import datetime as dt
from typing import Final

from ..codecs.account_map import AccountMap, ParsedAccountMap
from ..codecs.account_map import parse as parse_account_map
from ..codecs.decimals import FX_DIGITS_MAX, FX_PLACES, parse_scaled
from ..codecs.engagement import Engagement
from ..codecs.errors import UndecodableError
from ..codecs.fx_rate import FxRate
from ..codecs.period import Period
from ..codecs.rate_card import ParsedCard, RateCard
from ..codecs.rate_card import parse as parse_card
from ..codecs.resource import ParsedResource, Resource
from ..codecs.resource import parse as parse_resource


class FxTable:
    """Exchange rates of one pair of currencies, by date."""

    def __init__(self) -> None:
        """Start without rates."""
        self._starts: list[dt.date] = []
        self._rates: list[tuple[dt.date, int, int]] = []

    def put(self, start: dt.date, end: dt.date, rate: int, revision: int) -> bool:
        """Set the rate from start to end (10^-10 of the quote currency); False when an equal or later one stands."""
        at = bisect.bisect_left(self._starts, start)
        if at < len(self._starts) and self._starts[at] == start:
            if self._rates[at][2] >= revision:
                return False
            self._rates[at] = (end, rate, revision)
        else:
            self._starts.insert(at, start)
            self._rates.insert(at, (end, rate, revision))
        return True

    def ranges(self) -> list[tuple[dt.date, dt.date, int, int]]:
        """Start, end, rate (10^-10) and revision of every rate, in the order of their starts."""
        return [(start, *rate) for start, rate in zip(self._starts, self._rates, strict=True)]

    def on(self, date: dt.date) -> int | None:
        """Return the rate in force on a date: of the ranges that cover it, the one that starts last."""
        at = bisect.bisect_right(self._starts, date) - 1
        while at >= 0:
            end, rate, _ = self._rates[at]
            if date <= end:
                return rate
            at -= 1
        return None


class Reference:
    """Everything that is looked up and not owned by an engagement. version rises with each accepted change.

    offsets: the next offset of each stream that whoever reads it has taken in, for the audit.
    """

    def __init__(self) -> None:
        """Start empty; complete once every reference topic was read to its end."""
        self.version = 0
        self.offsets: Final[dict[str, int]] = {}
        self.cards: Final[dict[tuple[str, str], list[ParsedCard]]] = {}
        self._card_versions: Final[dict[tuple[str, int], ParsedCard]] = {}
        self.resources: Final[dict[str, ParsedResource]] = {}
        self.account_maps: Final[dict[str, dict[int, ParsedAccountMap]]] = {}
        self.periods: Final[dict[str, dict[str, Period]]] = {}
        self._fx: Final[dict[tuple[str, str, str], FxTable]] = {}

    def put_rate_card(self, card: RateCard) -> str | None:
        """Add a card version; the same version again changes nothing, with other content it is refused.

        So the first content counts, after a restart too: the topic keeps every record and is never compacted.
        """
        parsed = parse_card(card)
        known = self._card_versions.get((parsed.id, parsed.version))
        if known is not None:
            if known != parsed:
                raise UndecodableError(
                    "invalid_field",
                    "$.version",
                    f"version {card.version} of {card.id!r} was already sent with other rates",
                    "send a new version",
                )
            return None
        self._card_versions[parsed.id, parsed.version] = parsed
        self.cards.setdefault((parsed.scope, parsed.scope_id), []).append(parsed)
        return self._changed(f"rates:{parsed.currency}")

    def put_resource(self, resource: Resource) -> str | None:
        """Set a person's latest revision; an equal or lower one changes nothing."""
        parsed = parse_resource(resource)
        known = self.resources.get(parsed.id)
        if known is not None and known.revision >= parsed.revision:
            return None
        self.resources[parsed.id] = parsed
        return self._changed(f"resource:{parsed.id}")

    def put_fx_rate(self, fx: FxRate) -> str | None:
        """Set a rate for its dates; an equal or lower revision of the same start changes nothing."""
        rate = parse_scaled(fx.rate, FX_PLACES, "$.rate", FX_DIGITS_MAX)
        end = fx.valid_to or fx.valid_from
        if rate <= 0:
            raise UndecodableError(
                "invalid_field", "$.rate", f"{fx.rate!r} is not above zero", "send units of quote for one unit of base"
            )
        if end < fx.valid_from:
            raise UndecodableError(
                "invalid_field", "$.valid_to", "it is before valid_from", "send the last date on which the rate holds"
            )
        table = self._fx.setdefault((fx.base, fx.quote, fx.rate_type), FxTable())
        if not table.put(fx.valid_from, end, rate, fx.revision):
            return None
        return self._changed(f"fx:{fx.base}/{fx.quote}")

    def put_period(self, period: Period) -> str | None:
        """Set a period's latest revision; an equal or lower one changes nothing."""
        if period.end_date < period.start_date:
            raise UndecodableError(
                "invalid_field", "$.end_date", "it is before start_date", "send the last date of the period"
            )
        periods = self.periods.setdefault(period.legal_entity_id, {})
        known = periods.get(period.id)
        if known is not None and known.revision >= period.revision:
            return None
        periods[period.id] = period
        return self._changed(f"period:{period.legal_entity_id}")

    def put_account_map(self, sent: AccountMap) -> str | None:
        """Add a map version; the same version again changes nothing, with other content it is refused, as of a card."""
        parsed = parse_account_map(sent)
        versions = self.account_maps.setdefault(parsed.legal_entity_id, {})
        known = versions.get(parsed.version)
        if known is not None:
            if known != parsed:
                problem = f"version {sent.version} of {sent.legal_entity_id!r} was already sent with other numbers"
                raise UndecodableError("invalid_field", "$.version", problem, "send a new version")
            return None
        versions[parsed.version] = parsed
        return self._changed(f"accounts:{parsed.legal_entity_id}")

    def cards_for(self, engagement: Engagement) -> tuple[tuple[ParsedCard, ...], ...]:
        """Cards that may price an engagement, in its currency, by precedence: customer, practice, region, default."""
        scopes = (
            ("customer", engagement.customer_id),
            ("practice", engagement.practice),
            ("region", engagement.region),
            ("default", ""),
        )
        found = (self.cards.get(scope, ()) if scope[1] or scope[0] == "default" else () for scope in scopes)
        return tuple(tuple(card for card in cards if card.currency == engagement.currency) for cards in found)

    def transfer_cards(self, seller: str, buyer: str, currency: str) -> tuple[tuple[ParsedCard, ...], ...]:
        """Cards that may price what one legal entity charges another, in a currency: of the two, then of the seller."""
        found = (self.cards.get(("intercompany", scope_id), ()) for scope_id in (f"{seller}/{buyer}", seller))
        return tuple(tuple(card for card in cards if card.currency == currency) for cards in found)

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        """Units of quote for one unit of base on a date, in 10^-10; None when no rate of the kind covers the date."""
        table = self._fx.get((base, quote, rate_type))
        return None if table is None else table.on(date)

    def fx_ranges(self, base: str, quote: str) -> list[tuple[dt.date, dt.date, int, int, str]]:
        """Start, end, rate (10^-10), revision and kind of every rate of a pair."""
        tables = (
            (kind, table) for (one, other, kind), table in sorted(self._fx.items()) if (one, other) == (base, quote)
        )
        return [(*found, kind) for kind, table in tables for found in table.ranges()]

    def _changed(self, what: str) -> str:
        self.version += 1
        return what
