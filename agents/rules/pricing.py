"""Rates: which one applies to a piece of work, and why.

Precedence, first found wins: the entry's own rate, its assignment's, the engagement's card, then shared cards of
the customer, the practice, the region, and the default. Inside a card lines that name the person win over lines that
name the person's region, over lines that name neither; among each the one with role and grade wins over role alone,
over item, over the card's default. (A card's region is the engagement's, a line's the person's.) Of a card's versions
the one in force on the work date counts: the latest effective_from not after it, and of two with the same date the
higher version.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from ...codecs.billing import TraceStep
from ...codecs.decimals import RATE_PLACES, format_plain
from ...codecs.engagement import Engagement
from ...codecs.entry_state import Volume
from ...codecs.errors import UndecodableError
from ...codecs.rate_card import LineKey, ParsedCard, ParsedRate, key_text, line_key, parse_line
from ...codecs.resource import ParsedResource
from ...codecs.volume_tiers import ParsedTiers


class ResolvedRate(msgspec.Struct, frozen=True, gc=False):
    """A rate in 10^-6 of the contract's currency per unit (hour or day), with where it was found.

    minimum_charge, maximum_charge: minor units, None without such a limit. tiers: of the line of `card` it was found
    in; volume: what an entry at this rate counts to them, once that is known; parts: rates of the tiers it lies in,
    each with how much of the volume, where these are several.
    """

    rate: int
    unit: str
    trace: tuple[TraceStep, ...]
    minimum_charge: int | None = None
    maximum_charge: int | None = None
    tiers: ParsedTiers | None = None
    card: str = ""
    volume: Volume | None = None
    parts: tuple[tuple[int, int], ...] = ()


class Steps(NamedTuple):
    """Where a volume changes a rate, in all lines of some cards: rising thresholds; whole: for earlier entries too."""

    above: tuple[int, ...]
    whole: bool


class Whose(NamedTuple):
    """Whose work it is, as far as some line asks: the person and their region, empty where none does."""

    resource_id: str = ""
    region: str = ""

    def namings(self) -> Iterator[Whose]:
        """What a line for this work may name, the most telling first: the person, their region, nobody."""
        if self.resource_id:
            yield Whose(self.resource_id)
        if self.region:
            yield Whose("", self.region)
        yield ANYBODY


ANYBODY: Final = Whose()


def fixed_rate(rate: int, found_in: str) -> ResolvedRate:
    """An hourly rate that an entry or an assignment carries itself."""
    return ResolvedRate(rate, "hour", (TraceStep("rate", format_plain(rate, RATE_PLACES), found_in),))


class RateBook:
    """Every card that may price one engagement, in order of precedence. A value: never changed once made.

    resolve(role, grade, item, date) is the rate for such work on a date; None when no card has one. Where the book is
    `personal`, some line names a person or a region, and it takes whose(resource) besides: what it remembers is shared
    by all entries, so that nobody without a line of their own may add to it. limited: some line has a minimum or
    maximum charge. steps: of all lines with tiers.
    """

    def __init__(self, terms: Engagement, shared: Iterable[Iterable[ParsedCard]]) -> None:
        """Take the engagement's terms and its shared cards, one group for each scope by precedence."""
        groups = [_engagement_cards(terms), *shared]
        self._groups = [_versions(group) for group in groups]
        every = [card for cards in self._groups for versions in cards for card in versions]
        self._people: Final = {resource_id for card in every for _, _, _, resource_id, _ in card.lines if resource_id}
        self._regions: Final = {region for card in every for _, _, _, _, region in card.lines if region}
        self.personal: Final = bool(self._people or self._regions)
        self.limited: Final = any(_limited(card) for card in every)
        self.steps: Final = _steps(every)
        self.resolve: Final = functools.cache(self._find)

    def whose(self, resource: ParsedResource) -> Whose:
        """The person and their region, each only if some line names it."""
        resource_id = resource.id if resource.id in self._people else ""
        return Whose(resource_id, resource.region if resource.region in self._regions else "")

    def _find(self, role: str, grade: str, item: str, date: dt.date, whose: Whose = ANYBODY) -> ResolvedRate | None:
        for cards in self._groups:
            for versions in cards:
                card = next((c for c in versions if c.effective_from <= date), None)
                if card is None or (card.effective_to is not None and date > card.effective_to):
                    continue
                found = _line(card, role, grade, item, whose)
                if found is not None:
                    line, named = found
                    steps = (_step(card, line, (role, grade, item, *named)),)
                    limits = line.minimum_charge, line.maximum_charge
                    return ResolvedRate(line.rate, line.unit, steps, *limits, line.tiers, card.id)
        return None


