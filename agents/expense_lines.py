"""An expense as it was sent becomes lines in units of the rules, or is refused with the field that does not fit."""

from __future__ import annotations

from typing import Final

from ..codecs.currencies import exponent, format_amount, parse_amount
from ..codecs.decimals import DIGITS_MAX, QUANTITY_DIGITS_MAX, RATE_PLACES, parse_rate, parse_scaled
from ..codecs.entry_state import SpentLine
from ..codecs.errors import UndecodableError
from ..codecs.expense import Expense, ExpenseItem
from .rules.money import divide

_UNIT: Final = 10 ** (2 * RATE_PLACES)
_OF_ITEMS: Final = ("quantity", "unit", "unit_price", "tax_amount", "tax_recoverable", "personal_amount")
_PLAIN: Final = ExpenseItem(category="any")


def read_lines(sent: Expense) -> tuple[int, tuple[SpentLine, ...]]:
    """Amount of an expense in minor units, as far as it says it, and its lines; raises UndecodableError.

    An expense that is an amount of one category and no more has no lines.
    """
    if sent.items:
        return _itemised(sent)
    line = _line(sent, sent.currency, "$")
    if line.amount is not None and line == SpentLine(line.category, line.amount):
        return line.amount, ()
    return line.amount or 0, (line,)


def _itemised(sent: Expense) -> tuple[int, tuple[SpentLine, ...]]:
    for name in _OF_ITEMS:
        if getattr(sent, name) != getattr(_PLAIN, name):
            raise _invalid(f"$.{name}", "the expense has items", "send it with the items it belongs to")
    currency = sent.currency
    lines = tuple(_line(item, currency, f"$.items[{at}]") for at, item in enumerate(sent.items))
    known = [line.amount for line in lines if line.amount is not None]
    if sent.amount is not None:
        if len(known) < len(lines):
            raise _invalid("$.amount", "not every item has an amount", "send each item's, or leave this one out")
        amount = parse_amount(sent.amount, currency, "$.amount", DIGITS_MAX)
        if amount != sum(known):
            total = format_amount(sum(known), currency)
            raise _invalid("$.amount", f"the items sum to {total}", "send items that sum to it, or leave it out")
    return sum(known), lines


def _line(sent: Expense | ExpenseItem, currency: str, field: str) -> SpentLine:
    amount = None if sent.amount is None else parse_amount(sent.amount, currency, f"{field}.amount", DIGITS_MAX)
    unit_price = None if sent.unit_price is None else parse_rate(sent.unit_price, f"{field}.unit_price")
    if sent.quantity is None:
        if unit_price is not None:
            raise _invalid(f"{field}.quantity", "a unit price has no quantity", "send how many units there are")
        if amount is None:
            fix = 'send what was spent, such as "90.50", or a quantity with its unit'
            raise _invalid(f"{field}.amount", "neither an amount nor a quantity", fix)
        quantity = 10**RATE_PLACES
    else:
        quantity = parse_scaled(sent.quantity, RATE_PLACES, f"{field}.quantity", QUANTITY_DIGITS_MAX)
        if amount is not None and amount * quantity < 0:
            raise _invalid(f"{field}.quantity", "its sign is not the amount's", "send both below zero for a refund")
        if unit_price is not None:
            amount = _by_unit_price(amount, quantity, unit_price, currency, field)
    tax = parse_amount(sent.tax_amount, currency, f"{field}.tax_amount", DIGITS_MAX)
    personal = parse_amount(sent.personal_amount, currency, f"{field}.personal_amount", DIGITS_MAX)
    _check_part(tax, amount, f"{field}.tax_amount")
    _check_part(personal, amount, f"{field}.personal_amount")
    if amount is not None and abs(tax + personal) > abs(amount):
        problem, fix = "it and the tax are more than the amount", "send as tax only what lies in the rest of it"
        raise _invalid(f"{field}.personal_amount", problem, fix)
    return SpentLine(
        sent.category, amount, quantity, sent.unit, unit_price, tax if sent.tax_recoverable else 0, personal
    )


def _by_unit_price(amount: int | None, quantity: int, unit_price: int, currency: str, field: str) -> int:
    """Quantity x unit price in minor units, half up; an amount that was sent stays if it is that, however rounded."""
    places = exponent(currency)
    exact = quantity * unit_price * 10**places
    product = divide(exact, _UNIT, "half_up")
    if abs(product) >= 10 ** (DIGITS_MAX + places):
        problem = f"quantity x unit_price has more than {DIGITS_MAX} digits before the point"
        raise _invalid(f"{field}.unit_price", problem, "check the unit of both")
    if amount is None:
        return product
    if abs(amount * _UNIT - exact) >= _UNIT:
        problem = f"quantity x unit_price are {format_amount(product, currency)}"
        raise _invalid(f"{field}.amount", problem, "send what they make, or leave it out")
    return amount


def _check_part(part: int, amount: int | None, field: str) -> None:
    """A part has the sign of its amount and is not more than it."""
    if not part:
        return
    if amount is None:
        raise _invalid(field, "it is part of an amount that was not sent", "send the amount")
    if part * amount < 0 or abs(part) > abs(amount):
        raise _invalid(field, "it is no part of the amount", "send a sum between zero and the amount")


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)
