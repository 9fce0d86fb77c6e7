"""Allocation of a price over what it was agreed for, in proportion to the prices each would have alone.

share = price x own standalone selling price / sum of all, rounded half up; what the rounding leaves goes to the
largest, so that the shares sum to the price. (IFRS 15.73 to 80, Example 33; ASC 606-10-32-31 to 34.)
"""

from __future__ import annotations

from collections.abc import Sequence

from .money import divide


def allocate(total: int, standalone: Sequence[int]) -> list[int]:
    """Shares of a total in minor units, by standalone prices above zero; of equals the first is the largest."""
    whole = sum(standalone)
    shares = [divide(total * price, whole, "half_up") for price in standalone]
    shares[standalone.index(max(standalone))] += total - sum(shares)
    return shares
