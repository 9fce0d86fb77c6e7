"""Who has to approve what: the parts of an engagement's policies that name levels by amount, people and dates."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from .approval import ApprovalLevel
from .wire import DecimalText, Id


class ApprovalThreshold(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A level that has to approve every entry of at least this amount, in the engagement's currency.

    of: the entry's price (its cost where the customer does not pay for it), or always its cost. The sign does not
    count: a credit is weighed like a charge.
    """

    level: ApprovalLevel
    amount: DecimalText
    of: Literal["price", "cost"] = "price"


class Delegate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Who may decide on behalf of an approver; from the first date to the last, both included, absent is open."""

    approver_id: Id
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class Approver(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Who may decide at a level; from the first date to the last, both included, absent is open."""

    approver_id: Id
    level: ApprovalLevel
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    delegates: tuple[Delegate, ...] = ()
