"""The hours of a reckoning: worked time by what it counts as, whether or not its money is known yet."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.time_entry import TimeEntry
from .reckoning_approval import counted
from .reckoning_lookups import hours_in
from .reckoning_numbers import PLACES, number, rounded

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement
    from .reckoning_facts import EntryId, Facts

_NOT_FOR_CUSTOMERS: Final = {"non_billable", "internal"}
_SCALE: Final = 10**PLACES


class Hours(NamedTuple):
    """Hours of one engagement: handed in, approved for the customer, approved and never billed."""

    submitted: Fraction = Fraction(0)
    approved: Fraction = Fraction(0)
    non_billable: Fraction = Fraction(0)

    def shown(self) -> tuple[Fraction, ...]:
        """Each sum as figures show it: rounded once, half up, to six places."""
        return tuple(Fraction(rounded(hours * _SCALE, "half_up"), _SCALE) for hours in self)


NO_HOURS: Final = Hours()


def hours_by_engagement(facts: Facts) -> dict[str, Hours]:
    """Hours of every engagement whose terms are known; of each entry the version that counts."""
    found = dict.fromkeys(facts.engagements, NO_HOURS)
    for entry_id in facts.versions:
        terms = facts.engagements.get(entry_id.engagement_id)
        if terms is not None and entry_id.kind == "time":
            known = found[terms.id]
            found[terms.id] = Hours(*map(Fraction.__add__, known, _of_entry(facts, terms, entry_id)))
    return found


def _of_entry(facts: Facts, terms: Engagement, entry_id: EntryId) -> Hours:
    counts = counted(facts, terms, entry_id)
    entry = counts.version
    if not isinstance(entry, TimeEntry):
        return NO_HOURS
    worked = number(entry.quantity) * hours_in(entry.unit, terms)
    if not counts.approved:
        return Hours(submitted=worked)
    billable = entry.billable and terms.contract_type not in _NOT_FOR_CUSTOMERS
    return Hours(approved=worked) if billable else Hours(non_billable=worked)
