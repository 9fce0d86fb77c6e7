"""Expense terms as the rules read them: what the customer pays for each category, in integers."""

from __future__ import annotations

from typing import Final

import msgspec

from ...codecs.currencies import parse_amount
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, parse_rate, parse_scaled
from ...codecs.engagement import Engagement, ExpenseCategory, ExpensePolicy, ExpenseTerms
from ...codecs.entry_state import EntryVersion
from ...codecs.errors import UndecodableError
from ...codecs.wire import ExpenseUnit


class CategoryTerms(msgspec.Struct, frozen=True, gc=False):
    """Terms of one category, or of all that have none of their own.

    source: where they stand, for the trace; mark_up: 10^-4 percent over cost, 0 unless the policy is `mark_up`;
    unit_price: 10^-6 of the contract's currency for one `unit`; line_cap and receipt_above: minor units or None.
    """

    source: str
    policy: ExpensePolicy
    mark_up: int
    unit_price: int | None
    unit: ExpenseUnit
    line_cap: int | None
    receipt_above: int | None


class ExpensePrices:
    """The expense terms of one engagement. A value: never changed once made.

    asks_for_receipts: some category does.
    """

    __slots__ = ("_categories", "_default", "_for_customers", "asks_for_receipts")

    def __init__(self, terms: Engagement) -> None:
        """Read the terms; raises UndecodableError naming the field of a term that makes no sense."""
        self._for_customers: Final = terms.contract_type not in {"non_billable", "internal"}
        self._default: Final = _read(terms, terms.expenses, "$.expenses")
        self._categories: Final[dict[str, CategoryTerms]] = {}
        for at, own in enumerate(terms.expenses.categories):
            field = f"$.expenses.categories[{at}]"
            if own.category in self._categories:
                raise UndecodableError(
                    "invalid_field", f"{field}.category", f"{own.category!r} is there twice", "send each category once"
                )
            self._categories[own.category] = _read(terms, own, field)
        every = (self._default, *self._categories.values())
        self.asks_for_receipts: Final = any(own.receipt_above is not None for own in every)

    def of(self, category: str) -> CategoryTerms:
        """The category's own terms, else the engagement's."""
        return self._categories.get(category, self._default)

    def bills(self, version: EntryVersion) -> bool:
        """Whether the customer pays anything for a version of an expense."""
        if not (self._for_customers and version.billable):
            return False
        if not version.lines:
            return self.of(version.item).policy != "non_billable"
        return any(self.of(line.category).policy != "non_billable" for line in version.lines)


def _read(terms: Engagement, own: ExpenseTerms | ExpenseCategory, field: str) -> CategoryTerms:
    source = f"expense terms of {terms.id} revision {terms.revision}"
    unit_price: int | None = None
    unit: ExpenseUnit = "unit"
    if isinstance(own, ExpenseCategory):
        source += f", category {own.category}"
        unit = own.unit
        unit_price = None if own.unit_price is None else parse_rate(own.unit_price, f"{field}.unit_price")
    percent = parse_scaled(own.mark_up_percent, PERCENT_PLACES, f"{field}.mark_up_percent", PERCENT_DIGITS_MAX)
    return CategoryTerms(
        source,
        own.policy,
        percent if own.policy == "mark_up" else 0,
        unit_price,
        unit,
        _limit(own.line_cap, terms.currency, f"{field}.line_cap"),
        _limit(own.receipt_above, terms.currency, f"{field}.receipt_above"),
    )


def _limit(text: str | None, currency: str, field: str) -> int | None:
    limit = None if text is None else parse_amount(text, currency, field)
    if limit is not None and limit < 0:
        raise UndecodableError("invalid_field", field, f"{text!r} is below zero", "send zero or more")
    return limit
