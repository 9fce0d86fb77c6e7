"""Accounts: the numbers that the accounts of a journal have in the books of a legal entity.

A line of a journal always names its account in words; where the entity's map in force on the accounting date has a
number for it, the line carries that too. The most telling line of the map wins: by category of the expense, contract
type and practice of the engagement. An account without a number stays a word, or by the policy `unmapped_account: hold`
nothing of the contract is posted until the map has a number for each account that it may need.

A posting keeps its numbers, and its reversal copies them: a map is no reason to move what is posted. (The subledger
row of Dynamics 365 keeps its accounts and rates so that an accrual reverses exactly.)
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Iterable
from typing import Final

from msgspec import structs

from ...codecs.account_map import ParsedAccountMap
from ...codecs.engagement import ContractType, Engagement
from ...codecs.entry_state import EntryVersion, Posted
from ...codecs.exception import HoldReason
from ...codecs.journal import Account
from .calendar import Calendar

Numbers = tuple[str, ...]
"""Numbers of debit and credit, in this order, each empty where there is none; () for neither."""

_COST: Final[tuple[Account, ...]] = ("project_cost", "payroll_allocation", "project_expense", "employee_payable")
_BILLED: Final[tuple[Account, ...]] = ("work_in_progress", "accrued_revenue", "unbilled_receivable", "revenue")
_SOLD: Final[tuple[Account, ...]] = ("intercompany_receivable", "intercompany_revenue")
_BOUGHT: Final[tuple[Account, ...]] = ("intercompany_cost", "intercompany_payable")
NEEDED: Final[dict[ContractType, tuple[Account, ...]]] = {
    "time_and_materials": (*_COST, *_BILLED),
    "capped": (*_COST, *_BILLED),
    "fixed_fee": (*_COST, *_BILLED, "contract_asset", "project_loss", "loss_provision"),
    "retainer": (*_COST, *_BILLED, "deferred_revenue"),
    "subscription": (*_COST, *_BILLED, "deferred_revenue", "contract_asset"),
    "non_billable": _COST,
    "internal": _COST,
}
"""Accounts that the postings of a contract may name in the books of its own legal entity, without what it buys."""


class Accounts:
    """The numbers of one contract's accounts. A value: never changed once made.

    numbers(debit, credit, category, date): of a pair on an accounting date; refusal(date): why nothing may be posted.
    """

    def __init__(self, maps: Iterable[ParsedAccountMap], terms: Engagement, *, sells: bool = False) -> None:
        """Take the versions of the legal entity's map. Answers are remembered, as postings repeat a few dates.

        sells: it charges the contract's own legal entity for its people.
        """
        self._maps = sorted(maps, key=lambda known: (known.effective_from, known.version), reverse=True)
        self._contract_type = terms.contract_type
        self._practice = terms.practice
        bought = () if terms.policies.intercompany is None else _BOUGHT
        self._needed = (*_COST, *_SOLD) if sells else (*NEEDED[terms.contract_type], *bought)
        self.holds: Final = terms.policies.unmapped_account == "hold"
        self.numbers: Final = functools.cache(self._numbers)

    def number(self, account: Account, date: dt.date) -> str:
        """Number of one account for all categories; empty where it has none."""
        known = self._in_force(date)
        return "" if known is None else self._number(known, account, "")

    def refusal(self, date: dt.date) -> HoldReason | None:
        """Under `hold`, whether an account that may be needed has no number for every category."""
        known = self._in_force(date)
        mapped = known is not None and all(self._number(known, account, "") for account in self._needed)
        return None if mapped else "account_unmapped"

    def _numbers(self, debit: Account, credit: Account, category: str, date: dt.date) -> Numbers:
        known = self._in_force(date)
        if known is None:
            return ()
        pair = self._number(known, debit, category), self._number(known, credit, category)
        return pair if any(pair) else ()

    def _in_force(self, date: dt.date) -> ParsedAccountMap | None:
        known = next((known for known in self._maps if known.effective_from <= date), None)
        return None if known is None or (known.effective_to is not None and date > known.effective_to) else known

    def _number(self, known: ParsedAccountMap, account: Account, category: str) -> str:
        scopes = itertools.product((category, ""), (self._contract_type, ""), (self._practice, ""))
        # Stable: of scopes that say equally much the product has the one with the category first.
        for scope in sorted(scopes, key=lambda scope: -sum(map(bool, scope))):
            number = known.numbers.get((account, scope))
            if number is not None:
                return number
        return ""


def mapped_calendar(calendar: Calendar, accounts: Accounts | None) -> Calendar:
    """A calendar that by policy refuses dates on which an account has no number."""
    return calendar if accounts is None or not accounts.holds else calendar.refusing(accounts.refusal)


DOCUMENT: Final[tuple[Account, ...]] = (
    "receivable",
    "unbilled_receivable",
    "tax_payable",
    "cash",
    "fx_gain",
    "fx_loss",
    "revenue",
)
"""Accounts that the documents of the ERP are posted to. It has issued them, so they wait for no number."""


def document_numbers(date: dt.date, accounts: Accounts | None) -> Numbers:
    """Number of each account of DOCUMENT, in its order."""
    return () if accounts is None else tuple(accounts.number(account, date) for account in DOCUMENT)


def category_of(version: EntryVersion) -> str:
    """The category an entry's postings are mapped by."""
    return version.item if version.kind == "expense" else ""


def numbered(posted: Posted, pair: tuple[Account, Account], category: str, accounts: Accounts | None) -> Posted:
    """A posting with the numbers of its debit and credit account."""
    if accounts is None:
        return posted
    return structs.replace(posted, numbers=accounts.numbers(*pair, category, posted.accounting_date))


def numbers_of(pair: tuple[Account, Account], date: dt.date, accounts: Accounts | None) -> Numbers:
    """Numbers of what the terms post, which has no category."""
    return () if accounts is None else accounts.numbers(*pair, "", date)
