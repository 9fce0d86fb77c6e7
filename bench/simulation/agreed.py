"""What a contract agrees beyond the plain: every policy there is, each now and then, so that they meet each other."""

from __future__ import annotations

import datetime as dt
from random import Random

from billtide.codecs.approvers import ApprovalThreshold, Approver, Delegate
from billtide.codecs.engagement import Cap, ExpenseCategory, ExpenseTerms, Fee, Milestone, PartialCap
from billtide.codecs.time_policies import Discount, MultiplierChange, Multipliers, TimeRounding

APPROVERS = ("M1", "M2", "M3", "D1")
DECIDED_ON = (None, dt.date(2025, 11, 5), dt.date(2025, 11, 15), dt.date(2025, 11, 25))
PLACES = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3, "CHF": 2}


def rarely(chance: Random, one_in: int) -> bool:
    """Whether something that happens once in so many times happens now."""
    return chance.randrange(one_in) == 0


def money(chance: Random, low: int, high: int, currency: str) -> str:
    """An amount with every digit its currency has."""
    places = PLACES[currency]
    whole = str(chance.randint(low, high) * (100 if places == 0 else 1))
    return whole if not places else f"{whole}.{chance.randrange(10**places):0{places}}"


def time_rounding(chance: Random) -> TimeRounding | None:
    """How billed time is rounded, if it is."""
    if not rarely(chance, 3):
        return None
    return TimeRounding(
        unit_minutes=chance.choice((1, 6, 15, 20, 30)),
        mode=chance.choice(("nearest", "up", "down")),
        minimum_minutes=chance.choice((0, 0, 15, 60)),
        factor_percent=chance.choice(("100", "100", "87.5", "110")),
    )


def multipliers(chance: Random) -> Multipliers | None:
    """What work of a kind, at weekends and on holidays costs more, if it does."""
    if not rarely(chance, 3):
        return None
    return Multipliers(
        by_work_type=chance.choice(({}, {"overtime": "1.5", "travel": "0.5"}, {"travel": "0"})),
        weekend=chance.choice((None, "1.25", "1.3333")),
        holiday=chance.choice((None, "2", "1.75")),
        weekend_days=chance.choice((("saturday", "sunday"), ("friday", "saturday"))),
        holidays=(dt.date(2025, 10, 3), dt.date(2025, 11, 1), dt.date(2025, 11, 3)),
        stacking=chance.choice(("largest", "multiply")),
    )


def multiplier_changes(chance: Random) -> tuple[MultiplierChange, ...]:
    """Multipliers that take the place of the first, if any do."""
    if not rarely(chance, 4):
        return ()
    days = sorted(chance.sample((dt.date(2025, 10, 10), dt.date(2025, 11, 1), dt.date(2025, 11, 20)), 2))
    return tuple(MultiplierChange(effective_from=day, multipliers=multipliers(chance)) for day in days)


def discounts(chance: Random) -> tuple[Discount, ...]:
    """Discounts for some time, if there are any."""
    if not rarely(chance, 4):
        return ()
    ends = chance.choice((None, dt.date(2025, 11, 15)))
    return (
        Discount(percent="15", effective_from=dt.date(2025, 10, 5), effective_to=ends),
        Discount(percent=chance.choice(("0", "2.5")), effective_from=dt.date(2025, 10, 20)),
    )


def expenses(chance: Random, currency: str) -> ExpenseTerms:
    """What the customer pays for expenses: by one policy for all, and now and then by others for some categories."""
    return ExpenseTerms(
        policy=chance.choice(("at_cost", "mark_up", "non_billable", "at_cost", "mark_up", "unit_price")),
        mark_up_percent=chance.choice(("10", "7.25")),
        line_cap=chance.choice((None, None, money(chance, 10, 200, currency))),
        receipt_above=chance.choice((None, None, money(chance, 5, 100, currency))),
        categories=tuple(_category(chance, name, currency) for name in ("meal", "mileage", "hotel"))
        if rarely(chance, 2)
        else (),
    )


def _category(chance: Random, name: str, currency: str) -> ExpenseCategory:
    priced = name == "mileage" or rarely(chance, 4)
    return ExpenseCategory(
        category=name,
        policy="unit_price" if priced else chance.choice(("at_cost", "mark_up", "non_billable")),
        mark_up_percent=chance.choice(("0", "12.5")),
        unit_price=chance.choice((None, "0.3", "0.3", "41.555")) if priced else None,
        unit=chance.choice(("kilometre", "kilometre", "day")),
        line_cap=chance.choice((None, None, money(chance, 10, 200, currency))),
        receipt_above=chance.choice((None, None, money(chance, 5, 100, currency))),
    )