def _steps(cards: Iterable[ParsedCard]) -> Steps:
    tiers = [line.tiers for card in cards for line in card.lines.values() if line.tiers is not None]
    return Steps(tuple(sorted({one for each in tiers for one in each.above})), any(each.whole for each in tiers))


def _limited(card: ParsedCard) -> bool:
    return any(line.minimum_charge is not None or line.maximum_charge is not None for line in card.lines.values())


def _versions(cards: Iterable[ParsedCard]) -> list[list[ParsedCard]]:
    """Group cards by id, in the order of ids, each with its latest version first."""
    by_id: dict[str, list[ParsedCard]] = {}
    for card in cards:
        by_id.setdefault(card.id, []).append(card)
    return [sorted(by_id[name], key=lambda c: (c.effective_from, c.version), reverse=True) for name in sorted(by_id)]


def _line(card: ParsedCard, role: str, grade: str, item: str, whose: Whose) -> tuple[ParsedRate, Whose] | None:
    """The most telling line for the work, with the person or region it names."""
    lines = card.lines
    for named in whose.namings():
        line = (
            (lines.get((role, grade, "", *named)) if grade and role else None)
            or (lines.get((role, "", "", *named)) if role else None)
            or (lines.get(("", "", item, *named)) if item else None)
            or lines.get(("", "", "", *named))
        )
        if line is not None:
            return line, named
    return None


def _step(card: ParsedCard, line: ParsedRate, work: LineKey) -> TraceStep:
    scope = f"{card.scope} {card.scope_id}".strip()
    card_name = f"card {card.id} version {card.version} ({scope}) from {card.effective_from}"
    return TraceStep("rate", f"{format_plain(line.rate, RATE_PLACES)}/{line.unit}", f"{card_name}, {key_text(work)}")


def _engagement_cards(terms: Engagement) -> list[ParsedCard]:
    """Read the engagement's own rates as cards, a version for each date on which some change.

    Each version holds every line in force on its date, so that a dated change of one role keeps the others.
    """
    seen: set[tuple[dt.date, LineKey]] = set()
    read: list[tuple[LineKey, ParsedRate]] = []
    for at, rate in enumerate(terms.rates):
        key = line_key(rate, terms.schema_version, f"$.rates[{at}]")
        read.append((key, parse_line(rate, key, terms.currency, f"$.rates[{at}]")))
        if (rate.effective_from, key) in seen:
            problem = f"a second rate for {key_text(key)} from {rate.effective_from}"
            raise UndecodableError("invalid_field", f"$.rates[{at}]", problem, "send each combination once a date")
        seen.add((rate.effective_from, key))
    dates = sorted({rate.effective_from for rate in terms.rates})
    cards = []
    for version, date in enumerate(dates, start=1):
        lines: dict[LineKey, ParsedRate] = {}
        for at, rate in sorted(enumerate(terms.rates), key=lambda pair: pair[1].effective_from):
            if rate.effective_from <= date:
                key, line = read[at]
                lines[key] = line
        cards.append(
            ParsedCard(f"{terms.source}:{terms.id}", version, "engagement", terms.id, terms.currency, date, None, lines)
        )
    return cards
