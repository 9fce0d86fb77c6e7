"""What stands of an entry against what should stand: the same money, or not."""

from __future__ import annotations

from ...codecs.engagement import Engagement
from ...codecs.entry_state import EntryState, EntryVersion, Posted
from .cap import left_open
from .valuation import Value


def same_money(one: EntryVersion, other: EntryVersion) -> bool:
    """Whether two versions of an entry differ in nothing that money depends on or a bill shows."""
    return one is other or (
        one.quantity == other.quantity
        and one.billable_quantity == other.billable_quantity
        and one.work_type == other.work_type
        and one.work_date == other.work_date
        and one.resource_id == other.resource_id
        and one.role == other.role
        and one.billable == other.billable
        and one.unit == other.unit
        and one.task_id == other.task_id
        and one.item == other.item
        and one.grade == other.grade
        and one.assignment_id == other.assignment_id
        and one.rate == other.rate
        and one.amount == other.amount
        and one.currency == other.currency
        and one.lines == other.lines
        and one.progress_excluded == other.progress_excluded
    )


def same_cost(entry: EntryState, cost: Posted, value: Value, terms: Engagement) -> bool:
    """Whether the cost that stands is the one that should: what it is, in which currency, in whose books."""
    return (
        cost.amount == value.cost
        and cost.currency == value.cost_currency
        and entry.cost_value == value.cost_value
        and cost.legal_entity_id == (terms.legal_entity_id if value.transfer is None else value.transfer.seller)
    )


def same_price(entry: EntryState, value: Value, terms: Engagement) -> bool:
    """Whether what stands for the customer is what should: the amount, the currency, who pays, in whose books.

    What lies over a cap stands too: it waits for room, not for a price.
    """
    price, posted = entry.price, _for_customer(entry)
    priced = posted is not None or left_open(entry) != 0
    if value.price is None or price is None or not priced:
        return value.price is None and not priced
    due = value.price
    same = price.amount == due.amount and price.currency == due.currency
    same = same and price.volume == due.volume and price.residue == due.residue
    if posted is None:
        return same
    return same and posted.legal_entity_id == terms.legal_entity_id and posted.customer_id == terms.customer_id


def _for_customer(entry: EntryState) -> Posted | None:
    """What stands for the customer: the last live charge, else the live accrual."""
    if entry.charges and entry.charges[-1].live:
        return entry.charges[-1]
    accrued = entry.work_in_progress
    return accrued if accrued is not None and accrued.live else None
