"""Days of one entry by the policies of its contract; the theory is in dating."""

from __future__ import annotations

import datetime as dt

from ...codecs.entry_state import Approvals, EntryState, EntryVersion
from ...codecs.exception import HoldReason
from .contract import Contract
from .dating import Dates, Dating, approved_on, charge_day
from .differences import same_money
from .progress import has_progress
from .valuation import Missing, Value, missing_period


def dates_of(
    entry: EntryState,
    version: EntryVersion | None,
    approvals: Approvals | None,
    contract: Contract,
    *,
    approved: bool,
) -> Dates | None:
    """Days of the wanted version by policy. Approved is only what has the days that matter (see undated)."""
    dating, terms = contract.dating, contract.approval
    if version is None or dating is None:
        return None
    day = charge_day(version, approvals, terms, dating) if approved and dating.charges(version) else None
    charged_on = None if day is None else contract.calendar.accounting_date(day)
    by_approval = approved and dating.fx == "approval_date"
    fx_on = approved_on(version, approvals, terms) if by_approval else None
    return Dates(day, fx_on or _posted_on(entry, version, dating, contract, charged_on), charged_on)


def posting_days(
    value: Value, version: EntryVersion, contract: Contract, *, costed: bool
) -> tuple[dt.date, dt.date] | Missing:
    """Where cost and accruals of a version are posted, and where its charge is, in the engagement's books.

    Or why one of them, or what another legal entity posts, cannot be now. costed: its cost stands, so that the period
    of the work may be closed to a charge of another day.
    """
    date, dates = value.accounting_date, value.dates
    charged_on = date if dates is None or dates.charged_on is None else dates.charged_on
    if isinstance(charged_on, str):
        day = None if dates is None else dates.day
        return missing_period(charged_on, contract, day or version.work_date)
    if isinstance(date, str) and not costed:
        return missing_period(date, contract, version.work_date)
    closed = None if value.transfer is None else _sellers_refusal(value, contract, version)
    return closed or (charged_on if isinstance(date, str) else date, charged_on)


def refused_by(value: Value, contract: Contract, version: EntryVersion) -> Missing | None:
    """Why what is accrued cannot be charged now: then it stays accrued."""
    date = value.accounting_date
    if isinstance(date, str) and (value.dates is None or not isinstance(value.dates.charged_on, dt.date)):
        return missing_period(date, contract, version.work_date)
    return _sellers_refusal(value, contract, version)


def _sellers_refusal(value: Value, contract: Contract, version: EntryVersion) -> Missing | None:
    """Why nothing of a version can be posted now in the books of its person's legal entity."""
    transfer = value.transfer
    if transfer is None or isinstance(transfer.accounting_date, dt.date):
        return None
    return missing_period(transfer.accounting_date, contract, version.work_date, transfer.seller)


def _posted_on(
    entry: EntryState,
    version: EntryVersion,
    dating: Dating,
    contract: Contract,
    charged_on: dt.date | HoldReason | None,
) -> dt.date:
    """The work date, or by policy the accounting date: the one kept since it was posted, or where it is posted now.

    Dated by approval or submission, it moves once, from that of the cost to that of the charge.
    """
    if dating.fx != "accounting_date":
        return version.work_date
    stands = entry.cost is not None and entry.cost.live and same_money(entry.posted or entry.latest, version)
    if entry.fx_on is not None and stands and (charged_on is None or _is_charged(entry)):
        return entry.fx_on
    date = contract.calendar.accounting_date(version.work_date) if charged_on is None else charged_on
    return version.work_date if isinstance(date, str) else date


def _is_charged(entry: EntryState) -> bool:
    return bool(entry.charges) and entry.charges[-1].live


def undated(
    entry: EntryState, version: EntryVersion, approvals: Approvals | None, contract: Contract, dating: Dating
) -> Missing | None:
    """Why an approved version is not due: a day that its contract's dating goes by is unknown, or cannot be posted to.

    What stands charged for the same money stays, though the period of its day has closed since.
    """
    if dating.needs_approval(version) and approved_on(version, approvals, contract.approval) is None:
        what, fix = "no decision says on which day", "the approval with decided_on"
        return _unknown("approval_date_unknown", version, contract, what, fix)
    if not dating.charges(version):
        return None
    day = charge_day(version, approvals, contract.approval, dating)
    if day is None:
        what, fix = "it does not say on which day it was submitted", "a revision with submitted_on"
        return _unknown("submission_date_unknown", version, contract, what, fix)
    charged_on = contract.calendar.accounting_date(day)
    stays = (_is_charged(entry) or has_progress(entry)) and same_money(entry.posted or entry.latest, version)
    return missing_period(charged_on, contract, day) if isinstance(charged_on, str) and not stays else None


def _unknown(reason: HoldReason, version: EntryVersion, contract: Contract, what: str, fix: str) -> Missing:
    name = contract.terms.id
    text = f"revision {version.revision} is approved, and {what}, which {name} is dated by"
    return Missing(reason, f"engagement:{name}", f"{text}; send {fix}, or terms with another policy")
