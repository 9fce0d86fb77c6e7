"""What a change moves: an engagement's figures before and after, and the events that would leave."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...agents.figures import figures_of
from ...codecs.currencies import format_amount, parse_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...codecs.records import EngagementState

MEASURES: Final = (
    "approved_value",
    "billed",
    "fees",
    "unbilled",
    "held",
    "deferred",
    "earned",
    "cost",
    "margin",
    "loss_provision",
    "planned_cost",
    "planned_margin",
)
"""Fields of EngagementFigures that are money; the last two are unknown while a plan cannot be costed."""

Amounts = dict[str, int | None]
"""Minor units by measure; None is unknown."""


class _Line(msgspec.Struct, frozen=True):
    """What is read of a billing event."""

    engagement_id: str
    action: str
    amount: str
    currency: str


class _Journal(msgspec.Struct, frozen=True):
    """What is read of an accrual or a revenue event."""

    engagement_id: str


class Events:
    """Events of one engagement. billing: how many by action; amounts: their sum, minor units; journals: by stream."""

    def __init__(self) -> None:
        """Start without events."""
        self.billing: Final[Counter[str]] = Counter()
        self.amounts: Final[Counter[str]] = Counter()
        self.journals: Final[Counter[str]] = Counter()

    def add(self, other: Events) -> None:
        """Add those of another engagement in the same currency."""
        self.billing.update(other.billing)
        self.amounts.update(other.amounts)
        self.journals.update(other.journals)

    def as_object(self, currency: str | None) -> dict[str, Any]:
        """Counts and amounts as JSON has them."""
        billing = {
            action: {"count": count, "amount": _text(self.amounts[action], currency)}
            for action, count in sorted(self.billing.items())
        }
        journals = {stream: self.journals[stream] for stream in ("accruals", "revenue")}
        return {"billing": {"count": self.billing.total(), **billing}, **journals}


class Tally:
    """Events by engagement, counted as they come and not kept: a change may bring about millions."""

    def __init__(self) -> None:
        """Start without events."""
        self.by_engagement: Final[dict[str, Events]] = {}
        self._line: Final = msgspec.json.Decoder(_Line).decode
        self._journal: Final = msgspec.json.Decoder(_Journal).decode

    def take(self, stream: str, records: Iterable[Any]) -> None:
        """Count events of `billing`, `accruals` or `revenue`; others move no money of an engagement."""
        if stream == "billing":
            for record in records:
                line = self._line(record.value)
                events = self._of(line.engagement_id)
                events.billing[line.action] += 1
                events.amounts[line.action] += parse_amount(line.amount, line.currency, "$.amount")
        elif stream in {"accruals", "revenue"}:
            for record in records:
                self._of(self._journal(record.value).engagement_id).journals[stream] += 1

    def _of(self, engagement_id: str) -> Events:
        events = self.by_engagement.get(engagement_id)
        if events is None:
            events = self.by_engagement[engagement_id] = Events()
        return events


class Moved:
    """An engagement, or the sum of several in one currency, before and after.

    currency: None while no terms are known; name: the engagement's id; held: entries that wait, by reason.
    """

    def __init__(self, name: str, currency: str | None) -> None:
        """Start with nothing."""
        self.name: Final = name
        self.currency: Final = currency
        self.engagements = 0
        self.before: Amounts = dict.fromkeys(MEASURES, 0)
        self.after: Amounts = dict.fromkeys(MEASURES, 0)
        self.held_before: Final[Counter[str]] = Counter()
        self.held_after: Final[Counter[str]] = Counter()
        self.events: Final = Events()

    def add(self, other: Moved) -> None:
        """Add an engagement in the same currency; a sum with something unknown in it is unknown."""
        self.engagements += 1
        self.before, self.after = _sum(self.before, other.before), _sum(self.after, other.after)
        self.held_before.update(other.held_before)
        self.held_after.update(other.held_after)
        self.events.add(other.events)

    def change(self, measure: str) -> int | None:
        """After less before, minor units; None where either is unknown."""
        before, after = self.before[measure], self.after[measure]
        return None if before is None or after is None else after - before

    def moves(self) -> bool:
        """Whether anything differs, or anything would leave."""
        return (
            self.before != self.after
            or self.held_before != self.held_after
            or bool(self.events.billing or self.events.journals)
        )

    def text(self, amount: int | None) -> str | None:
        """An amount as decimal text; None is unknown."""
        return _text(amount, self.currency)

    def as_object(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        money = {
            measure: {
                "before": self.text(self.before[measure]),
                "after": self.text(self.after[measure]),
                "change": self.text(self.change(measure)),
            }
            for measure in MEASURES
        }
        held = {"before": dict(sorted(self.held_before.items())), "after": dict(sorted(self.held_after.items()))}
        return {
            "currency": self.currency,
            **money,
            "held_entries": held,
            "events": self.events.as_object(self.currency),
        }


def moved(before: EngagementState | None, after: EngagementState, events: Events | None) -> Moved:
    """What happened to one engagement; before is None when nothing was known of it."""
    currency = None if after.terms is None else after.terms.currency
    found = Moved(after.id, currency)
    found.before, found.after = _amounts(before, currency), _amounts(after, currency)
    found.held_before.update(_held(before))
    found.held_after.update(_held(after))
    if events is not None:
        found.events.add(events)
    return found


def totals(engagements: Sequence[Moved]) -> list[Moved]:
    """The sum of what moves, a sum for each currency; what has no currency yet has no sum."""
    sums: dict[str, Moved] = {}
    for one in engagements:
        if one.currency is not None:
            sums.setdefault(one.currency, Moved("", one.currency)).add(one)
    return [sums[currency] for currency in sorted(sums)]


def _amounts(state: EngagementState | None, currency: str | None) -> Amounts:
    """The measures of a state; without terms its figures are zero, or unknown."""
    if state is None:
        return dict.fromkeys(MEASURES, 0)
    figures = figures_of(state)
    found: Amounts = {}
    for measure in MEASURES:
        text = getattr(figures, measure)
        found[measure] = text if text is None else 0 if currency is None else parse_amount(text, currency, measure)
    return found


def _held(state: EngagementState | None) -> dict[str, int]:
    return {} if state is None else {reason: count for reason, count in state.held_entries.items() if count}


def _sum(one: Amounts, other: Amounts) -> Amounts:
    found: Amounts = {}
    for measure, amount in one.items():
        more = other[measure]
        found[measure] = None if amount is None or more is None else amount + more
    return found


def _text(amount: int | None, currency: str | None) -> str | None:
    if amount is None:
        return None
    return "0" if currency is None else format_amount(amount, currency)
