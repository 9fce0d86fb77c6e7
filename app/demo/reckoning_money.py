"""The money of a reckoning: what one entry is worth, or what it waits for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ...codecs.exception import HoldReason
from ...codecs.time_entry import ProgressExcluded, TimeEntry
from .reckoning_approval import Counted, approved_on, counted, may_count
from .reckoning_dates import chargeable_on, fx_day, undated
from .reckoning_facts import Entry, EntryId
from .reckoning_intercompany import Transfer, transfer_of
from .reckoning_lookups import WaitsError, accounting_date, hours_in
from .reckoning_numbers import number
from .reckoning_value import date_of, value_of

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement
    from .reckoning_facts import Facts


@dataclass(frozen=True, slots=True)
class Worth:
    """A valued entry, in minor units of the contract's currency. price: None when nobody pays for it.

    posted_on: its accounting date, by the calendar as it stands in the end; waits_for: what it waits for although it is
    posted, for a decision about it does not count; belongs_to: practice and region of its person, empty if unknown;
    transfer: what another legal entity charges for it once it is approved; charged_on: days on which it may have been
    charged, None where that is not by its approval or submission, or cannot be told.
    """

    entry_id: EntryId
    version: Entry
    approved: bool
    price: int | None
    cost: int
    hours: Fraction
    posted_on: dt.date
    waits_for: HoldReason | None
    belongs_to: tuple[str, str] = ("", "")
    transfer: Transfer | None = None
    charged_on: frozenset[dt.date] | None = None

    @property
    def excluded(self) -> ProgressExcluded | None:
        """Why it is no progress of a fixed fee, if it is not."""
        return self.version.progress_excluded

    @property
    def kind(self) -> str:
        """Time or expense."""
        return self.entry_id.kind


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What became of an entry: its worth, if something of it is posted, and what it waits for, if anything."""

    worth: Worth | None = None
    waits_for: HoldReason | None = None


def reckon_entry(facts: Facts, entry_id: EntryId) -> Reckoned:
    """Value an entry by all that is known in the end."""
    terms = facts.engagements.get(entry_id.engagement_id)
    if terms is None:
        return Reckoned(waits_for="engagement_unknown" if may_count(facts, entry_id) else None)
    found = counted(facts, terms, entry_id)
    if found.version is not None and found.approved:
        found.undated = undated(facts, terms, entry_id, found.version)
        found.approved = found.undated is None
    if found.version is None or not (found.approved or terms.policies.accrue_at == "submission"):
        return Reckoned(waits_for=found.waits_for)
    try:
        return Reckoned(_worth(facts, terms, entry_id, found.version, found), found.waits_for)
    except WaitsError as wait:
        return Reckoned(waits_for=wait.reason)


def _worth(facts: Facts, terms: Engagement, entry_id: EntryId, version: Entry, found: Counted) -> Worth:
    day = approved_on(facts, terms, entry_id, version) if found.approved else None
    posted_on = accounting_date(facts, terms, date_of(version))
    fx_on = fx_day(terms, version, posted_on, day)
    cost, price = value_of(facts, terms, version, fx_on)
    hours = Fraction(0)
    if isinstance(version, TimeEntry):
        hours = number(version.quantity) * hours_in(version.unit, terms)
    person = facts.resources.get(version.resource_id)
    belongs_to = ("", "") if person is None else (person.practice, person.region)
    transfer = transfer_of(facts, terms, version, price, fx_on)
    if transfer is not None:
        accounting_date(facts, terms, date_of(version), transfer.seller)
    return Worth(
        entry_id,
        version,
        found.approved,
        price,
        cost,
        hours,
        posted_on,
        found.waits_for,
        belongs_to,
        transfer,
        chargeable_on(facts, terms, entry_id, day),
    )
