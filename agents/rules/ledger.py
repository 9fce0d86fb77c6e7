"""Postings: the events an entry brings about, each a balanced journal or a billing line, and their reversals.

A posting's id says its cause, `{source}:{kind}:{entry id}:{revision}:{what}:{ordinal}`: the same input can only
ever produce the same id. A source holds no colon, so ids of different entries never meet. A reversal has the
id of what it reverses with `:reversal`, copies its rate, exchange rate and rounding, and negates the amounts.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Final, Literal

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.approval import EntryType
from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import FX_PLACES, RATE_PLACES, REMEMBERED_MAX, format_plain
from ...codecs.entry_state import EntryVersion, Posted, Price
from ...codecs.journal import Account, JournalLine
from ...codecs.revenue import RevenueEvent
from .accounts import Numbers, category_of, numbered
from .books import Books
from .contract import Contract
from .funding import lines_of, reversals
from .rounding_groups import count_line

AccrualKind = Literal[
    "work_in_progress",
    "cost",
    "intercompany_sale",
    "intercompany_purchase",
    "sale_elimination",
    "purchase_elimination",
]

ACCOUNTS: Final[dict[tuple[AccrualKind, EntryType], tuple[Account, Account]]] = {
    ("work_in_progress", "time"): ("work_in_progress", "accrued_revenue"),
    ("work_in_progress", "expense"): ("work_in_progress", "accrued_revenue"),
    ("cost", "time"): ("project_cost", "payroll_allocation"),
    ("cost", "expense"): ("project_expense", "employee_payable"),
}
"""Debit and credit account of each accrual, by what is accrued and for which kind of entry."""
EARNED: Final[tuple[Account, Account]] = ("unbilled_receivable", "revenue")
"""Debit and credit account of what is earned as it is billed."""


@functools.lru_cache(REMEMBERED_MAX)
def journal(
    debit: Account, credit: Account, amount: int, currency: str, numbers: Numbers = ()
) -> tuple[JournalLine, ...]:
    """Two lines that balance; a negative amount changes the sides, so that amounts stay positive.

    numbers: of the debit and the credit account in the firm's books, () for neither.
    """
    if amount < 0:
        return journal(credit, debit, -amount, currency, numbers[::-1])
    text = format_amount(amount, currency)
    debit_number, credit_number = numbers or ("", "")
    return JournalLine(debit, "debit", text, debit_number), JournalLine(credit, "credit", text, credit_number)


def next_ordinal(last: Posted | None, revision: int) -> int:
    """Number of the next posting of one kind for a revision.

    It stays as it is while revisions rise, so that a correction has the same id whether or not the revision before
    it was posted, and rises by one whenever a revision is posted again or an earlier one comes back. So no pair of
    revision and number is used twice (M4).
    """
    if last is None:
        return 0
    return last.ordinal if revision > last.revision else last.ordinal + 1


def posted(
    kind: AccrualKind | Literal["charge"],
    last: Posted | None,
    version: EntryVersion,
    amount: int,
    currency: str,
    date: dt.date,
    contract: Contract,
) -> Posted:
    """A live posting of a version under these terms, with the next number of its kind."""
    terms = contract.terms
    ordinal = next_ordinal(last, version.revision)
    made = Posted(version.revision, ordinal, amount, currency, date, terms.legal_entity_id, terms.customer_id)
    if contract.accounts is None:
        return made
    pair = EARNED if kind == "charge" else ACCOUNTS[kind, version.kind]
    return numbered(made, pair, category_of(version), contract.accounts)


def charge(version: EntryVersion, price: Price, trace: tuple[TraceStep, ...], part: Posted, books: Books) -> None:
    """Bill an entry, or the part of it that the cap lets through; the revenue is earned with it."""
    contract, effects = books.contract, books.effects
    line = _line(version, price, trace, part, contract)
    if part.funded_by:
        effects.billing.extend(lines_of(line, part, contract.funding))
    else:
        effects.billing.append(line)
    effects.revenue.append(_earned(version, part, contract))
    if price.residue is not None:
        count_line(part.amount, price.residue, part.accounting_date, books, 1)


def charge_id(version: EntryVersion, price: Price, part: Posted, books: Books) -> str:
    """Id of the billing line of a part."""
    return _line(version, price, (), part, books.contract).id


def adjust(
    version: EntryVersion, price: Price, trace: tuple[TraceStep, ...], part: Posted, source: str, books: Books
) -> None:
    """Bill a difference to the charge with this id; revenue follows. Its residue is a difference too."""
    contract, effects = books.contract, books.effects
    line = _line(version, price, trace, part, contract)
    effects.billing.append(structs.replace(line, action="adjustment", adjusts=source))
    effects.revenue.append(_earned(version, part, contract))
    if price.residue is not None:
        count_line(part.amount, price.residue, part.accounting_date, books, 1)


def kept_trace(price: Price, version: EntryVersion) -> tuple[TraceStep, ...]:
    """Trace of a part that is billed later than the first: the price is the one kept since then."""
    rate = f"{format_plain(price.rate, RATE_PLACES)}/{price.rate_unit}"
    kept = f"kept since revision {version.revision} of {version.id} was first billed or held"
    if not price.limited_by:
        return (TraceStep("rate", rate, kept),)
    limit = TraceStep(price.limited_by, f"{format_amount(price.amount, price.currency)} {price.currency}", kept)
    return TraceStep("rate", rate, kept), limit


def reverse_charge(version: EntryVersion, price: Price, part: Posted, date: dt.date, books: Books) -> None:
    """Take a charge back whole, on a date that is open: rate, exchange rate and rounding are the charge's own."""
    contract, effects = books.contract, books.effects
    whole = _line(version, price, (), part, contract)
    effects.billing.extend(reversals(whole, part, date))
    if price.residue is not None:
        count_line(part.amount, price.residue, date, books, -1)
    earned = _earned(version, part, contract)
    effects.revenue.append(
        structs.replace(
            earned,
            id=f"{earned.id}:reversal",
            accounting_date=date,
            amount=format_amount(-part.amount, part.currency),
            lines=journal(*EARNED, -part.amount, part.currency, part.numbers),
            reverses=earned.id,
        )
    )


