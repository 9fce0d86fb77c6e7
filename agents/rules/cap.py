"""Caps: how much of what is approved the customer pays, and what has to be given back (M6)."""

from __future__ import annotations

from ...codecs.entry_state import EntryState, EntryVersion
from ...codecs.records import EngagementState
from .contract import Contract


def within_cap(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount may be billed now, in minor units. The cap is never exceeded (M6)."""
    if contract.cap is None or (version.kind == "expense" and not contract.cap_includes_expenses):
        return amount
    room = contract.cap - capped_value(engagement, contract)
    if amount <= room:
        return amount
    return max(0, room) if contract.cap_mode == "split" else 0


def over_cap(entry: EntryState, engagement: EngagementState, contract: Contract) -> bool:
    """Whether more is billed than the cap allows, and this entry has a part in it: the cap was lowered (M6)."""
    return (
        contract.cap is not None
        and capped_value(engagement, contract) > contract.cap
        and any(part.live for part in entry.charges)
        and (entry.latest.kind == "time" or contract.cap_includes_expenses)
    )


def capped_value(engagement: EngagementState, contract: Contract) -> int:
    """What is billed and counts to the cap, also what was billed before there was one. Minor units."""
    return engagement.billed - (0 if contract.cap_includes_expenses else engagement.billed_expenses)
