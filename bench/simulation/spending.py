"""What is in an expense: an amount, a quantity with or without a price, tax, a personal part, or several items."""

from __future__ import annotations

from random import Random

import msgspec

from billtide.codecs.expense import Expense, ExpenseItem

from .agreed import rarely

CATEGORIES = ("meal", "mileage", "hotel")


def amount(chance: Random, currency: str) -> str:
    """A sum of money that was spent."""
    return chance.choice(("1000", "12", "0") if currency == "JPY" else ("250", "12.34", "99.99", "0"))


def detailed(chance: Random, plain: Expense) -> Expense:
    """The expense as it is, or with more to say about it."""
    way = chance.choice(("plain", "plain", "plain", "parts", "quantity", "priced", "items"))
    if way == "parts":
        return msgspec.structs.replace(plain, **_parts(chance, plain.currency))
    if way == "quantity":
        return msgspec.structs.replace(
            plain, category="mileage", amount=None, quantity=_quantity(chance), unit=_unit(chance)
        )
    if way == "priced":
        return msgspec.structs.replace(
            plain, amount=None, quantity=_quantity(chance), unit=_unit(chance), unit_price=_unit_price(chance)
        )
    if way == "items":
        items = tuple(_item(chance, plain.currency) for _ in range(chance.randint(1, 4)))
        return msgspec.structs.replace(plain, amount=None, items=items)
    return plain


def _item(chance: Random, currency: str) -> ExpenseItem:
    item = ExpenseItem(category=chance.choice(("travel", *CATEGORIES)), amount=amount(chance, currency))
    if rarely(chance, 3):
        return msgspec.structs.replace(item, **_parts(chance, currency))
    if rarely(chance, 3):
        return msgspec.structs.replace(
            item, amount=None, quantity=_quantity(chance), unit=_unit(chance), unit_price=_unit_price(chance)
        )
    return item


def _parts(chance: Random, currency: str) -> dict[str, object]:
    """An amount with tax and now and then a personal part."""
    sums = ("1190", "190", "400") if currency == "JPY" else ("119.00", "19.00", "40.01")
    spent, tax, personal = sums
    return {
        "amount": spent,
        "tax_amount": tax,
        "tax_recoverable": chance.choice((True, False)),
        "personal_amount": chance.choice(("0", "0", personal)),
    }


def _quantity(chance: Random) -> str:
    return chance.choice(("1", "12.5", "333.333", "0"))


def _unit(chance: Random) -> str:
    return chance.choice(("kilometre", "kilometre", "day"))


def _unit_price(chance: Random) -> str:
    return chance.choice(("0.3", "28.005", "1"))
