"""A time entry as a PSA integration sends it: one line of a time sheet, one revision of it."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from .wire import DecimalText, Id, OptionalId, Revision, Unit, Wire, decoder

TYPE: Final = "billtide.time-entry.v1"

EntryStatus = Literal["draft", "submitted", "approved", "rejected", "recalled", "deleted"]
ProgressExcluded = Literal["uninstalled", "waste"]
"""Why cost is left out of a fixed fee's progress: bought and not yet installed, or wasted (IFRS 15 B19)."""


class TimeEntry(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Work of one person on one date for one engagement. Identity is (source, id); key is engagement_id.

    quantity counts in `unit`; a day is the engagement's hours_per_day. `rate` is the entry's own rate per
    hour in the engagement's currency and wins over every card. `deleted` is the tombstone of the entry.
    billable_quantity, in the same unit, is what the customer pays for instead of quantity, which stays the hours and
    the cost: less is a write-down, more a write-up.
    work_type, such as `overtime` or `travel`, is what the engagement's multipliers go by.
    `progress_excluded` leaves it out of a fixed fee's progress: uninstalled cost earns its cost, waste nothing.
    submitted_on: the day this revision was handed in, for contracts that charge what is done on that day.
    An entry that moves to another engagement is sent twice: deleted under the old key, new under the new.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    resource_id: Id
    work_date: dt.date
    quantity: DecimalText
    unit: Unit = "hour"
    status: EntryStatus
    billable: bool = True
    role: OptionalId = ""
    grade: OptionalId = ""
    item: OptionalId = ""
    task_id: OptionalId = ""
    assignment_id: OptionalId = ""
    rate: DecimalText | None = None
    notes: str = ""
    billable_quantity: DecimalText | None = None
    work_type: OptionalId = ""
    progress_excluded: ProgressExcluded | None = None
    submitted_on: dt.date | None = None


decode: Final = decoder(TimeEntry)
