"""Expenses in a reckoning: what each line costs, what the customer pays for it, and whether a receipt is missing."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_exchange import way
from .reckoning_lookups import WaitsError
from .reckoning_numbers import PERCENT_PLACES, in_minor_units, minor, number
from .reckoning_spent import Spent, lines_of

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement, ExpenseCategory, ExpenseTerms
    from ...codecs.expense import Expense
    from .reckoning_exchange import Way
    from .reckoning_facts import Facts

_UNPRICED: Final = {"non_billable", "internal"}


class _Line(NamedTuple):
    """A line whose amount is known. agreed: the price of one unit, if the terms have one."""

    spent: Spent
    amount: int
    terms: ExpenseTerms | ExpenseCategory
    agreed: Fraction | None

    @property
    def cost(self) -> int:
        """What the firm bears of it."""
        return self.amount - self.spent.personal - self.spent.tax


def expense_worth(facts: Facts, terms: Engagement, entry: Expense, fx_on: dt.date) -> tuple[int, int | None]:
    """Cost and price of an expense, in minor units of the contract's currency. fx_on: day of exchange rates."""
    converted = way(facts, terms, entry.currency, fx_on)
    lines = [_known(line, terms, entry.currency) for line in lines_of(entry)]
    if not entry.receipt:
        _ask_for_receipt(lines, terms, converted)
    cost = converted.of(sum(line.cost for line in lines))
    billed = [line for line in lines if line.terms.policy != "non_billable"]
    if not billed or not entry.billable or terms.contract_type in _UNPRICED:
        return cost, None
    return cost, sum(_price(line, terms, converted) for line in billed)


def own_cost(terms: Engagement, entry: Expense) -> int:
    """What an expense costs, in minor units of the currency of spending. Raises WaitsError."""
    return sum(_known(line, terms, entry.currency).cost for line in lines_of(entry))


def _known(spent: Spent, terms: Engagement, currency: str) -> _Line:
    """Find the terms of a line's category, and its amount; raises WaitsError where a unit price is missing."""
    of_category = [own for own in terms.expenses.categories if own.category == spent.category]
    if not of_category:
        if spent.amount is None or (terms.expenses.policy == "unit_price" and spent.unit_price is None):
            raise WaitsError("unit_price_missing")
        return _Line(spent, spent.amount, terms.expenses, None)
    own = of_category[0]
    agreed = None if own.unit_price is None else number(own.unit_price)
    amount = spent.amount
    if amount is None:
        if agreed is None or own.unit != spent.unit or currency != terms.currency:
            raise WaitsError("unit_price_missing")
        amount = in_minor_units(spent.quantity * agreed, currency)
    if own.policy == "unit_price":
        known = spent.unit_price is not None if agreed is None else own.unit == spent.unit
        if not known:
            raise WaitsError("unit_price_missing")
    return _Line(spent, amount, own, agreed)


def _ask_for_receipt(lines: list[_Line], terms: Engagement, converted: Way) -> None:
    """Raise WaitsError when lines under the same terms are together above what needs no receipt."""
    every: list[ExpenseTerms | ExpenseCategory] = [terms.expenses, *terms.expenses.categories]
    for own in every:
        if own.receipt_above is None:
            continue
        spent = sum(line.amount for line in lines if line.terms is own)
        if converted.exactly(spent) > number(own.receipt_above):
            raise WaitsError("receipt_missing")


def _price(line: _Line, terms: Engagement, converted: Way) -> int:
    """What the customer pays for one line: rounded once, then at most the cap of a line, either way."""
    spent, own = line.spent, line.terms
    if own.policy == "unit_price" and line.agreed is not None:
        share = Fraction(line.amount - spent.personal, line.amount) if spent.personal else Fraction(1)
        exact = spent.quantity * line.agreed * share
    else:
        mark_up = number(own.mark_up_percent, PERCENT_PLACES) if own.policy == "mark_up" else Fraction(0)
        exact = converted.exactly(line.cost) * (100 + mark_up) / 100
    price = in_minor_units(exact, terms.currency, terms.policies.rounding)
    if own.line_cap is None:
        return price
    cap = minor(own.line_cap, terms.currency)
    return max(-cap, min(price, cap))