def thresholds(chance: Random, currency: str) -> tuple[ApprovalThreshold, ...]:
    """Levels that larger entries need, if any do."""
    if not rarely(chance, 3):
        return ()
    return tuple(
        ApprovalThreshold(
            level=chance.choice(("manager", "project", "finance")),
            amount=money(chance, 0, 900, currency),
            of=chance.choice(("price", "cost")),
        )
        for _ in range(chance.randint(1, 2))
    )


def auto_approve_under(chance: Random, currency: str) -> str | None:
    """Amount below which nobody has to decide, if there is one."""
    return money(chance, 0, 600, currency) if rarely(chance, 4) else None


def review_above(chance: Random, currency: str) -> str | None:
    """By how much a correction may change a bill without review, if that is limited."""
    return money(chance, 0, 400, currency) if rarely(chance, 3) else None


def approvers(chance: Random) -> tuple[Approver, ...]:
    """Who may decide, if the terms say so: with and without dates and delegates."""
    if not rarely(chance, 4):
        return ()
    days = (None, None, dt.date(2025, 11, 1), dt.date(2025, 11, 20))
    delegate = Delegate(approver_id="D1", valid_from=chance.choice(days[:3]), valid_to=chance.choice((None, days[3])))
    return tuple(
        Approver(
            approver_id=chance.choice(APPROVERS[:3]),
            level=level,
            valid_from=chance.choice((None, None, dt.date(2025, 11, 10))),
            valid_to=chance.choice((None, None, days[3])),
            delegates=chance.choice(((), (delegate,))),
        )
        for level in chance.choices(("manager", "project", "finance"), k=chance.randint(1, 4))
    )


def cap(chance: Random, currency: str) -> Cap:
    """What the customer pays for an engagement in all."""
    return Cap(
        amount=money(chance, 0, 12_000, currency),
        mode=chance.choice(("split", "split", "hold", "stop")),
        includes_expenses=chance.choice((True, False)),
        tolerance=chance.choice(("0", "0", money(chance, 1, 300, currency))),
    )


def partial_caps(chance: Random, currency: str) -> tuple[PartialCap, ...]:
    """What the customer pays for tasks, people, days, weeks or months, if that is limited."""
    return tuple(
        PartialCap(
            id=f"PO-{number}",
            amount=money(chance, 0, 5_000, currency),
            mode=chance.choice(("split", "split", "hold", "stop")),
            includes_expenses=chance.choice((True, True, False)),
            tolerance=chance.choice(("0", "0", money(chance, 1, 300, currency))),
            tasks=chance.choice(((), ("design",), ("design", "build"))),
            resources=chance.choice(((), ("R1",), ("R2", "R3"))),
            per=chance.choice((None, None, "day", "week", "month")),
        )
        for number in range(chance.choice((0, 0, 1, 2, 3)))
    )


def fixed_fee(chance: Random, currency: str, *, by_days: bool) -> Fee:
    """The price of a whole piece of work, by each measure of its progress; by_days: whether days may measure it."""
    method = chance.choice(("cost_to_cost", "cost_to_cost", "hours_to_hours", "milestone", "straight_line"))
    if method == "straight_line" and not by_days:
        method = "cost_to_cost"
    estimate = money(chance, 1_000, 30_000, currency) if method == "cost_to_cost" or rarely(chance, 2) else None
    apart = money(chance, 0, 900, currency) if estimate is not None and rarely(chance, 3) else None
    return Fee(
        amount=money(chance, 1_000, 90_000, currency),
        estimated_cost=estimate,
        progress=method,
        estimated_hours=chance.choice(("40", "120.5", "7.333333")),
        uninstalled_cost=apart,
        percent_places=chance.choice((None, None, 0, 2)),
        milestones=_milestones(chance) if method == "milestone" or rarely(chance, 2) else (),
        loss_provision=chance.choice(("at_once", "at_once", "none")),
    )


def _milestones(chance: Random) -> tuple[Milestone, ...]:
    """Parts of the fee; which of them are reached, and when, differs from revision to revision."""
    return tuple(
        Milestone(
            id=f"M{number}",
            percent=percent,
            reached_on=chance.choice((None, dt.date(2025, 9, 15), dt.date(2025, 10, 20), dt.date(2025, 11, 30))),
        )
        for number, percent in enumerate(chance.choice((("33.3333", "33.3333", "33.3334"), ("20", "80"), ("100",))))
    )
