"""Overage that is held: work beyond a prepaid balance waits, in the order it came, until there is balance again.

Together entries are billed what the terms' balances cover of their value (drawdown.py), no more and no less. So the
sum is the same in any order (M9); which of them waits is decided by who comes first, and moves no sum: a balance is
split to the minor unit and has neither tolerance nor parts, unlike caps (room.py). What is covered no more is taken
back from the latest by work date, and released again before what never was.
"""

from __future__ import annotations

from ...codecs.currencies import format_amount
from ...codecs.entry_state import EntryState
from ...codecs.records import EngagementState
from .books import Books
from .cap import over_cap_message
from .contract import Contract
from .drawdown import draw
from .prepaid import count_usage, pools_of, usage_of
from .valuation import Missing


def within_balance(amount: int, entry: EntryState, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount of an approved entry the balance covers now, in minor units; counts its usage first."""
    count_usage(entry, engagement, contract)
    if entry.usage is None or amount <= 0:
        return amount
    return max(0, min(amount, room_in_balance(engagement, contract)))


def room_in_balance(engagement: EngagementState, contract: Contract) -> int:
    """What more may be billed of work that draws on the balance; below zero what is billed beyond it."""
    drawing = None if contract.fee_plan is None else contract.fee_plan.drawing
    if drawing is None:
        raise AssertionError(f"engagement {engagement.id} has no balance")
    covered = sum(drawn.movements.drawn for drawn in draw(list(pools_of(engagement, contract)), drawing))
    return covered - engagement.billed + (0 if drawing.includes_expenses else engagement.billed_expenses)


def over_balance(entry: EntryState, engagement: EngagementState, contract: Contract) -> bool:
    """Whether more is billed than the balance covers, and this entry has a part in it."""
    return (
        contract.holds_overage
        and usage_of(entry, contract) is not None
        and any(part.live for part in entry.charges)
        and room_in_balance(engagement, contract) < 0
    )


def over_limit(entry: EntryState, books: Books) -> Missing:
    """What an entry waits for that neither caps nor the balance let through whole."""
    engagement, terms = books.engagement, books.contract.terms
    if not books.contract.holds_overage:
        reason, message = over_cap_message(entry, engagement, books.contract)
        return Missing(reason, f"cap:{engagement.id}", message)
    held = format_amount(entry.held_value, terms.currency)
    text = f"{held} {terms.currency} are beyond the prepaid balance of {terms.id}"
    fix = "it goes on with the next fee or refill; or change fee.drawdown.overage"
    return Missing("balance_used_up", f"balance:{terms.id}", f"{text}; {fix}")
