"""Dates by policy: the day whose exchange rate counts, and the day a charge is posted on.

    fx_policy.date      work_date, approval_date, or the accounting date of what is posted
    accounting_date     work_date; period_end, which the calendar turns a work date into; approval_date; submission_date

Under `accounting_date: approval_date` cost and work in progress arise with the work and keep its date; the charge and
what is earned by it, and the reversal of the work in progress, are posted on the day of approval, or in the first open
period after it by the policy for closed ones. The day of approval is the latest `decided_on` of the decisions that
count; what nobody has to approve is approved as it is worked. Under `submission_date` the same are posted on the day
the approved revision was submitted, its `submitted_on`. Where none says the day, or its period refuses it, the money of
the entry stands as if it were submitted, and it is held until that ends. What is charged stays on its day, whatever day
a revision that changes no money says, and when its period closes. (OpenAir, accounting date by approval or by
submission; Dynamics 365, first day of the next open period.)

The day of an accounting rate is kept with the entry from the first posting of a version on: a period that closes later
must not price anew what stands (M9).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple

import msgspec

from ...codecs.engagement import Engagement
from ...codecs.entry_state import Approvals, EntryVersion
from ...codecs.exception import HoldReason
from ...codecs.fx_policy import FxDate
from .approval import verdicts
from .approval_terms import ApprovalTerms

Charged = Literal["work_date", "approval_date", "submission_date"]
"""The day that charges are posted on; the calendar makes an accounting date of it."""


class Dating(NamedTuple):
    """What a contract dates otherwise than by the work.

    fx: whose rate counts; charged: which day charges are posted on, with progress also what is not billable.
    """

    fx: FxDate
    charged: Charged
    progress: bool

    def charges(self, version: EntryVersion) -> bool:
        """Whether something of an approved version is posted on another day than that of the work."""
        return self.charged != "work_date" and (version.billable or self.progress)

    def needs_approval(self, version: EntryVersion) -> bool:
        """Whether something of an approved version goes by the day of its approval."""
        return self.fx == "approval_date" or (self.charged == "approval_date" and self.charges(version))


class Dates(msgspec.Struct, frozen=True, gc=False):
    """Days of one version.

    fx_on: whose rate counts; charged_on: where a charge is posted, or why it cannot be now, None where the rest is;
    day: of approval or submission, which that goes by, None where it goes by none.
    """

    day: dt.date | None
    fx_on: dt.date
    charged_on: dt.date | HoldReason | None


def dating_of(terms: Engagement) -> Dating | None:
    """What the terms date by policy; None where the work date says it all."""
    policies = terms.policies
    fx: FxDate = "work_date" if policies.fx_policy is None else policies.fx_policy.date
    for_customers = terms.contract_type not in {"non_billable", "internal"}
    date = policies.accounting_date
    charged: Charged = "work_date" if date == "period_end" or not for_customers else date
    return None if charged == fx == "work_date" else Dating(fx, charged, terms.contract_type == "fixed_fee")


def charge_day(
    version: EntryVersion, approvals: Approvals | None, terms: ApprovalTerms | None, dating: Dating
) -> dt.date | None:
    """The day by which the charge of an approved version is posted; None where nobody says it."""
    return version.submitted_on if dating.charged == "submission_date" else approved_on(version, approvals, terms)


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
