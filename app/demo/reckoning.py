"""The independent reckoning: the money a set of input records must come to, worked out apart from the product's rules.

Reads the records once, keeps no running state and computes everything at the end, slowly and plainly.
What the product wrote must equal it, whatever the order in which the partitions were worked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ...codecs.engagement import Engagement
from .reckoning_accounts import Booked, bookable
from .reckoning_caps import capped
from .reckoning_drawdown import prepaid
from .reckoning_exchange import labour_cost
from .reckoning_facts import EntryId, Facts, Record, read_facts
from .reckoning_fees import term_fees
from .reckoning_funding import funded
from .reckoning_hours import NO_HOURS, Hours, hours_by_engagement
from .reckoning_lookups import WaitsError
from .reckoning_money import Worth, reckon_entry
from .reckoning_numbers import minor, number
from .reckoning_progress import fixed_fee
from .reckoning_receivables import Receivables, receivables, waiting_documents
from .reckoning_rounding import ByInvoice, by_invoice
from .reckoning_volumes import count_volumes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


__all__: Final = ["Expected", "Reckoning", "Record", "reckon"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one engagement must show; money in minor units of `currency`, the contract's.

    terms: as they are in the end; worths: entries that are posted.
    billed: charges of time and expenses; unbilled: open work in progress; held: approved value over the cap;
    non_chargeable: the same over caps that stop; deferred: fees billed in advance and not earned yet.
    by_entry: what is billed of each entry, caps considered. bookable: lines its journals may bear, None where a number
    may lack.
    cap_reached: entries that wait for room under a cap; balance_least and balance_most: those that wait for a prepaid
    balance, where it depends on the order which do. planned_cost: None when a
    planned week has no known cost. estimate_at_completion: of cost, None where there is neither an estimate nor a plan.
    loss_provision: None where it depends on the order.
    by_invoice: where lines are rounded as sums; then `rounding` depends on the lines that were written.
    """

    contract_type: str
    currency: str
    billed: int
    fees: int
    unbilled: int
    held: int
    earned: int
    cost: int
    non_chargeable: int = 0
    deferred: int = 0
    cap_reached: int = 0
    planned_hours: Fraction = Fraction(0)
    planned_cost: int | None = 0
    estimate_at_completion: int | None = None
    hours: Hours = NO_HOURS
    loss_provision: int | None = 0
    terms: Engagement | None = None
    worths: tuple[Worth, ...] = ()
    by_entry: dict[EntryId, int] = field(default_factory=dict)
    funded: dict[str, int] = field(default_factory=dict)
    receivables: Receivables = field(default_factory=Receivables)
    rounding: int = 0
    by_invoice: ByInvoice | None = None
    balance_least: int = 0
    balance_most: int = 0
    bookable: frozenset[Booked] | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What all records come to.

    held: entries and documents that wait in the end, by reason, but for a prepaid balance. dead_letters: undecodable
    records of all streams. totals: billed and fees by currency.
    """

    engagements: dict[str, Expected]
    held: dict[str, int]
    dead_letters: int
    entries: int
    totals: dict[str, int]


def reckon(inputs: Mapping[str, Iterable[Record]]) -> Reckoning:
    """Work out what the records of the input streams come to; streams are named as in the topology."""
    return reckon_facts(read_facts(inputs))


def reckon_facts(facts: Facts) -> Reckoning:
    """Work out what facts come to."""
    count_volumes(facts)
    held: Counter[str] = Counter(waiting_documents(facts))
    worths: dict[str, list[Worth]] = {}
    for entry_id in facts.versions:
        found = reckon_entry(facts, entry_id)
        if found.waits_for is not None:
            held[found.waits_for] += 1
        if found.worth is not None:
            worths.setdefault(entry_id.engagement_id, []).append(found.worth)
    hours = hours_by_engagement(facts)
    engagements = {
        engagement_id: replace(_expected(facts, terms, worths.get(engagement_id, [])), hours=hours[engagement_id])
        for engagement_id, terms in facts.engagements.items()
    }
    totals: Counter[str] = Counter()
    for expected in engagements.values():
        totals[expected.currency] += expected.billed + expected.fees
        if expected.cap_reached:
            held["cap_reached"] += expected.cap_reached
    return Reckoning(engagements, dict(held), facts.dead_letters, len(facts.versions), dict(totals))


def _expected(facts: Facts, terms: Engagement, worths: list[Worth]) -> Expected:
    """Add up the valued entries of one engagement."""
    answered = receivables(facts, terms)
    under_caps = capped(terms, worths, answered.lines)
    balance = prepaid(facts, terms, worths)
    by_term, fee = term_fees(facts, terms), fixed_fee(facts, terms, worths)
    planned_hours, planned_cost = _planned(facts, terms)
    return Expected(
        contract_type=terms.contract_type,
        currency=terms.currency,
        billed=under_caps.billed - balance.held,
        fees=by_term.billed + fee.billed + balance.on_bills,
        unbilled=sum(worth.price or 0 for worth in worths if not worth.approved),
        held=under_caps.held + balance.held,
        non_chargeable=under_caps.non_chargeable,
        earned=under_caps.billed - balance.held + by_term.earned + fee.earned + balance.earned - answered.written_off,
        deferred=by_term.deferred + balance.deferred,
        cost=sum(worth.cost for worth in worths),
        cap_reached=under_caps.waiting,
        by_entry=under_caps.by_entry,
        planned_hours=planned_hours,
        planned_cost=planned_cost,
        estimate_at_completion=_at_completion(terms, worths, planned_cost if planned_hours else None),
        loss_provision=fee.provision,
        terms=terms,
        worths=tuple(worths),
        bookable=bookable(facts, terms),
        funded=funded(terms, [worth.price for worth in worths if worth.approved and worth.price is not None]),
        receivables=answered,
        by_invoice=by_invoice(facts, terms, worths),
        balance_least=balance.fewest,
        balance_most=balance.most,
    )


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
                week, worked = planned.week, number(planned.hours)
                cost += labour_cost(facts, terms, person, worked, week, week) if person else 0
            except WaitsError:
                known = False
            known = known and person is not None
    return hours, cost if known else None


def _at_completion(terms: Engagement, worths: list[Worth], planned: int | None) -> int | None:
    """The cost in the end: as a fixed fee's terms estimate it, with waste besides; else as planned; never below now."""
    if terms.contract_type == "fixed_fee" and terms.fee is not None and terms.fee.estimated_cost is not None:
        waste = sum(worth.cost for worth in worths if worth.approved and worth.excluded == "waste")
        planned = minor(terms.fee.estimated_cost, terms.currency) + waste
    return None if planned is None else max(planned, sum(worth.cost for worth in worths))
