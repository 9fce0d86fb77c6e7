"""Account maps in a reckoning: which dates lack a number, and which numbers the journals may bear.

Only contracts that wait for numbers are judged: whatever of theirs is posted has a number on every line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from ...codecs.account_map import AccountMap
    from ...codecs.engagement import Engagement
    from .reckoning_facts import Facts

_SPENT: Final = {"project_cost", "payroll_allocation", "project_expense", "employee_payable"}
_CHARGED: Final = {"work_in_progress", "accrued_revenue", "unbilled_receivable", "revenue"}
_OF_FEES: Final = {
    "fixed_fee": {"contract_asset", "project_loss", "loss_provision"},
    "retainer": {"deferred_revenue"},
    "subscription": {"deferred_revenue", "contract_asset"},
}
_BOUGHT: Final = {"intercompany_cost", "intercompany_payable"}
_SOLD: Final = {"intercompany_receivable", "intercompany_revenue"}
_UNPAID: Final = {"non_billable", "internal"}

Booked = tuple[str, str, str]
"""Legal entity, account and number of a line of a journal."""


def waits_for_number(facts: Facts, terms: Engagement, on: dt.date, entity: str) -> bool:
    """Whether the contract waits on this date for the number of an account that it may need in these books."""
    if terms.policies.unmapped_account != "hold":
        return False
    begun = [each for each in facts.account_maps.get(entity, {}).values() if each.effective_from <= on]
    if not begun:
        return True
    latest = max(begun, key=lambda each: (each.effective_from, each.version))
    if latest.effective_to is not None and latest.effective_to < on:
        return True
    mapped = {account for account, category, _ in _numbers(latest, terms) if not category}
    return not _needed(terms, entity) <= mapped


def _needed(terms: Engagement, entity: str) -> set[str]:
    """Accounts of the contract in its own books, or in those of an entity whose people it is charged for."""
    if entity != terms.legal_entity_id:
        return _SPENT | _SOLD
    bought = set() if terms.policies.intercompany is None else _BOUGHT
    charged = set() if terms.contract_type in _UNPAID else _CHARGED | _OF_FEES.get(terms.contract_type, set())
    return _SPENT | bought | charged


def bookable(facts: Facts, terms: Engagement) -> frozenset[Booked] | None:
    """Lines that journals of a contract may bear, in any legal entity's books; None where a number may lack."""
    if terms.policies.unmapped_account != "hold":
        return None
    return frozenset(
        (entity, account, number)
        for entity, versions in facts.account_maps.items()
        for version in versions.values()
        for account, _, number in _numbers(version, terms)
    )


def _numbers(sent: AccountMap, terms: Engagement) -> Iterator[tuple[str, str, str]]:
    """Account, category and number of every line that is for such a contract."""
    for line in sent.lines:
        if line.contract_type in {None, terms.contract_type} and line.practice in {"", terms.practice}:
            yield line.account, line.category, line.number
