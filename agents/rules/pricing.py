"""Rates: which one applies to a piece of work, and why.

Precedence, first found wins: the entry's own rate, its assignment's, the engagement's card, then shared cards of
the customer, the practice, the region, and the default. Inside a card the line with role and grade wins over
role alone, over item, over the card's default. Of a card's versions the one in force on the work date counts:
the latest effective_from not after it, and of two with the same date the higher version.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from ...codecs.billing import TraceStep
from ...codecs.decimals import RATE_PLACES, format_plain
from ...codecs.engagement import Engagement
from ...codecs.entry_state import Volume
from ...codecs.errors import UndecodableError
from ...codecs.rate_card import ParsedCard, ParsedRate, check_line, parse_line
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


def fixed_rate(rate: int, found_in: str) -> ResolvedRate:
    """An hourly rate that an entry or an assignment carries itself."""
    return ResolvedRate(rate, "hour", (TraceStep("rate", format_plain(rate, RATE_PLACES), found_in),))


class RateBook:
    """Every card that may price one engagement, in order of precedence. A value: never changed once made.

    resolve(role, grade, item, date) is the rate for such work on a date; None when no card has one. limited: some
    line has a minimum or maximum charge. steps: of all lines with tiers.
    """

    def __init__(self, terms: Engagement, shared: Iterable[Iterable[ParsedCard]]) -> None:
        """Take the engagement's terms and its shared cards, one group for each scope by precedence."""
        groups = [_engagement_cards(terms), *shared]
        self._groups = [_versions(group) for group in groups]
        self.limited: Final = any(_limited(card) for cards in self._groups for versions in cards for card in versions)
        self.steps: Final = _steps(card for cards in self._groups for versions in cards for card in versions)
        self.resolve: Final = functools.cache(self._find)

    def _find(self, role: str, grade: str, item: str, date: dt.date) -> ResolvedRate | None:
        for cards in self._groups:
            for versions in cards:
                card = next((c for c in versions if c.effective_from <= date), None)
                if card is None or (card.effective_to is not None and date > card.effective_to):
                    continue
                line = _line(card, role, grade, item)
                if line is not None:
                    steps = (_step(card, line, role, grade, item),)
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


def _line(card: ParsedCard, role: str, grade: str, item: str) -> ParsedRate | None:
    lines = card.lines
    return (
        (lines.get((role, grade, "")) if grade and role else None)
        or (lines.get((role, "", "")) if role else None)
        or (lines.get(("", "", item)) if item else None)
        or lines.get(("", "", ""))
    )


def _step(card: ParsedCard, line: ParsedRate, role: str, grade: str, item: str) -> TraceStep:
    scope = f"{card.scope} {card.scope_id}".strip()
    card_name = f"card {card.id} version {card.version} ({scope}) from {card.effective_from}"
    source = f"{card_name}, role {role or '-'}, grade {grade or '-'}, item {item or '-'}"
    return TraceStep("rate", f"{format_plain(line.rate, RATE_PLACES)}/{line.unit}", source)


def _engagement_cards(terms: Engagement) -> list[ParsedCard]:
    """Read the engagement's own rates as cards, a version for each date on which some change.

    Each version holds every line in force on its date, so that a dated change of one role keeps the others.
    """
    seen: set[tuple[dt.date, str, str, str]] = set()
    read: list[ParsedRate] = []
    for at, rate in enumerate(terms.rates):
        read.append(parse_line(rate, terms.currency, f"$.rates[{at}]"))
        check_line(rate.role, rate.grade, rate.item, f"$.rates[{at}]")
        key = (rate.effective_from, rate.role, rate.grade, rate.item)
        if key in seen:
            problem = f"a second rate for role, grade, item {key[1:]} from {rate.effective_from}"
            raise UndecodableError("invalid_field", f"$.rates[{at}]", problem, "send each combination once a date")
        seen.add(key)
    dates = sorted({rate.effective_from for rate in terms.rates})
    cards = []
    for version, date in enumerate(dates, start=1):
        lines: dict[tuple[str, str, str], ParsedRate] = {}
        for at, rate in sorted(enumerate(terms.rates), key=lambda pair: pair[1].effective_from):
            if rate.effective_from <= date:
                lines[rate.role, rate.grade, rate.item] = read[at]
        cards.append(
            ParsedCard(f"{terms.source}:{terms.id}", version, "engagement", terms.id, terms.currency, date, None, lines)
        )
    return cards
