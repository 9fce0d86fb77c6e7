"""What was spent: an expense's lines in a reckoning, read and refused apart from the product."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_numbers import MINOR_UNITS, in_minor_units, minor, number, refuse_when

if TYPE_CHECKING:
    from ...codecs.expense import Expense, ExpenseItem
    from ...codecs.wire import ExpenseUnit

_OF_ITEMS: Final = {"quantity": None, "unit_price": None, "tax_amount": "0", "personal_amount": "0"}
_DIGITS_MAX: Final = 10**12


class Spent(NamedTuple):
    """One line, in minor units of the currency of spend; amount: None when only the terms can say it.

    unit_price: the line's own; tax: what of it is recoverable; personal: what the employee owes.
    """

    category: str
    amount: int | None
    quantity: Fraction
    unit: ExpenseUnit
    unit_price: Fraction | None
    tax: int
    personal: int


def lines_of(entry: Expense) -> list[Spent]:
    """Lines of an expense: its items, or itself; raises UnreadableError."""
    if not entry.items:
        return [_line(entry, entry.currency)]
    for name, absent in _OF_ITEMS.items():
        refuse_when(getattr(entry, name) != absent, f"{name} beside items")
    lines = [_line(item, entry.currency) for item in entry.items]
    if entry.amount is not None:
        amounts = [line.amount for line in lines]
        refuse_when(None in amounts, "a sum of unknown amounts")
        refuse_when(minor(entry.amount, entry.currency) != sum(filter(None, amounts)), "another sum")
    return lines


def _line(part: Expense | ExpenseItem, currency: str) -> Spent:
    amount = None if part.amount is None else minor(part.amount, currency)
    quantity = Fraction(1) if part.quantity is None else number(part.quantity)
    unit_price = None if part.unit_price is None else number(part.unit_price)
    refuse_when(part.quantity is None and (amount is None or unit_price is not None), "no quantity")
    refuse_when(part.quantity is not None and amount is not None and amount * quantity < 0, "signs")
    if unit_price is not None:
        exact = quantity * unit_price
        refuse_when(abs(exact) >= _DIGITS_MAX, "too much")
        if amount is None:
            amount = in_minor_units(exact, currency)
        # What was sent stays, if it is the product rounded in whatever way.
        refuse_when(abs(amount - exact * 10 ** MINOR_UNITS[currency]) >= 1, "another product")
    tax, personal = minor(part.tax_amount, currency), minor(part.personal_amount, currency)
    for piece in (tax, personal, tax + personal):
        refuse_when(bool(piece) and (amount is None or piece * amount < 0 or abs(piece) > abs(amount)), "no part")
    return Spent(part.category, amount, quantity, part.unit, unit_price, tax if part.tax_recoverable else 0, personal)
