"""Dates by policy: the day whose exchange rate counts, and the day a charge is posted on.

    fx_policy.date      work_date, approval_date, or the accounting date of what is posted
    accounting_date     work_date; period_end, which the calendar turns a work date into; or approval_date

Under `accounting_date: approval_date` cost and work in progress arise with the work and keep its date; the charge and
what is earned by it, and the reversal of the work in progress, are posted on the day of approval, or in the first open
period after it by the policy for closed ones. The day of approval is the latest `decided_on` of the decisions that
count; what nobody has to approve is approved as it is worked. Where none says the day, the money of the entry stands as
if it were submitted, and it is held until one does. (OpenAir, accounting date by approval; Dynamics 365, first day of
the next open period.)

The day of an accounting rate is kept with the entry from the first posting of a version on: a period that closes later
must not price anew what stands (M9).
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import msgspec

from ...codecs.engagement import Engagement
from ...codecs.entry_state import Approvals, EntryVersion
from ...codecs.exception import HoldReason
from ...codecs.fx_policy import FxDate
from .approval import verdicts
from .approval_terms import ApprovalTerms


class Dating(NamedTuple):
    """What a contract dates otherwise than by the work.

    fx: whose rate counts; by_approval: whether charges are dated by it, with progress also what is not billable.
    """

    fx: FxDate
    by_approval: bool
    progress: bool

    def charges(self, version: EntryVersion) -> bool:
        """Whether something of an approved version is posted on the day of its approval."""
        return self.by_approval and (version.billable or self.progress)

    def needs_day(self, version: EntryVersion) -> bool:
        """Whether something of an approved version goes by the day of its approval."""
        return self.fx == "approval_date" or self.charges(version)


class Dates(msgspec.Struct, frozen=True, gc=False):
    """Days of one version.

    fx_on: whose rate counts; charged_on: where a charge is posted, or why it cannot be now, None where the rest is;
    approved_on: None while that does not matter.
    """

    approved_on: dt.date | None
    fx_on: dt.date
    charged_on: dt.date | HoldReason | None


def dating_of(terms: Engagement) -> Dating | None:
    """What the terms date by policy; None where the work date says it all."""
    policies = terms.policies
    fx: FxDate = "work_date" if policies.fx_policy is None else policies.fx_policy.date
    for_customers = terms.contract_type not in {"non_billable", "internal"}
    by_approval = policies.accounting_date == "approval_date" and for_customers
    progress = terms.contract_type == "fixed_fee"
    return Dating(fx, by_approval, progress) if by_approval or fx != "work_date" else None


def approved_on(version: EntryVersion, approvals: Approvals | None, terms: ApprovalTerms | None) -> dt.date | None:
    """The day an approved version was approved on; None where a decision, or the source, does not say it."""
    decisions = () if approvals is None else approvals.decisions
    if terms is not None and terms.named:
        decisions = tuple(filter(terms.may_decide, decisions))
    spoken = verdicts(version, decisions)
    if not spoken:
        return None if version.status == "approved" else version.work_date
    days = [decision.decided_on for decision in spoken.values() if decision.decided_on is not None]
    return max(days) if len(days) == len(spoken) else None
