"""A business exception: an entry or a document that waits for something, what for, and the end of the wait."""

from __future__ import annotations

from typing import Final, Literal

from .wire import Id, Wire

TYPE: Final = "billtide.exception.v1"

HoldReason = Literal[
    "engagement_unknown",
    "assignment_unknown",
    "period_unknown",
    "period_closed",
    "period_future",
    "resource_unknown",
    "cost_rate_missing",
    "rate_missing",
    "fx_rate_missing",
    "cap_reached",
    "amount_beyond_limit",
    "approver_not_allowed",
    "unit_price_missing",
    "receipt_missing",
    "cap_stopped",
    "period_too_long",
    "balance_used_up",
    "billing_unknown",
    "invoice_unknown",
    "currency_differs",
    "awaiting_review",
    "approval_date_unknown",
    "account_unmapped",
    "submission_date_unknown",
]


class ExceptionEvent(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What finance and delivery see of a hold. Key is engagement_id.

    `held` opens a hold and says what it waits on and what to do; `released` ends it. A new `held` of the same
    entry replaces the one before. `cap_stopped` is never told: nobody has to do anything.
    """

    id: Id
    action: Literal["held", "released"]
    reason: HoldReason
    kind: Literal["time", "expense", "fee", "assignment", "invoice", "payment"]
    source: Id
    entry_id: Id
    revision: int
    engagement_id: Id
    waits_on: Id
    message: str
