"""Days of an entry in a reckoning: whose exchange rate counts, which day its charge goes by, and what it waits for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from .reckoning_approval import approved_on
from .reckoning_lookups import WaitsError, accounting_date
from .reckoning_value import date_of

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement
    from ...codecs.exception import HoldReason
    from .reckoning_facts import Entry, EntryId, Facts


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


def charge_day(facts: Facts, terms: Engagement, entry_id: EntryId, version: Entry) -> dt.date | None:
    """The day by which an approved version is charged where that is not the work's; None where it is, or is unknown."""
    policy = terms.policies.accounting_date
    if not _is_charged(terms, version) or policy not in {"approval_date", "submission_date"}:
        return None
    return version.submitted_on if policy == "submission_date" else approved_on(facts, terms, entry_id, version)


def undated(facts: Facts, terms: Engagement, entry_id: EntryId, version: Entry) -> HoldReason | None:
    """What an approved version waits for by its days: that of its rates or its charge, or the period of the latter.

    That it was charged before its period closed is not known here: it is certain only where no month closes on the way.
    """
    policies, charged = terms.policies, _is_charged(terms, version)
    converts = policies.fx_policy is not None and policies.fx_policy.date == "approval_date"
    by_approval = converts or (charged and policies.accounting_date == "approval_date")
    if by_approval and approved_on(facts, terms, entry_id, version) is None:
        return "approval_date_unknown"
    day = charge_day(facts, terms, entry_id, version)
    if day is None:
        unknown = charged and policies.accounting_date == "submission_date"
        return "submission_date_unknown" if unknown else None
    try:
        accounting_date(facts, terms, day)
    except WaitsError as wait:
        return wait.reason
    return None


def chargeable_on(
    facts: Facts, terms: Engagement, entry_id: EntryId, approved: dt.date | None
) -> frozenset[dt.date] | None:
    """Where each day an entry was decided on, or submitted, is posted; a correction may keep an earlier charge.

    approved: when what counts was approved. None where charges go by neither, and where a period in question
    has changed on the way: the calendar of before may have said another day.
    """
    policy = terms.policies.accounting_date
    if policy == "approval_date":
        about = facts.decisions.get(entry_id, {}).values()
        days = {decision.decided_on for each in about for decision in each.values()} | {approved}
    elif policy == "submission_date":
        days = {version.submitted_on for version in facts.versions[entry_id]}
    else:
        return None
    found = set[dt.date]()
    changed = [period for period in facts.periods.get(terms.legal_entity_id, {}).values() if period.revision > 1]
    for day in filter(None, days):
        try:
            posted_on = accounting_date(facts, terms, day)
        except WaitsError:
            continue
        if any(period.start_date <= posted_on and day <= period.end_date for period in changed):
            return None
        found.add(posted_on)
    return frozenset(found)


def _is_charged(terms: Engagement, version: Entry) -> bool:
    """Whether somebody pays for a version, or a fixed fee is earned by it."""
    fixed = terms.contract_type == "fixed_fee"
    return terms.contract_type not in {"non_billable", "internal"} and (version.billable or fixed)