def _line(
    version: EntryVersion, price: Price, trace: tuple[TraceStep, ...], part: Posted, contract: Contract
) -> BillingEvent:
    # By position: Python passes more than fifteen keywords six times slower, and this runs for every charge.
    terms = contract.terms
    return BillingEvent(
        f"{version.source}:{version.kind}:{version.id}:{part.revision}:billing:{part.ordinal}",
        version.kind,
        "charge",
        version.source,
        version.id,
        part.revision,
        terms.id,
        part.customer_id,
        part.legal_entity_id,
        terms.contract_type,
        version.work_date,
        part.accounting_date,
        format_plain(version.quantity if price.quantity is None else price.quantity, RATE_PLACES),
        version.unit if price.quantity is None else price.unit,
        format_plain(price.rate, RATE_PLACES),
        price.rate_unit,
        format_amount(part.amount, part.currency),
        part.currency,
        price.rounding,
        trace,
        version.resource_id,
        version.role,
        version.item,
        version.task_id,
        part_of=None if part.amount == price.amount else format_amount(price.amount, price.currency),
        fx_rate=None if price.fx_rate is None else format_plain(price.fx_rate, FX_PLACES),
        limited_by=price.limited_by,
    )


def _earned(version: EntryVersion, part: Posted, contract: Contract) -> RevenueEvent:
    return RevenueEvent(
        id=f"{version.source}:{version.kind}:{version.id}:{part.revision}:revenue:{part.ordinal}",
        method="as_billed",
        source=version.source,
        entry_id=version.id,
        revision=part.revision,
        engagement_id=contract.terms.id,
        legal_entity_id=part.legal_entity_id,
        accounting_date=part.accounting_date,
        amount=format_amount(part.amount, part.currency),
        currency=part.currency,
        lines=journal(*EARNED, part.amount, part.currency, part.numbers),
    )


def accrue(kind: AccrualKind, version: EntryVersion, posted: Posted, books: Books) -> None:
    """Accrue what an entry costs the firm, or what it will be billed at while it is not yet billed."""
    debit, credit = ACCOUNTS[kind, version.kind]
    lines = journal(debit, credit, posted.amount, posted.currency, posted.numbers)
    books.effects.accruals.append(accrual(kind, "accrual", version, posted, posted.accounting_date, lines))


def reverse_accrual(kind: AccrualKind, version: EntryVersion, posted: Posted, date: dt.date, books: Books) -> None:
    """Close an accrual of an entry that is billed, changed or withdrawn (M2), on a date that is open."""
    debit, credit = ACCOUNTS[kind, version.kind]
    lines = journal(credit, debit, posted.amount, posted.currency, posted.numbers[::-1])
    books.effects.accruals.append(accrual(kind, "reversal", version, posted, date, lines))


def accrual(
    kind: AccrualKind,
    action: Literal["accrual", "reversal"],
    version: EntryVersion,
    posted: Posted,
    date: dt.date,
    lines: tuple[JournalLine, ...],
) -> AccrualEvent:
    """The event of an accrual of an entry, or of its reversal."""
    cause = f"{version.source}:{version.kind}:{version.id}:{posted.revision}:{kind}:{posted.ordinal}"
    reverses = "" if action == "accrual" else cause
    return AccrualEvent(
        id=f"{cause}:reversal" if reverses else cause,
        kind=kind,
        action=action,
        source=version.source,
        entry_id=version.id,
        revision=posted.revision,
        engagement_id=version.engagement_id,
        legal_entity_id=posted.legal_entity_id,
        resource_id=version.resource_id,
        work_date=version.work_date,
        accounting_date=date,
        currency=posted.currency,
        lines=lines,
        reverses=reverses,
    )
