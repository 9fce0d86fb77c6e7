"""The independent reckoning: the money a set of input records must come to, worked out apart from the product's rules.

Reads the records once, keeps no running state and computes everything at the end, slowly and plainly.
What the product wrote must equal it, whatever the order in which the partitions were worked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from .reckoning_facts import Facts, Record, minor, number, read_facts
from .reckoning_hours import NO_HOURS, Hours, hours_by_engagement
from .reckoning_money import WaitsError, Worth, fees, labour_cost, rounded, worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...codecs.engagement import Engagement

__all__: Final = ["Expected", "Reckoning", "Record", "reckon"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one engagement must show; money in minor units of `currency`, the contract's.

    billed: charges of time and expenses; unbilled: open work in progress; held: approved value over the cap.
    settled: billed and held do not depend on the order of the entries (they may under a cap of mode `hold`;
    then they are one possible outcome, and only their sum is certain).
    cap_reached_least and cap_reached_most: entries that wait for room under the cap; which ones do depends on
    the order. planned_cost: None when a planned week has no known cost.
    """

    contract_type: str
    currency: str
    billed: int
    fees: int
    unbilled: int
    held: int
    earned: int
    cost: int
    settled: bool = True
    cap_reached_least: int = 0
    cap_reached_most: int = 0
    planned_hours: Fraction = Fraction(0)
    planned_cost: int | None = 0
    hours: Hours = NO_HOURS


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What all records come to.

    held: entries that wait in the end, by reason; `cap_reached` counts the engagements where the number is
    certain. dead_letters: undecodable records of all streams. totals: billed and fees by currency.
    """

    engagements: dict[str, Expected]
    held: dict[str, int]
    dead_letters: int
    entries: int
    totals: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Capped:
    """What a cap lets through."""

    billed: int
    settled: bool = True
    least: int = 0
    most: int = 0


def reckon(inputs: Mapping[str, Iterable[Record]]) -> Reckoning:
    """Work out what the records of the input streams come to; streams are named as in the topology."""
    return reckon_facts(read_facts(inputs))


def reckon_facts(facts: Facts) -> Reckoning:
    """Work out what facts come to."""
    held: Counter[str] = Counter()
    worths: dict[str, list[Worth]] = {}
    for entry_id in facts.versions:
        try:
            value = worth(facts, entry_id)
        except WaitsError as wait:
            held[wait.reason] += 1
            continue
        if value is not None:
            worths.setdefault(entry_id.engagement_id, []).append(value)
    hours = hours_by_engagement(facts)
    engagements = {
        engagement_id: replace(_expected(facts, terms, worths.get(engagement_id, [])), hours=hours[engagement_id])
        for engagement_id, terms in facts.engagements.items()
    }
    totals: Counter[str] = Counter()
    for expected in engagements.values():
        totals[expected.currency] += expected.billed + expected.fees
        if expected.cap_reached_least == expected.cap_reached_most > 0:
            held["cap_reached"] += expected.cap_reached_least
    return Reckoning(engagements, dict(held), facts.dead_letters, len(facts.versions), dict(totals))


def _expected(facts: Facts, terms: Engagement, worths: list[Worth]) -> Expected:
    """Add up the valued entries of one engagement."""
    capped_kinds: set[str] = set()
    if terms.contract_type == "capped" and terms.cap is not None:
        capped_kinds = {"time", "expense"} if terms.cap.includes_expenses else {"time"}
    prices = [(value.kind, value.price) for value in worths if value.approved and value.price is not None]
    inside = [price for kind, price in prices if kind in capped_kinds]
    outside = [price for kind, price in prices if kind not in capped_kinds]
    capped = _capped(terms, inside)
    billed = capped.billed + sum(outside)
    term_fees = fees(facts, terms)
    planned_hours, planned_cost = _planned(facts, terms)
    return Expected(
        contract_type=terms.contract_type,
        currency=terms.currency,
        billed=billed,
        fees=term_fees,
        unbilled=sum(value.price or 0 for value in worths if not value.approved),
        held=sum(inside) - capped.billed,
        earned=billed + term_fees + _progress(terms, sum(value.cost for value in worths if value.approved)),
        cost=sum(value.cost for value in worths),
        settled=capped.settled,
        cap_reached_least=capped.least,
        cap_reached_most=capped.most,
        planned_hours=planned_hours,
        planned_cost=planned_cost,
    )


def _progress(terms: Engagement, approved_cost: int) -> int:
    """Revenue of a fixed fee: the part of the fee that the approved cost, if any, is of the estimated cost."""
    if terms.contract_type != "fixed_fee" or terms.fee is None or terms.fee.estimated_cost is None:
        return 0
    estimate = minor(terms.fee.estimated_cost, terms.currency)
    part = Fraction(max(0, min(approved_cost, estimate)), estimate)
    return rounded(minor(terms.fee.amount, terms.currency) * part, "half_up")


def _capped(terms: Engagement, prices: list[int]) -> _Capped:
    """Put the prices of all approved entries under the cap."""
    total = sum(prices)
    room = total if terms.cap is None else minor(terms.cap.amount, terms.currency)
    if total <= room:
        return _Capped(total)
    paid = sorted(price for price in prices if price > 0)
    return _split(paid, room) if terms.cap is None or terms.cap.mode == "split" else _whole_or_none(paid, room)


def _split(paid: list[int], room: int) -> _Capped:
    """Mode `split`: billed is the cap. What is over it may lie on few large entries or on many, a little each."""
    over = sum(paid) - room
    largest_first = accumulate(reversed(paid))
    least = next((count for count, held in enumerate(largest_first, 1) if held >= over), len(paid))
    return _Capped(room, least=least, most=min(len(paid), over))


def _whole_or_none(paid: list[int], room: int) -> _Capped:
    """Mode `hold`: certain when all prices are equal or none fits, else the smallest first are one outcome."""
    fitting = [total for total in accumulate(paid) if total <= room]
    billed = fitting[-1] if fitting else 0
    waiting = len(paid) - len(fitting)
    settled = not fitting or paid[0] == paid[-1]
    return _Capped(billed, settled, least=waiting, most=waiting if settled else len(paid))


def _planned(facts: Facts, terms: Engagement) -> tuple[Fraction, int | None]:
    """Hours and cost of all active assignments; the cost of a week is that of its Monday."""
    hours, cost, known = Fraction(0), 0, True
    for (_, engagement_id, _), plan in facts.assignments.items():
        if engagement_id != terms.id or plan.status != "active":
            continue
        person = facts.resources.get(plan.resource_id)
        for planned in plan.weeks:
            hours += number(planned.hours)
            try:
                cost += labour_cost(facts, terms, person, number(planned.hours), planned.week) if person else 0
            except WaitsError:
                known = False
            known = known and person is not None
    return hours, cost if known else None
