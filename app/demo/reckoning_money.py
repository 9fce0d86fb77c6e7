"""The money of a reckoning: what one entry is worth, or what it waits for; fees of terms; planned cost.

Fractions all the way, rounded where a rule says so and nowhere else.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ...codecs.time_entry import TimeEntry
from .reckoning_facts import FX_PLACES, MINOR_UNITS, Entry, EntryId, Facts, minor, number, plain_amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...codecs.approval import Approval
    from ...codecs.engagement import Engagement, Rounding
    from ...codecs.exception import HoldReason
    from ...codecs.expense import Expense
    from ...codecs.rate_card import RateCard
    from ...codecs.resource import Resource

_SETTLED: Final = {"approved", "rejected", "recalled", "deleted"}
"""Statuses of a version after which older versions never matter."""
_BY_THE_HOUR: Final = {"time_and_materials", "capped"}
_UNPRICED: Final = {"non_billable", "internal"}
_TERM_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_HALF: Final = Fraction(1, 2)

Standing = Literal["draft", "pending", "approved", "void"]
Line = tuple[str, str, str]


class Rate(NamedTuple):
    """Money for an hour or a day."""

    text: str
    unit: str


class WaitsError(Exception):
    """An entry or a fee that has no money yet."""

    def __init__(self, reason: HoldReason) -> None:
        """Keep what it waits for."""
        super().__init__(reason)
        self.reason: HoldReason = reason


@dataclass(frozen=True, slots=True)
class Worth:
    """A valued entry, in minor units of the contract's currency. price: None when nobody pays for it."""

    kind: str
    approved: bool
    price: int | None
    cost: int


def rounded(value: Fraction, mode: Rounding) -> int:
    """Round to a whole number; the sign plays no part, so a reversal is the exact opposite."""
    size = abs(value)
    whole = int(size)
    rest = size - whole
    if mode == "up":
        more = rest > 0
    elif mode == "down":
        more = False
    elif mode == "half_up":
        more = rest >= _HALF
    else:
        more = rest > _HALF or (rest == _HALF and whole % 2 == 1)
    size_rounded = whole + 1 if more else whole
    return size_rounded if value >= 0 else -size_rounded


def _standing(version: Entry, decisions: dict[str, Approval], levels: Sequence[str]) -> Standing:
    """What one version counts for, given the decisions about it, the latest of each level."""
    if version.status == "draft":
        return "draft"
    if version.status == "deleted":
        return "void"
    if not decisions:
        return "pending" if version.status == "submitted" else "approved" if version.status == "approved" else "void"
    if any(decision.verdict != "approved" for decision in decisions.values()):
        return "void"
    one_is_enough = not levels or version.status == "approved"
    return "approved" if one_is_enough or all(level in decisions for level in levels) else "pending"


def _counting(
    versions: list[Entry], decisions: dict[int, dict[str, Approval]], levels: Sequence[str]
) -> tuple[Entry, bool] | None:
    """Find the version that counts, and whether it is approved; None when nothing of the entry counts."""
    pending = None
    for version in reversed(versions):
        standing = _standing(version, decisions.get(version.revision, {}), levels)
        if standing == "approved":
            return version, True
        if standing == "pending" and pending is None:
            pending = version
        if standing == "void" or version.status in _SETTLED:
            break
    return None if pending is None else (pending, False)


def _may_count(versions: list[Entry], decisions: dict[int, dict[str, Approval]]) -> bool:
    """Whether terms could make something of the entry count, whoever they say has to approve."""
    for version in reversed(versions):
        verdicts = {decision.verdict for decision in decisions.get(version.revision, {}).values()}
        decided = "approved" in verdicts and version.status not in {"draft", "deleted"}
        if decided or version.status in {"submitted", "approved"}:
            return True
        if version.status in _SETTLED:
            break
    return False


