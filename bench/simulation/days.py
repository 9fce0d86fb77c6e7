"""Days: contracts whose charges are dated by submission, corrections in closed months, and who says when.

By a chance of its own, all revisions of an engagement alike: whether work is charged on the day it was submitted, and
whether corrections are reviewed, does not change on the way. Nor does the day an entry was submitted on: of one that
changes no money but its day the charge may stand on either, and where one of the two days is closed, the order tells.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING

import msgspec

from billtide.codecs.expense import Expense
from billtide.codecs.time_entry import TimeEntry

from . import agreed
from .drawing import in_every_revision

if TYPE_CHECKING:
    from billtide.app.demo.happenings import Thing
    from billtide.codecs.engagement import Engagement

    from .sales import Sold

DAYS = (*(dt.date(2025, month, day) for month in (9, 10, 11, 12) for day in (5, 25)), dt.date(2026, 1, 2))
"""Days of submission; no month covers the last one."""


def dated(chance: Random, sold: Sold) -> Sold:
    """The same engagements, some of them charged by the day of submission, some with closed months reviewed."""
    return in_every_revision(sold, {terms.id: _dated(chance, terms) for terms in sold.engagements})


def _dated(chance: Random, first: Engagement) -> Callable[[Engagement], Engagement]:
    fields: dict[str, object] = {}
    if agreed.rarely(chance, 3):
        fields["accounting_date"] = "submission_date"
    if first.policies.closed_period == "next_open_period" and agreed.rarely(chance, 2):
        fields["closed_period"] = "review_corrections"

    def change(terms: Engagement) -> Engagement:
        return msgspec.structs.replace(terms, policies=msgspec.structs.replace(terms.policies, **fields))

    return change


def submitted(chance: Random, entered: Iterable[tuple[float, Thing]]) -> Iterator[tuple[float, Thing]]:
    """The same entries; most revisions say on which day the entry was submitted."""
    days: dict[str, dt.date] = {}
    for at, thing in entered:
        if isinstance(thing, TimeEntry | Expense) and not agreed.rarely(chance, 8):
            day = days.setdefault(thing.id, chance.choice(DAYS))
            yield at, msgspec.structs.replace(thing, submitted_on=day)
        else:
            yield at, thing
