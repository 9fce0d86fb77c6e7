"""What an expense is worth: what it costs the firm, what the customer pays for it, and how that came to be.

An expense is one line or several. Each line is priced by the terms of its category and rounded once, to the minor
unit of the contract's currency; the price of the expense is their exact sum. With

    cost   = amount - personal part - recoverable tax        in the currency of spend
    share  = (amount - personal part) / amount               1 where nothing was spent

a line's price is, by policy,

    at_cost, mark_up   cost x exchange rate x (1 + mark-up)
    unit_price         quantity x unit price of the terms x share; without one, as at_cost

and at most the line cap, also of a refund, in its sign. The cost of all lines together is converted once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from ...codecs.billing import TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import PERCENT_PLACES, RATE_PLACES, WHOLE, format_plain, format_scaled
from ...codecs.entry_state import EntryVersion, Price, SpentLine
from ...codecs.exception import HoldReason
from .contract import Contract
from .exchange import Conversion
from .expense_terms import CategoryTerms
from .money import divide

_UNIT_PRICED: Final = 10 ** (2 * RATE_PLACES)


class Worth(NamedTuple):
    """Worth of an expense.

    price is None when the customer pays for no line of it; cost is in minor units of the currency of spend,
    cost_value the same in the contract's currency.
    """

    price: Price | None
    trace: tuple[TraceStep, ...]
    cost: int
    cost_value: int


class Unpriced(NamedTuple):
    """Why an expense has no worth yet: the reason, and what the user reads."""

    reason: HoldReason
    message: str


class _Spent(msgspec.Struct, frozen=True, gc=False):
    """A line whose amount is known, in minor units of the currency of spend.

    cost: what of the amount the firm bears; agreed: the customer pays the terms' unit price, whatever it cost;
    name: what the trace calls it.
    """

    line: SpentLine
    terms: CategoryTerms
    amount: int
    cost: int
    agreed: bool
    name: str


def worth_of(version: EntryVersion, contract: Contract, fx: Conversion | None) -> Worth | Unpriced:
    """Value a version of an expense; fx: how its currency becomes the contract's, None where both are the same."""
    spent = _spent(version, contract)
    if isinstance(spent, Unpriced):
        return spent
    if contract.expenses.asks_for_receipts and not version.receipt:
        missing = _missing_receipt(version, spent, contract, fx)
        if missing is not None:
            return missing
    cost = cost_value = sum([each.cost for each in spent])
    if fx is not None:
        cost_value = fx.of(cost)
    if not contract.expenses.bills(version):
        return Worth(None, (), cost, cost_value)
    trace: list[TraceStep] = []
    single = len(spent) == 1
    amount = sum([_charged(each, version.currency, fx, contract, trace, single=single) for each in spent])
    price = _priced(spent, amount, contract, fx.rate if fx is not None and any(map(_converted, spent)) else None)
    return Worth(price, tuple(trace), cost, cost_value)


def _spent(version: EntryVersion, contract: Contract) -> list[_Spent] | Unpriced:
    """The lines with their amounts and terms, or what is missing to know them."""
    name = f"expense {version.source}:{version.id}"
    lines = version.lines or (SpentLine(version.item, version.amount),)
    found = []
    for at, line in enumerate(lines, 1):
        terms = contract.expenses.of(line.category)
        amount = line.amount
        if amount is None:
            amount = _agreed_amount(line, terms, version.currency, contract)
            if amount is None:
                return _no_unit_price(line, version.currency)
        if terms.policy == "unit_price" and not _has_unit_price(line, terms):
            return _no_unit_price(line, contract.currency)
        cost = amount - line.personal - line.recoverable_tax
        agreed = terms.policy == "unit_price" and terms.unit_price is not None
        found.append(_Spent(line, terms, amount, cost, agreed, name if len(lines) == 1 else f"line {at} of {name}"))
    return found


def _agreed_amount(line: SpentLine, terms: CategoryTerms, spent: str, contract: Contract) -> int | None:
    """What a line without an amount costs: quantity x the terms' unit price, when that is in the same currency."""
    if terms.unit_price is None or terms.unit != line.unit or spent != contract.currency:
        return None
    return divide(line.quantity * terms.unit_price * 10**contract.places, _UNIT_PRICED, "half_up")


def _has_unit_price(line: SpentLine, terms: CategoryTerms) -> bool:
    """Whether a unit price is known. An agreed one wins over the line's own, and is for its own unit only."""
    return line.unit_price is not None if terms.unit_price is None else terms.unit == line.unit


def _no_unit_price(line: SpentLine, currency: str) -> Unpriced:
    what = f"no unit price in {currency} per {line.unit} is known for category {line.category}"
    return Unpriced(
        "unit_price_missing",
        f"{what}; send one with the expense terms, or the expense with its quantity, unit and unit price",
    )


