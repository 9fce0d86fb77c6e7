"""What people spend in the sample week, and what the customer pays for it by the terms of each category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.decimals import format_scaled
from ...codecs.engagement import ExpenseCategory, ExpenseTerms
from ...codecs.expense import Expense, ExpenseItem
from .fees import excluded
from .happenings import often
from .offices import LATE_CURRENCY, PER_HUNDRED_EURO, amount_text

if TYPE_CHECKING:
    import datetime as dt
    import random

    from ...codecs.engagement import Engagement
    from ...codecs.wire import ExpenseUnit
    from .deals import Post

CATEGORIES: Final = {"hotel": 18_000, "flight": 32_000, "rail": 9_000, "meal": 3_500, "licence": 25_000}
"""Categories of spend with what one costs, in euro cents."""
_UNITS: Final[tuple[ExpenseUnit, ...]] = ("unit", "kilometre", "day", "mile", "night")
_PRICE_PLACES: Final = 4  # of a hundredth of a euro cent in any currency


def expense_terms(number: int, currency: str) -> ExpenseTerms:
    """Terms of the engagement with this number, by its last digit."""
    return {
        1: ExpenseTerms(policy="mark_up", mark_up_percent="7.5"),
        2: ExpenseTerms(policy="non_billable"),
        3: ExpenseTerms(categories=_travel(currency)),
        4: ExpenseTerms(receipt_above=amount_text(7_500, currency), line_cap=amount_text(30_000, currency)),
        5: ExpenseTerms(policy="mark_up", mark_up_percent="3.3333", categories=_abroad(currency)),
        7: ExpenseTerms(policy="unit_price", categories=(*_travel(currency), *_fares())),
    }.get(number % 10, ExpenseTerms())


def _travel(currency: str) -> tuple[ExpenseCategory, ...]:
    """Mileage and per diem at a price, licences by the piece, hotels up to a sum, meals at the firm's own cost."""
    return (
        ExpenseCategory(category="mileage", policy="unit_price", unit_price=_per_unit(30, currency), unit="kilometre"),
        ExpenseCategory(category="per diem", policy="unit_price", unit_price=_per_unit(2_800, currency), unit="day"),
        ExpenseCategory(category="licence", policy="unit_price", unit_price=_per_unit(19_999, currency)),
        ExpenseCategory(category="hotel", line_cap=amount_text(15_000, currency)),
        ExpenseCategory(category="meal", policy="non_billable"),
    )


def _abroad(currency: str) -> tuple[ExpenseCategory, ...]:
    """Miles and nights at a price, flights with a receipt and a mark-up of their own."""
    return (
        ExpenseCategory(category="mileage", policy="unit_price", unit_price=_per_unit(45, currency), unit="mile"),
        ExpenseCategory(category="hotel", policy="unit_price", unit_price=_per_unit(14_000, currency), unit="night"),
        ExpenseCategory(
            category="flight", policy="mark_up", mark_up_percent="5", receipt_above=amount_text(20_000, currency)
        ),
    )


def _fares() -> tuple[ExpenseCategory, ...]:
    """Tickets at what they cost."""
    return ExpenseCategory(category="flight"), ExpenseCategory(category="rail")


def _per_unit(euro_cents: int, currency: str) -> str:
    """About that many euro cents in a currency, as a price of one unit with the places of a price."""
    return format_scaled(euro_cents * PER_HUNDRED_EURO[currency], _PRICE_PLACES)


def an_expense(rng: random.Random, number: int, post: Post, day: dt.date, currency: str) -> Expense:
    """One expense: most are an amount, some have tax, a personal part, a quantity or items."""
    category, euro_cents = rng.choice(list(CATEGORIES.items()))
    spent = euro_cents * rng.randint(50, 200) // 100 + rng.randint(0, 99)
    plain = Expense(
        source="spend",
        id=f"X-{number:06}",
        revision=1,
        engagement_id=post.terms.id,
        resource_id=post.person.resource.id,
        spent_on=day,
        category=category,
        amount=_text(spent, currency),
        currency=currency,
        status="submitted",
        billable=often(rng, 90),
        task_id=f"task-{rng.randint(1, 6)}" if often(rng, 40) else "",
        receipt=often(rng, 85),
        progress_excluded=excluded(rng),
    )
    way = rng.choices(("amount", "parts", "quantity", "priced", "items"), (60, 12, 12, 6, 10))[0]
    return msgspec.structs.replace(plain, **_details(rng, way, spent, post.terms, plain))


def _details(rng: random.Random, way: str, spent: int, terms: Engagement, plain: Expense) -> dict[str, object]:
    """What an expense says beyond an amount; where the terms price no unit, an amount is all."""
    by_unit = [own for own in terms.expenses.categories if own.unit_price is not None]
    if way == "quantity" and by_unit:
        return _quantity(rng, rng.choice(by_unit), terms.currency)
    if way == "priced":
        price = _text(rng.randint(300, 9_000), plain.currency)
        unit = "unit" if often(rng, 80) else rng.choice(_UNITS)
        return {"unit": unit, "quantity": str(rng.randint(1, 12)), "unit_price": price, "amount": None}
    if way == "items":
        return {"amount": None, "items": _items(rng, spent, plain.currency)}
    return _parts(rng, spent, plain.currency) if way == "parts" else {}


def _parts(rng: random.Random, spent: int, currency: str) -> dict[str, object]:
    """Tax that may be recovered, and a part that the employee owes."""
    return {
        "tax_amount": _text(spent * 19 // 119, currency),
        "tax_recoverable": often(rng, 60),
        "personal_amount": _text(spent // 10, currency) if often(rng, 40) else "0",
    }


def _quantity(rng: random.Random, own: ExpenseCategory, currency: str) -> dict[str, object]:
    """How far, how many days, nights or pieces: the terms say what that is in money, for their own unit."""
    quantity = f"{rng.randint(20, 400)}.5" if own.category == "mileage" else str(rng.randint(1, 4))
    unit = own.unit if often(rng, 95) else rng.choice(_UNITS)
    return {"category": own.category, "unit": unit, "quantity": quantity, "amount": None, "currency": currency}


def _items(rng: random.Random, spent: int, currency: str) -> tuple[ExpenseItem, ...]:
    """A hotel bill: the night, a meal, and something with a price."""
    night = ExpenseItem(category="hotel", amount=_text(spent, currency))
    meal = ExpenseItem(category="meal", amount=_text(rng.randint(900, 6_000), currency))
    price, nights = _text(1_200, currency), str(rng.randint(1, 3))
    parking = ExpenseItem(category="parking", quantity=nights, unit="night", unit_price=price)
    return (msgspec.structs.replace(night, **_parts(rng, spent, currency)), meal, parking)[: rng.randint(1, 3)]


def _text(euro_cents: int, currency: str) -> str:
    """About that many euro cents in a currency, or whole units of one whose rate the firm does not know."""
    known = currency in {*PER_HUNDRED_EURO, LATE_CURRENCY}
    return amount_text(euro_cents, currency) if known else f"{euro_cents // 100}"


def corrected(first: Expense) -> dict[str, object]:
    """What a correction changes: about a quarter less, in whole units of any currency; the last item is left out."""
    if first.items:
        return {"items": first.items[:-1] or first.items, "receipt": True}
    if first.amount is None:
        whole = int((first.quantity or "0").partition(".")[0])
        return {"quantity": str(whole * 3 // 4 + 1)}
    whole = int(first.amount.partition(".")[0])
    return {"amount": str(whole * 3 // 4 + 1)}
