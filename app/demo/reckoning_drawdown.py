"""Prepaid balances in a reckoning: what the fees of a retainer have prepaid, and what becomes of it term by term.

Work is billed at its price like any other; what the balance pays goes off the bill again. Only the sums of the terms
count, never which entry came first: those of one term use what its fee, a refill and the term before have left.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_fees import Term, begun_terms
from .reckoning_lookups import WaitsError, accounting_date
from .reckoning_numbers import minor
from .reckoning_value import date_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...codecs.engagement import Drawdown, Engagement
    from .reckoning_facts import Facts
    from .reckoning_money import Worth

_ONE_DAY: Final = dt.timedelta(days=1)


class Prepaid(NamedTuple):
    """Minor units that moved the balance of all terms together. held: value that waits for balance.

    fewest and most: entries that wait; which do depends on the order.
    """

    refilled: int = 0
    drawn: int = 0
    absorbed: int = 0
    expired: int = 0
    refunded: int = 0
    held: int = 0
    fewest: int = 0
    most: int = 0

    @property
    def on_bills(self) -> int:
        """What is billed besides work and the fees of the terms."""
        return self.refilled - self.drawn - self.absorbed - self.refunded

    @property
    def earned(self) -> int:
        """What is earned besides work."""
        return self.expired - self.absorbed

    @property
    def deferred(self) -> int:
        """What stays of the balance besides the fees of the terms."""
        return self.refilled - self.drawn - self.expired - self.refunded


NOTHING: Final = Prepaid()


def drawdown_of(terms: Engagement) -> Drawdown | None:
    """How work uses a prepaid balance up, where it does."""
    return terms.fee.drawdown if terms.contract_type == "retainer" and terms.fee is not None else None


def holds_back(terms: Engagement) -> bool:
    """Whether work waits for balance."""
    agreed = drawdown_of(terms)
    return agreed is not None and agreed.overage == "hold"


def draws(terms: Engagement, worth: Worth) -> bool:
    """Whether an entry uses the balance."""
    agreed = drawdown_of(terms)
    return agreed is not None and worth.approved and (agreed.includes_expenses or worth.kind == "time")


def prepaid(facts: Facts, terms: Engagement, worths: Sequence[Worth]) -> Prepaid:
    """Use the balance of a retainer up, term by term."""
    agreed = drawdown_of(terms)
    if agreed is None:
        return NOTHING
    drawing = [worth for worth in worths if draws(terms, worth)]
    begun, following = begun_terms(facts, terms)
    used = _used(begun, following, drawing)
    found = [0] * 5
    balance = waiting = 0
    for at, term in enumerate(begun):
        due = used[at] + waiting
        refilled = _refill(agreed, terms.currency, balance, term.amount, due, first=at == 0)
        balance += term.amount + refilled
        drawn = min(due, max(balance, 0))
        balance -= drawn
        waiting = due - drawn if agreed.overage == "hold" else 0
        absorbed = due - drawn if agreed.overage == "absorb" else 0
        unused = _at_end(facts, terms, term, last=following is None and at == len(begun) - 1)
        left, balance = (balance, 0) if unused in {"expire", "refund"} else (0, balance)
        told = left if _can_be_posted(facts, terms, term) else 0
        expired, refunded = told if unused == "expire" else 0, told if unused == "refund" else 0
        for place, amount in enumerate((refilled, drawn, absorbed, expired, refunded)):
            found[place] += amount
    if agreed.overage != "hold":
        return Prepaid(*found)
    prices = sorted((worth.price or 0 for worth in drawing), reverse=True)
    held, fewest, most = _waiting(max(0, sum(prices) - found[1]), [price for price in prices if price > 0])
    return Prepaid(*found)._replace(held=held, fewest=fewest, most=most)


def _used(begun: Sequence[Term], following: Term | None, drawing: Iterable[Worth]) -> list[int]:
    """The value of each term's work: what was done before the first is of the first, and of none what comes later."""
    used = [0] * len(begun)
    for worth in drawing:
        day = date_of(worth.version)
        if begun and (following is None or day < following.start):
            used[max((at for at, term in enumerate(begun) if term.start <= day), default=0)] += worth.price or 0
    return used


def _refill(agreed: Drawdown, currency: str, balance: int, fee: int, due: int, *, first: bool) -> int:
    """An amount as often as it takes until the balance is not below the threshold; or up to an amount, once a term."""
    refill = agreed.refill
    if refill is None:
        return 0
    threshold = minor(refill.threshold, currency)
    if refill.amount is not None:
        brought = 0
        while balance + fee + brought - due < threshold:
            brought += minor(refill.amount, currency)
        return brought
    return minor(refill.up_to or "0", currency) - balance if balance < threshold and not first else 0


def _day_after(terms: Engagement, term: Term) -> dt.date:
    """The day after a term, or after the engagement where that ends first."""
    cut = terms.end_date is not None and term.start <= terms.end_date < term.end
    return (terms.end_date if cut and terms.end_date is not None else term.end) + _ONE_DAY


def _can_be_posted(facts: Facts, terms: Engagement, term: Term) -> bool:
    """Whether what the end of a term does can be posted; it waits for a closed month, but nobody draws on it."""
    try:
        accounting_date(facts, terms, _day_after(terms, term))
    except WaitsError:
        return False
    return True


def _at_end(facts: Facts, terms: Engagement, term: Term, *, last: bool) -> str:
    """What becomes of the rest of a term that is over: it is once the period of the day after it has begun."""
    agreed = drawdown_of(terms)
    if agreed is None:
        return ""
    try:
        accounting_date(facts, terms, _day_after(terms, term))
    except WaitsError as wait:
        if wait.reason != "period_closed":
            return ""
    return agreed.rest if last and agreed.rest != "keep" else agreed.unused


def _waiting(held: int, largest_first: Sequence[int]) -> tuple[int, int, int]:
    """What waits, and on how few and how many entries it may lie; a credit may make room for all of them."""
    fewest, left = 0, held
    for price in largest_first:
        if left > 0:
            fewest, left = fewest + 1, left - price
    return held, fewest, min(len(largest_first), max(held, 0))
