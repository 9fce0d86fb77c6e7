"""What a contract agrees beyond the plain: every policy there is, each now and then, so that they meet each other."""

from __future__ import annotations

import datetime as dt
from random import Random

from billtide.codecs.engagement import ExpenseCategory, ExpenseTerms
from billtide.codecs.time_policies import Multipliers, TimeRounding

PLACES = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


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
