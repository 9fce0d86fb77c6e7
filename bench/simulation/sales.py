"""What the firm has sold, and who is planned on it: engagements of every contract type, and assignments."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import NamedTuple

import msgspec

from billtide.app.demo.happenings import Thing
from billtide.codecs.assignment import Assignment, PlannedWeek
from billtide.codecs.engagement import Engagement, EngagementRate, Fee, Policies

from . import agreed, crossing

CONTRACTS = ("time_and_materials", "capped", "capped", "fixed_fee", "retainer", "non_billable", "internal")
ROUNDINGS = ("half_up", "half_even", "up", "down")
MONDAYS = tuple(dt.date(2025, 10, 6) + dt.timedelta(weeks=week) for week in range(6))


class Sold(NamedTuple):
    """engagements: first revision of each; sent: every revision with its moment."""

    engagements: list[Engagement]
    sent: list[tuple[float, Thing]]


class Planned(NamedTuple):
    """assignments: first revision of each, known or not; sent: every revision with its moment."""

    assignments: list[Assignment]
    sent: list[tuple[float, Thing]]


def engagements(chance: Random, across: Random) -> Sold:
    """Five to nine engagements; some terms come late, one in twelve never."""
    found: list[Engagement] = []
    sent: list[tuple[float, Thing]] = []
    for number in range(1, chance.randint(5, 9) + 1):
        terms = crossing.agreed_so(across, _terms(chance, f"E{number}"))
        found.append(terms)
        if chance.randrange(12) == 0:
            continue
        first = chance.choice((0.0, 0.0, chance.random()))
        apart = chance.choice((0.0, 0.5))  # all at once, or one after the other
        revisions = [terms, *(crossing.again(across, each, terms) for each in _revised(chance, terms))]
        sent += [(first + at * chance.random() * apart, revision) for at, revision in enumerate(revisions)]
    return Sold(found, sent)


def _policies(chance: Random, currency: str) -> Policies:
    return Policies(
        rounding=chance.choice(ROUNDINGS),
        accrue_at=chance.choice(("submission", "submission", "approval")),
        closed_period=chance.choice(("hold", "next_open_period")),
        approval_levels=chance.choice(((), (), ("manager",), ("manager", "finance"))),
        hours_per_day=chance.choice(("8", "7.5")),
        time_rounding=agreed.time_rounding(chance),
        day_rounding=chance.choice(("exact", "exact", "half_day")),
        multipliers=agreed.multipliers(chance),
        multiplier_changes=agreed.multiplier_changes(chance),
        approval_thresholds=agreed.thresholds(chance, currency),
        auto_approve_under=agreed.auto_approve_under(chance, currency),
        approvers=agreed.approvers(chance),
        correction=chance.choice(("reverse_and_rebill", "adjust")),
        review_above=agreed.review_above(chance, currency),
        credit=chance.choice(("rebill", "write_off")),
    )


def _rates(chance: Random) -> tuple[EngagementRate, ...]:
    """Rates agreed for one engagement alone, if any are."""
    own = EngagementRate(
        role="analyst", rate=chance.choice(("120", "111.115")), effective_from=dt.date(2025, 10, 15),
        minimum_charge=chance.choice((None, "300")), maximum_charge=chance.choice((None, "800")),
    )  # fmt: skip
    theirs = EngagementRate(region="north", rate="117.7"), EngagementRate(resource_id="R4", rate="139.995")
    return (own, *theirs) if agreed.rarely(chance, 3) else ()


def _terms(chance: Random, name: str) -> Engagement:
    contract = chance.choice(CONTRACTS)
    currency = chance.choice(("EUR", "EUR", "USD", "JPY", "KWD"))
    policies = _policies(chance, currency)
    end = chance.choice((None, dt.date(2025, 11, 30)))
    return Engagement(
        schema_version=2, source="crm", id=name, revision=1, customer_id=chance.choice(("C1", "C2", "C3")),
        legal_entity_id=chance.choice(("DE", "US")), currency=currency, contract_type=contract,
        start_date=dt.date(2025, 8, chance.choice((1, 31))), end_date=end,
        rates=_rates(chance),
        **(_caps(chance, currency) if contract == "capped" else {}),
        fee=_fee(chance, contract, currency, by_days=_by_days(policies, end)),
        expenses=agreed.expenses(chance, currency), policies=policies,
        discount_percent=chance.choice(("0", "0", "0", "10", "33.3333")), discounts=agreed.discounts(chance),
    )  # fmt: skip


def _caps(chance: Random, currency: str) -> dict[str, object]:
    """A cap on the whole, on parts, or both."""
    parts = agreed.partial_caps(chance, currency)
    whole = agreed.cap(chance, currency)
    return {"cap": None if parts and agreed.rarely(chance, 3) else whole, "caps": parts}


def _by_days(policies: Policies, end: dt.date | None) -> bool:
    """Whether days may measure progress: where a closed month moves dates, their latest depends on when it closed."""
    return end is not None and policies.closed_period == "hold"


def _fee(chance: Random, contract: str, currency: str, *, by_days: bool = False) -> Fee | None:
    if contract == "fixed_fee":
        return agreed.fixed_fee(chance, currency, by_days=by_days)
    if contract == "retainer":
        return Fee(
            amount=agreed.money(chance, 500, 5_000, currency),
            term=chance.choice(("month", "month", "quarter")),
            billed=chance.choice(("advance", "arrears")),
        )
    return None


def _revised(chance: Random, terms: Engagement) -> list[Engagement]:
    """Later revisions: caps that rise or fall, an estimate or a fee that is corrected, other prices, or nothing."""
    found: list[Engagement] = []
    for revision in range(2, chance.choice((1, 2, 3, 3)) + 1):
        latest = found[-1] if found else terms
        changed = msgspec.structs.replace(latest, revision=revision, name=f"revision {revision}")
        if latest.contract_type == "capped":
            changed = msgspec.structs.replace(changed, **_other_caps(chance, latest))
        elif latest.contract_type == "fixed_fee":
            by_days = _by_days(latest.policies, latest.end_date)
            changed = msgspec.structs.replace(changed, fee=_fee(chance, "fixed_fee", latest.currency, by_days=by_days))
        found.append(_repriced(chance, changed) if agreed.rarely(chance, 2) else changed)
    return found


def _repriced(chance: Random, latest: Engagement) -> Engagement:
    """Terms that price what is posted already by other rates, policies and expense terms, or bill another customer.

    Whether corrections are reviewed stays: what is reviewed only later is no correction of before.
    """
    policies = _policies(chance, latest.currency)
    review = None
    if latest.policies.review_above is not None:
        review = policies.review_above or latest.policies.review_above
    return msgspec.structs.replace(
        latest, rates=_rates(chance), customer_id=chance.choice(("C1", "C2", "C3")),
        discount_percent=chance.choice(("0", "12.5")), expenses=agreed.expenses(chance, latest.currency),
        policies=msgspec.structs.replace(policies, closed_period=latest.policies.closed_period, review_above=review),
    )  # fmt: skip


def _other_caps(chance: Random, terms: Engagement) -> dict[str, object]:
    """Caps that rise, fall, or cover something else."""
    caps = agreed.partial_caps(chance, terms.currency) if agreed.rarely(chance, 3) else terms.caps
    if terms.cap is None:
        return {"caps": caps or terms.caps}
    other = agreed.cap(chance, terms.currency)
    return {"caps": caps, "cap": msgspec.structs.replace(terms.cap, amount=other.amount, tolerance=other.tolerance)}


def assignments(chance: Random, sold: Sold) -> Planned:
    """Up to three for each engagement: some revised, cancelled or given to another person; some late, some never."""
    found: list[Assignment] = []
    sent: list[tuple[float, Thing]] = []
    for terms in sold.engagements:
        for number in range(chance.randrange(4)):
            plan = Assignment(
                source="psa", id=f"A-{terms.id}-{number}", revision=1, engagement_id=terms.id,
                resource_id=f"R{chance.randint(1, 5)}", booking=chance.choice(("hard", "soft")),
                rate=chance.choice((None, "105.5", "99.999999")), weeks=_weeks(chance),
            )  # fmt: skip
            found.append(plan)
            if chance.randrange(10) == 0:
                continue
            first = chance.choice((0.0, chance.random()))
            for revision in range(1, chance.randint(1, 3) + 1):
                changed = msgspec.structs.replace(
                    plan, revision=revision, weeks=_weeks(chance), resource_id=f"R{chance.randint(1, 5)}",
                    status=chance.choice(("active", "active", "active", "cancelled")),
                    booking=chance.choice(("hard", "soft")), rate=chance.choice((plan.rate, plan.rate, "77.7", None)),
                )  # fmt: skip
                sent.append((first + (revision - 1) * 0.1, plan if revision == 1 else changed))
    return Planned(found, sent)


def _weeks(chance: Random) -> tuple[PlannedWeek, ...]:
    weeks = sorted(chance.sample(MONDAYS, chance.randint(1, 4)))
    return tuple(PlannedWeek(week=week, hours=chance.choice(("8", "20", "24.25", "0.333333"))) for week in weeks)