def _missing_receipt(
    version: EntryVersion, spent: list[_Spent], contract: Contract, fx: Conversion | None
) -> Unpriced | None:
    """Why an expense without a receipt needs one. Lines under the same terms count together: no splitting helps."""
    sums: dict[str, int] = {}
    for each in spent:
        sums[each.terms.source] = sums.get(each.terms.source, 0) + each.amount
    for each in spent:
        limit, amount = each.terms.receipt_above, sums[each.terms.source]
        if limit is not None and _exceeds(amount, limit, fx):
            what = f"{_money(amount, version.currency)} of category {each.line.category} have no receipt"
            above = f"above {_money(limit, contract.currency)} one is needed"
            return Unpriced("receipt_missing", f"{what}, and {above}; send a revision with receipt true")
    return None


def _exceeds(amount: int, limit: int, fx: Conversion | None) -> bool:
    """Whether an amount of the currency of spend is above one of the contract's; the last step is not rounded."""
    if fx is None:
        return amount > limit
    return fx.before(amount) * fx.last.numerator > limit * fx.last.denominator


def _converted(each: _Spent) -> bool:
    """Whether the price of a line comes from money spent, so that an exchange rate takes part in it."""
    return each.terms.policy != "non_billable" and not each.agreed


def _charged(
    each: _Spent, spent: str, fx: Conversion | None, contract: Contract, trace: list[TraceStep], *, single: bool
) -> int:
    """What the customer pays for a line, in minor units; its steps are added to the trace."""
    trace.extend(_spent_steps(each, spent))
    terms = each.terms
    if terms.policy == "non_billable":
        trace.append(TraceStep("policy", "non_billable", terms.source))
        return 0
    if each.agreed:
        amount = _by_unit_price(each, contract)
    else:
        amount = _by_cost(each, fx, contract)
        if fx is not None:
            trace.extend(fx.trace(each.cost))
        trace.append(TraceStep("mark_up_percent", format_scaled(terms.mark_up, PERCENT_PLACES), terms.source))
    if terms.line_cap is not None and abs(amount) > terms.line_cap:
        # A refund is capped as the opposite of what it takes back, which was billed up to the cap.
        cap = terms.line_cap if amount > 0 else -terms.line_cap
        rest = _money(amount - cap, contract.currency)
        trace.append(
            TraceStep(
                "line_cap", _money(cap, contract.currency), f"{terms.source}; {rest} over it are the firm's own cost"
            )
        )
        amount = cap
    if not single:
        trace.append(TraceStep("line", _money(amount, contract.currency), each.name))
    return amount


def _by_cost(each: _Spent, fx: Conversion | None, contract: Contract) -> int:
    """Cost x exchange rate x (1 + mark-up), rounded once; see exchange for a first of two steps."""
    marked_up = WHOLE + each.terms.mark_up
    if fx is None:
        return divide(each.cost * marked_up, WHOLE, contract.rounding)
    numerator = fx.before(each.cost) * fx.last.numerator * marked_up
    return divide(numerator, fx.last.denominator * WHOLE, contract.rounding)


def _by_unit_price(each: _Spent, contract: Contract) -> int:
    """Quantity x the terms' unit price x the share that is not personal, rounded once."""
    line = each.line
    numerator = line.quantity * (each.terms.unit_price or 0) * 10**contract.places
    if not line.personal:
        return divide(numerator, _UNIT_PRICED, contract.rounding)
    # Both have the same sign: a personal part is never more than the amount.
    numerator *= abs(each.amount - line.personal)
    return divide(numerator, _UNIT_PRICED * abs(each.amount), contract.rounding)


def _priced(spent: list[_Spent], amount: int, contract: Contract, fx: int | None) -> Price:
    """The price as the bill shows it: quantity x unit price where that is the amount, else one unit at the amount."""
    each = spent[0]
    line, unit_price = each.line, each.terms.unit_price
    currency, rounding = contract.currency, contract.rounding
    if each.agreed and unit_price is not None and len(spent) == 1:
        product = line.quantity * unit_price * 10**contract.places
        if divide(product, _UNIT_PRICED, rounding) == amount:
            return Price(unit_price, line.unit, amount, currency, rounding, fx, line.quantity, line.unit)
    return Price(amount * 10 ** (RATE_PLACES - contract.places), "unit", amount, currency, rounding, fx)


def _spent_steps(each: _Spent, currency: str) -> list[TraceStep]:
    """What was spent, what of it is no cost, and the quantity where a unit price counts."""
    line, name = each.line, each.name
    steps = [TraceStep("spent", _money(each.amount, currency), name)]
    if line.personal:
        steps.append(TraceStep("personal_part", _money(line.personal, currency), f"{name}; the employee owes it"))
    if line.recoverable_tax:
        steps.append(TraceStep("recoverable_tax", _money(line.recoverable_tax, currency), name))
    from_terms = each.agreed or line.amount is None
    unit_price, source = (each.terms.unit_price, each.terms.source) if from_terms else (line.unit_price, name)
    if unit_price is not None:
        steps.append(TraceStep("quantity", f"{format_plain(line.quantity, RATE_PLACES)} {line.unit}", name))
        steps.append(TraceStep("unit_price", f"{format_plain(unit_price, RATE_PLACES)}/{line.unit}", source))
    return steps


def _money(amount: int, currency: str) -> str:
    return f"{format_amount(amount, currency)} {currency}"
