"""Postings: the events an entry brings about, each a balanced journal or a billing line, and their reversals.

A posting's id says its cause, `{source}:{kind}:{entry id}:{revision}:{what}:{ordinal}`: the same input can only
ever produce the same id. A source holds no colon, so ids of different entries never meet. A reversal has the
id of what it reverses with `:reversal`, copies its rate, exchange rate and rounding, and negates the amounts.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import FX_PLACES, RATE_PLACES, format_plain
from ...codecs.entry_state import EntryVersion, Posted, Price
from ...codecs.journal import Account, JournalLine
from ...codecs.revenue import RevenueEvent
from .contract import Contract
from .effects import Effects

COST_ACCOUNTS: Final[dict[str, tuple[Account, Account]]] = {
    "time": ("project_cost", "payroll_allocation"),
    "expense": ("project_expense", "employee_payable"),
}


def journal(debit: Account, credit: Account, amount: int, currency: str) -> tuple[JournalLine, ...]:
    """Two lines that balance; a negative amount changes the sides, so that amounts stay positive."""
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    text = format_amount(amount, currency)
    return JournalLine(debit, "debit", text), JournalLine(credit, "credit", text)


def next_ordinal(last: Posted | None, revision: int) -> int:
    """Number of the next posting of one kind for a revision: 0, or one more than the last of the same revision."""
    return last.ordinal + 1 if last is not None and last.revision == revision else 0


def _id(version: EntryVersion, revision: int, what: str, ordinal: int) -> str:
    return f"{version.source}:{version.kind}:{version.id}:{revision}:{what}:{ordinal}"


def charge(version: EntryVersion, price: Price, trace: tuple[TraceStep, ...], part: Posted, contract: Contract, effects: Effects) -> None:
    """Bill an entry, or the part of it that the cap lets through; the revenue is earned with it."""
    _bill(version, price, trace, part, contract, effects, 1)


def reverse_charge(version: EntryVersion, price: Price, part: Posted, date: dt.date, contract: Contract, effects: Effects) -> None:
    """Take a charge back whole, on a date that is open."""
    reversal = Posted(part.revision, part.ordinal, live=False, amount=part.amount, currency=part.currency, accounting_date=date)
    _bill(version, price, (), reversal, contract, effects, -1)


def _bill(version: EntryVersion, price: Price, trace: tuple[TraceStep, ...], part: Posted, contract: Contract, effects: Effects, sign: int) -> None:
    terms = contract.terms
    original = _id(version, part.revision, "billing", part.ordinal)
    earned = _id(version, part.revision, "revenue", part.ordinal)
    amount = format_amount(sign * part.amount, part.currency)
    quantity = version.quantity if version.kind == "time" else 10**RATE_PLACES
    effects.billing.append(
        BillingEvent(
            id=original if sign > 0 else f"{original}:reversal",
            kind=version.kind,
            action="charge" if sign > 0 else "reversal",
            source=version.source,
            entry_id=version.id,
            revision=part.revision,
            engagement_id=terms.id,
            customer_id=terms.customer_id,
            legal_entity_id=terms.legal_entity_id,
            contract_type=terms.contract_type,
            resource_id=version.resource_id,
            role=version.role,
            item=version.item,
            task_id=version.task_id,
            work_date=version.work_date,
            accounting_date=part.accounting_date,
            quantity=format_plain(sign * quantity, RATE_PLACES),
            unit=version.unit,
            rate=format_plain(price.rate, RATE_PLACES),
            rate_unit=price.rate_unit,
            amount=amount,
            currency=part.currency,
            rounding=price.rounding,
            part_of=None if part.amount == price.amount else format_amount(sign * price.amount, price.currency),
            fx_rate=None if price.fx_rate is None else format_plain(price.fx_rate, FX_PLACES),
            reverses="" if sign > 0 else original,
            trace=trace,
        )
    )
    effects.revenue.append(
        RevenueEvent(
            id=earned if sign > 0 else f"{earned}:reversal",
            method="as_billed",
            source=version.source,
            entry_id=version.id,
            revision=part.revision,
            engagement_id=terms.id,
            legal_entity_id=terms.legal_entity_id,
            accounting_date=part.accounting_date,
            amount=amount,
            currency=part.currency,
            lines=journal("unbilled_receivable", "revenue", sign * part.amount, part.currency),
            reverses="" if sign > 0 else earned,
        )
    )


def accrue_work_in_progress(version: EntryVersion, posted: Posted, contract: Contract, effects: Effects) -> None:
    """Accrue what an entry will be billed at: value that exists and is not yet billed."""
    _accrue("work_in_progress", ("work_in_progress", "accrued_revenue"), version, posted, posted.accounting_date, contract, effects, 1)


def reverse_work_in_progress(version: EntryVersion, posted: Posted, date: dt.date, contract: Contract, effects: Effects) -> None:
    """Close the accrual of an entry that is billed, changed or withdrawn (M2)."""
    _accrue("work_in_progress", ("work_in_progress", "accrued_revenue"), version, posted, date, contract, effects, -1)


def accrue_cost(version: EntryVersion, posted: Posted, contract: Contract, effects: Effects) -> None:
    """Accrue what an entry costs the firm."""
    _accrue("cost", COST_ACCOUNTS[version.kind], version, posted, posted.accounting_date, contract, effects, 1)


def reverse_cost(version: EntryVersion, posted: Posted, date: dt.date, contract: Contract, effects: Effects) -> None:
    """Take the cost of a changed or withdrawn entry back."""
    _accrue("cost", COST_ACCOUNTS[version.kind], version, posted, date, contract, effects, -1)


def _accrue(
    kind: str, accounts: tuple[Account, Account], version: EntryVersion, posted: Posted, date: dt.date, contract: Contract, effects: Effects, sign: int
) -> None:
    original = _id(version, posted.revision, kind, posted.ordinal)
    effects.accruals.append(
        AccrualEvent(
            id=original if sign > 0 else f"{original}:reversal",
            kind="cost" if kind == "cost" else "work_in_progress",
            action="accrual" if sign > 0 else "reversal",
            source=version.source,
            entry_id=version.id,
            revision=posted.revision,
            engagement_id=contract.terms.id,
            legal_entity_id=contract.terms.legal_entity_id,
            resource_id=version.resource_id,
            work_date=version.work_date,
            accounting_date=date,
            currency=posted.currency,
            lines=journal(*accounts, sign * posted.amount, posted.currency),
            reverses="" if sign > 0 else original,
        )
    )