def worth(facts: Facts, entry_id: EntryId) -> Worth | None:
    """Value an entry. None when nothing of it counts (yet); raises WaitsError when it waits."""
    terms = facts.engagements.get(entry_id.engagement_id)
    if terms is None:
        if _may_count(facts.versions[entry_id], facts.decisions.get(entry_id, {})):
            raise WaitsError("engagement_unknown")
        return None
    policies = terms.policies
    found = _counting(facts.versions[entry_id], facts.decisions.get(entry_id, {}), policies.approval_levels)
    if found is None:
        return None
    version, approved = found
    if not approved and policies.accrue_at != "submission":
        return None
    if isinstance(version, TimeEntry):
        check_period(facts, terms, version.work_date)
        cost, price = _time(facts, terms, version)
    else:
        check_period(facts, terms, version.spent_on)
        cost, price = _expense(facts, terms, version)
    return Worth(entry_id.kind, approved, price, cost)


def check_period(facts: Facts, terms: Engagement, on: dt.date) -> None:
    """Raise WaitsError when nothing of this date can be posted for the engagement's legal entity."""
    periods = facts.periods.get(terms.legal_entity_id, {}).values()
    covering = {period.status for period in periods if period.start_date <= on <= period.end_date}
    if not covering:
        raise WaitsError("period_unknown")
    if "open" in covering:
        return
    if "future" in covering:
        raise WaitsError("period_future")
    opens_later = any(period.status == "open" and period.start_date > on for period in periods)
    if terms.policies.closed_period == "hold" or not opens_later:
        raise WaitsError("period_closed")


def _exchange(facts: Facts, base: str, quote: str, on: dt.date) -> Fraction:
    """Units of `quote` for one unit of `base` on a date."""
    if base == quote:
        return Fraction(1)
    ranges = facts.fx.get((base, quote), {})
    covering = [start for start, fx in ranges.items() if start <= on <= (fx.valid_to or start)]
    if not covering:
        raise WaitsError("fx_rate_missing")
    return number(ranges[max(covering)].rate, FX_PLACES)


def _time(facts: Facts, terms: Engagement, entry: TimeEntry) -> tuple[int, int | None]:
    """Cost and price of worked time, in minor units of the contract's currency."""
    hours = number(entry.quantity) * _hours(entry.unit, terms)
    person = facts.resources.get(entry.resource_id)
    if person is None:
        raise WaitsError("resource_unknown")
    cost = labour_cost(facts, terms, person, hours, entry.work_date)
    if not entry.billable or terms.contract_type not in _BY_THE_HOUR:
        return cost, None
    rate = _rate(facts, terms, entry, person)
    exact = hours * number(rate.text) / _hours(rate.unit, terms)
    return cost, rounded(exact * 10 ** MINOR_UNITS[terms.currency], terms.policies.rounding)


def _hours(unit: str, terms: Engagement) -> Fraction:
    """Length of a unit of time in hours."""
    if unit == "day":
        return number(terms.policies.hours_per_day)
    return {"hour": Fraction(1), "minute": Fraction(1, 60)}[unit]


def labour_cost(facts: Facts, terms: Engagement, person: Resource, hours: Fraction, on: dt.date) -> int:
    """Cost of hours of a person: rounded in the currency of the cost, then in the contract's."""
    in_force = [cost for cost in person.cost_rates if cost.effective_from <= on]
    if not in_force:
        raise WaitsError("cost_rate_missing")
    cost_rate = max(in_force, key=lambda cost: cost.effective_from)
    spent = rounded(hours * number(cost_rate.rate) * 10 ** MINOR_UNITS[cost_rate.currency], "half_up")
    return _converted(facts, terms, spent, cost_rate.currency, on)


def _converted(facts: Facts, terms: Engagement, amount: int, currency: str, on: dt.date) -> int:
    """Minor units of any currency as minor units of the contract's."""
    exact = Fraction(amount, 10 ** MINOR_UNITS[currency]) * _exchange(facts, currency, terms.currency, on)
    return rounded(exact * 10 ** MINOR_UNITS[terms.currency], "half_up")


