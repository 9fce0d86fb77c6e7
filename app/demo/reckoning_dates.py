"""Days of an entry in a reckoning: whose exchange rate counts, and whether the day of its approval has to be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reckoning_value import date_of

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from .reckoning_facts import Entry


def fx_day(terms: Engagement, version: Entry, posted_on: dt.date, approved_on: dt.date | None) -> dt.date:
    """The day of the work, or by policy the accounting date, or the day of approval of what is approved.

    The accounting date stays as it was when the version was posted first, so that it is certain only where no month of
    the legal entity closes or opens on the way.
    """
    policy = terms.policies.fx_policy
    if policy is not None and policy.date == "accounting_date":
        return posted_on
    by_approval = policy is not None and policy.date == "approval_date"
    return approved_on if by_approval and approved_on is not None else date_of(version)


def is_dated(terms: Engagement, version: Entry) -> bool:
    """Whether an approved version waits for the day of its approval: its rates are of it, or its charge is."""
    policies = terms.policies
    if policies.fx_policy is not None and policies.fx_policy.date == "approval_date":
        return True
    paid = terms.contract_type not in {"non_billable", "internal"}
    posts = version.billable or terms.contract_type == "fixed_fee"
    return policies.accounting_date == "approval_date" and paid and posts
