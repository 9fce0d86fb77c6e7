"""One line of a balanced journal: an account, a side, an amount."""

from __future__ import annotations

from typing import Literal

import msgspec

from .wire import DecimalText, OptionalId

Account = Literal[
    "work_in_progress",
    "accrued_revenue",
    "project_cost",
    "project_expense",
    "payroll_allocation",
    "employee_payable",
    "unbilled_receivable",
    "contract_asset",
    "revenue",
    "project_loss",
    "loss_provision",
    "deferred_revenue",
    "receivable",
    "tax_payable",
    "cash",
    "fx_gain",
    "fx_loss",
    "intercompany_receivable",
    "intercompany_revenue",
    "intercompany_cost",
    "intercompany_payable",
]


class JournalLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Debits and credits of one event are equal, per currency and legal entity (M3). amount is positive.

    number: the account in the legal entity's own books, absent where its account map has none.
    """

    account: Account
    side: Literal["debit", "credit"]
    amount: DecimalText
    number: OptionalId = ""
