"""Split funding in a reckoning: what each of several customers is billed of time and expenses.

By percent every entry is split by itself, as it is billed whole in one line; in order only the sums are certain, which
are those of all bills poured into the customers' amounts one after the other.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from .reckoning_numbers import PERCENT_PLACES, minor, number, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...codecs.engagement import Engagement
    from ...codecs.funding import Funding


def funded(terms: Engagement, prices: Iterable[int]) -> dict[str, int]:
    """Minor units by customer of entries billed at these prices; empty where the engagement's customer pays all."""
    if terms.funding is None:
        return {}
    if all(customer.percent is None for customer in terms.funding.customers):
        found = _in_order(terms, terms.funding, sum(prices))
    else:
        found = _by_percent(terms, terms.funding, prices)
    return {customer: amount for customer, amount in found.items() if amount}


def _by_percent(terms: Engagement, funding: Funding, prices: Iterable[int]) -> Counter[str]:
    """Shares rounded towards zero; one customer pays the rest of each price."""
    found: Counter[str] = Counter()
    rest = funding.rounding_customer_id or terms.customer_id
    for price in prices:
        for customer in funding.customers:
            if customer.customer_id != rest:
                percent = number(customer.percent or "0", PERCENT_PLACES)
                share = rounded(Fraction(price) * percent / 100, "down")
                found[customer.customer_id] += share
                found[rest] -= share
        found[rest] += price
    return found


def _in_order(terms: Engagement, funding: Funding, total: int) -> Counter[str]:
    """The first pays up to its amount, then the next, the last what is left."""
    found: Counter[str] = Counter()
    left = total
    for customer in funding.customers:
        top = left if customer.up_to is None else minor(customer.up_to, terms.currency)
        found[customer.customer_id] = min(left, top)
        left -= found[customer.customer_id]
    return found