def _rate(facts: Facts, terms: Engagement, entry: TimeEntry, person: Resource) -> Rate:
    """Billing rate of an entry: its own, its assignment's, or the first card that has one."""
    if entry.rate is not None:
        return Rate(entry.rate, "hour")
    if entry.assignment_id:
        plan = facts.assignments.get((entry.source, entry.engagement_id, entry.assignment_id))
        if plan is None:
            raise WaitsError("assignment_unknown")
        if plan.rate is not None:
            return Rate(plan.rate, "hour")
    role, grade, item = entry.role or person.role, entry.grade or person.grade, entry.item
    for lines in _cards(facts, terms, entry.work_date):
        if role and grade and (role, grade, "") in lines:
            return lines[role, grade, ""]
        if role and (role, "", "") in lines:
            return lines[role, "", ""]
        if item and ("", "", item) in lines:
            return lines["", "", item]
        if ("", "", "") in lines:
            return lines["", "", ""]
    raise WaitsError("rate_missing")


def _cards(facts: Facts, terms: Engagement, on: dt.date) -> Iterator[dict[Line, Rate]]:
    """Lines of every card in force on a date, the card that wins first. Practice and region are the engagement's."""
    own = sorted((line for line in terms.rates if line.effective_from <= on), key=lambda line: line.effective_from)
    yield {(line.role, line.grade, line.item): Rate(line.rate, line.unit) for line in own}
    scopes = (
        ("customer", terms.customer_id),
        ("practice", terms.practice),
        ("region", terms.region),
        ("default", ""),
    )
    for scope in scopes:
        cards = facts.cards.get(scope, {})
        for card_id in sorted(cards):
            card = _in_force([card for card in cards[card_id].values() if card.currency == terms.currency], on)
            if card is not None:
                yield {(line.role, line.grade, line.item): Rate(line.rate, line.unit) for line in card.lines}


def _in_force(versions: list[RateCard], on: dt.date) -> RateCard | None:
    """The version of a card that began last; when that one has ended, no older one takes its place."""
    begun = [card for card in versions if card.effective_from <= on]
    if not begun:
        return None
    latest = max(begun, key=lambda card: (card.effective_from, card.version))
    ended = latest.effective_to is not None and latest.effective_to < on
    return None if ended else latest


def _expense(facts: Facts, terms: Engagement, entry: Expense) -> tuple[int, int | None]:
    """Cost and price of an expense, in minor units of the contract's currency."""
    amount = plain_amount(entry)
    spent = minor(amount, entry.currency)
    cost = _converted(facts, terms, spent, entry.currency, entry.spent_on)
    policy = terms.expenses.policy
    if policy == "non_billable" or not entry.billable or terms.contract_type in _UNPRICED:
        return cost, None
    mark_up = number(terms.expenses.mark_up_percent) if policy == "mark_up" else Fraction(0)
    exact = number(amount) * _exchange(facts, entry.currency, terms.currency, entry.spent_on)
    exact = exact * (100 + mark_up) / 100
    return cost, rounded(exact * 10 ** MINOR_UNITS[terms.currency], terms.policies.rounding)


def _months_after(first: dt.date, months: int) -> dt.date | None:
    """The same day some months later, or the last day of a shorter month; None after the year 9999."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return None
    return dt.date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def fees(facts: Facts, terms: Engagement) -> int:
    """What a retainer has billed for its terms, in order, up to the first that cannot be posted."""
    if terms.contract_type != "retainer" or terms.fee is None:
        return 0
    months = _TERM_MONTHS[terms.fee.term]
    billed = 0
    start, following = _months_after(terms.start_date, 0), _months_after(terms.start_date, months)
    terms_begun = 1
    while start and following and (terms.end_date is None or start <= terms.end_date):
        due = start if terms.fee.billed == "advance" else following - dt.timedelta(days=1)
        try:
            check_period(facts, terms, due)
        except WaitsError:
            break
        billed += minor(terms.fee.amount, terms.currency)
        terms_begun += 1
        start, following = following, _months_after(terms.start_date, months * terms_begun)
    return billed
