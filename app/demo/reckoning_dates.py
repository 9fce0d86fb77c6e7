"""Days of an entry in a reckoning: whose exchange rate counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reckoning_value import date_of

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from .reckoning_facts import Entry


def fx_day(terms: Engagement, version: Entry, posted_on: dt.date) -> dt.date:
    """The day of the work, or by policy the accounting date.

    That stays as it was when the version was posted first, so that it is certain only where no month of the legal
    entity closes or opens on the way.
    """
    policy = terms.policies.fx_policy
    return posted_on if policy is not None and policy.date == "accounting_date" else date_of(version)
