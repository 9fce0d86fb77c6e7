"""Caps: how much of what is approved the customer pays, and what has to be given back (M6)."""

from __future__ import annotations

from collections.abc import Iterable

from ...codecs.currencies import format_amount
from ...codecs.entry_state import EntryState, EntryVersion
from ...codecs.exception import HoldReason
from ...codecs.records import EngagementState
from .books import Books
from .contract import Contract
from .limits import ENGAGEMENT, Limit
from .room import Share


def within_cap(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount may be billed now, in minor units: as far as every cap that covers the version allows.

    No cap is exceeded by more than its tolerance (M6), and only by an entry that fits whole.
    """
    return _within(contract.limits, amount, version, engagement)


def _within(limits: Iterable[Limit], amount: int, version: EntryVersion, engagement: EngagementState) -> int:
    allowed = amount
    for limit in limits:
        if limit.covers(version):
            room = limit.amount - billed_under(limit, version, engagement)
            if amount > room + limit.tolerance:
                allowed = min(allowed, max(0, room) if limit.split else 0)
    return allowed


def left_open(entry: EntryState) -> int:
    """Approved value of an entry that no charge covers: what is held over a cap, and what is not chargeable."""
    return entry.held_value + entry.non_chargeable


def has_open(engagement: EngagementState) -> bool:
    """Whether anything approved is not billed, so that it may matter who has the room."""
    return engagement.held != 0 or engagement.non_chargeable != 0


def billed_of(entry: EntryState) -> int:
    """What stands billed of an entry, in minor units."""
    return sum([part.amount for part in entry.charges if part.live])


def standing_share(entry: EntryState) -> Share:
    """What an entry has of the room now, so that it is billed anew without taking or leaving any."""
    billed = billed_of(entry)
    return Share(billed, billed + entry.held_value)


def leave_open(entry: EntryState, over: int, value: int, version: EntryVersion, books: Books) -> None:
    """Keep what lies over the caps, in minor units, of a value yet to be billed.

    What a cap that stops lets through is held, for other caps may give it room; the rest is not chargeable.
    """
    engagement, contract = books.engagement, books.contract
    held = over
    if books.share is not None:
        held = max(0, min(over, books.share.through - (entry.approved_value - over)))
    elif over and any(limit.stops for limit in contract.limits):
        stopping = (limit for limit in contract.limits if limit.stops)
        held = _within(stopping, value, version, engagement) - (value - over)
    _keep_open(entry, engagement, held, over - held)


def close_open(entry: EntryState, engagement: EngagementState) -> None:
    """Take what is open off the figures, before it is billed or reversed."""
    _keep_open(entry, engagement, 0, 0)


def _keep_open(entry: EntryState, engagement: EngagementState, held: int, non_chargeable: int) -> None:
    engagement.held += held - entry.held_value
    engagement.non_chargeable += non_chargeable - entry.non_chargeable
    entry.held_value, entry.non_chargeable = held, non_chargeable


def over_cap_message(entry: EntryState, engagement: EngagementState, contract: Contract) -> tuple[HoldReason, str]:
    """Why an entry with something open waits, and what the user reads; what is held comes first."""
    currency = contract.currency
    if entry.held_value:
        text = f"{format_amount(entry.held_value, currency)} {currency} lie over the cap of engagement {engagement.id}"
        return "cap_reached", f"{text}; raise the cap, or take something else back"
    text = f"{format_amount(entry.non_chargeable, currency)} {currency} lie beyond a cap of engagement {engagement.id}"
    return "cap_stopped", f"{text} that stops, and are not charged"


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

    So is what could not be reversed when a cap was lowered or a credit withdrawn, as its period was closed.
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
