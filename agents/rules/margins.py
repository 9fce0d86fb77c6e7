"""Margin by practice and region of the person: what each has earned and cost on an engagement.

An entry counts where its person belongs now: what its live charges earn, and its cost. What it counts is kept with it,
so that a correction, a withdrawal or another practice of the person moves exactly that. What the terms earn (fees,
progress) is of no person and shown in the engagement's own practice and region, so the rows sum to the engagement.
"""

from __future__ import annotations

from typing import Final

from ...codecs.entry_state import CountedMargin, EntryState
from ...codecs.records import EngagementState, Margin
from .valuation import Lookups

ROWS_MAX: Final = 50
"""Practices and regions told apart on one engagement; later ones share a row."""
SEPARATOR: Final = "\x1f"
OTHERS: Final = f"*{SEPARATOR}*"
"""Key of the row of those that are one too many."""


def key_of(practice: str, region: str) -> str:
    """Key of a row."""
    return f"{practice}{SEPARATOR}{region}"


def is_counted(entry: EntryState, engagement: EngagementState, lookups: Lookups) -> bool:
    """Whether the rows show an entry as it stands."""
    return entry.margin == _counted(entry, engagement, lookups)


def count_margin(entry: EntryState, engagement: EngagementState, lookups: Lookups) -> None:
    """Move the rows by what the entry adds now, less what it added before."""
    counted, before = _counted(entry, engagement, lookups), entry.margin
    if counted == before:
        return
    if before is not None:
        _add(engagement, before, -1)
    if counted is not None:
        _add(engagement, counted, 1)
    entry.margin = counted


def rows(engagement: EngagementState) -> dict[str, Margin]:
    """Rows by key, with what no entry has earned or cost in the engagement's own."""
    found = dict(engagement.margins)
    earned = engagement.earned - sum(row.earned for row in found.values())
    cost = engagement.cost - sum(row.cost for row in found.values())
    if engagement.terms is not None and (earned or cost):
        key = key_of(engagement.terms.practice, engagement.terms.region)
        own = found.get(key, Margin())
        found[key] = Margin(own.earned + earned, own.cost + cost)
    return found


def _counted(entry: EntryState, engagement: EngagementState, lookups: Lookups) -> CountedMargin | None:
    """What an entry adds to which row; None for nothing."""
    earned = sum([part.amount for part in entry.charges if part.live])
    if not earned and not entry.cost_value:
        return None
    person = lookups.resource((entry.posted or entry.latest).resource_id)
    key = key_of("", "") if person is None else key_of(person.practice, person.region)
    known = engagement.margins
    if key not in known and len(known) - (OTHERS in known) >= ROWS_MAX:
        key = OTHERS
    return CountedMargin(key, earned, entry.cost_value)


def _add(engagement: EngagementState, counted: CountedMargin, sign: int) -> None:
    row = engagement.margins.get(counted.key, Margin())
    moved = Margin(row.earned + sign * counted.earned, row.cost + sign * counted.cost)
    if moved.earned or moved.cost:
        engagement.margins[counted.key] = moved
    else:
        engagement.margins.pop(counted.key, None)
