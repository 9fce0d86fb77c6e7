"""Split funding: several customers who pay for one engagement together."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from .wire import DecimalText, Id, OptionalId

CUSTOMERS_MAX: Final = 50
"""Customers of one engagement: each bill has a line for every one of them."""


class FundingCustomer(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One who pays a part: `percent` of every bill, or bills up to the amount `up_to` in all."""

    customer_id: Id
    percent: DecimalText | None = None
    up_to: DecimalText | None = None


class Funding(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Who pays for an engagement, each in lines of its own.

    By percentages that sum to 100: every share is rounded down to the minor unit, and rounding_customer_id, the
    engagement's own customer if not named, pays the rest. Or in order: the first pays up to its amount, then the
    next; the last has no amount and pays what is left.
    """

    customers: Annotated[tuple[FundingCustomer, ...], msgspec.Meta(min_length=1, max_length=CUSTOMERS_MAX)]
    rounding_customer_id: OptionalId = ""
