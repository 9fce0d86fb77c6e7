"""Who pays for the firm's engagements: mostly one customer, for some of T&M several together.

Their corrections are reversed and rebilled, so that each entry is billed whole in one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...codecs.funding import Funding, FundingCustomer
from .offices import amount_text

if TYPE_CHECKING:
    from ...codecs.engagement import Policies

SHARED: Final = (18, 24, 30)
"""T&M engagements paid by percent."""
IN_ORDER: Final = (21, 27)
"""T&M engagements paid by one customer after the other."""


def funding(number: int, customer: str, currency: str, policies: Policies) -> Funding | None:
    """The customers who pay for the engagement with this number; None where it is its own customer alone."""
    if policies.correction == "adjust":
        return None
    if number in SHARED:
        parts = ((customer, "33.3333"), ("C-901", "16.6667"), ("C-902", "50"))
        shared = tuple(FundingCustomer(customer_id=name, percent=percent) for name, percent in parts)
        return Funding(customers=shared, rounding_customer_id="C-902" if number == SHARED[0] else "")
    if number in IN_ORDER:
        first = FundingCustomer(customer_id="C-903", up_to=amount_text(250_000, currency))
        second = FundingCustomer(customer_id=customer, up_to=amount_text(400_000, currency))
        return Funding(customers=(first, second, FundingCustomer(customer_id="C-904")))
    return None
