"""Hours of an entry in its engagement's figures: submitted, approved, or non-billable."""

from __future__ import annotations

from ...codecs.entry_state import EntryState, EntryVersion
from .books import Books
from .contract import Contract


def time_of(contract: Contract, version: EntryVersion | None, *, approved: bool) -> tuple[str, int]:
    """As which hours a version counts, and how many microseconds of them."""
    if version is None or version.kind != "time":
        return "", 0
    time = contract.time(version.quantity, version.unit)
    if not approved:
        return "submitted_time", time
    return ("approved_time" if version.billable and contract.for_customers else "non_billable_time"), time


def count_time(entry: EntryState, books: Books, counted_as: str, time: int) -> None:
    """Move the entry's hours between submitted, approved and non-billable."""
    if entry.counted_as == counted_as and entry.counted_time == time:
        return
    engagement = books.engagement
    if entry.counted_as:
        setattr(engagement, entry.counted_as, getattr(engagement, entry.counted_as) - entry.counted_time)
    if counted_as:
        setattr(engagement, counted_as, getattr(engagement, counted_as) + time)
    entry.counted_as, entry.counted_time = counted_as, time
