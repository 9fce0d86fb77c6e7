"""Caps: how much of what is approved the customer pays, and what has to be given back (M6)."""

from __future__ import annotations

from ...codecs.entry_state import EntryState, EntryVersion
from ...codecs.records import EngagementState
from .contract import Contract
from .limits import ENGAGEMENT, Limit


def within_cap(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount may be billed now, in minor units: as far as every cap that covers the version allows.

    No cap is exceeded by more than its tolerance (M6), and only by an entry that fits whole.
    """
    allowed = amount
    for limit in contract.limits:
        if limit.covers(version):
            room = limit.amount - billed_under(limit, version, engagement)
            if amount > room + limit.tolerance:
                allowed = min(allowed, max(0, room) if limit.split else 0)
    return allowed


def count_billed(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> None:
    """Add what is billed for a version (or, negative, taken back) to every partial cap that covers it."""
    for limit in contract.limits:
        if limit.name != ENGAGEMENT and limit.covers(version):
            account = limit.account(version.work_date)
            engagement.capped[account] = engagement.capped.get(account, 0) + amount
            if not engagement.capped[account]:
                del engagement.capped[account]


def over_cap(entry: EntryState, engagement: EngagementState, contract: Contract) -> bool:
    """Whether more is billed than a cap allows, and this entry has a part in it (M6).

    The cap was lowered, or a credit taken back; a credit itself gives no room.
    """
    version = entry.posted or entry.latest
    return any(part.live and part.amount > 0 for part in entry.charges) and any(
        limit.covers(version) and billed_under(limit, version, engagement) > limit.amount + limit.tolerance
        for limit in contract.limits
    )


def billed_under(limit: Limit, version: EntryVersion, engagement: EngagementState) -> int:
    """What is billed and counts to a cap, in minor units, also what was billed before there was one."""
    if limit.name == ENGAGEMENT:
        return engagement.billed - (0 if limit.includes_expenses else engagement.billed_expenses)
    return engagement.capped.get(limit.account(version.work_date), 0)


def is_used_up(engagement: EngagementState, contract: Contract) -> bool:
    """Whether the cap on the whole engagement leaves no room for anybody."""
    return any(
        limit.name == ENGAGEMENT and limit.includes_expenses and engagement.billed >= limit.amount + limit.tolerance
        for limit in contract.limits
    )
