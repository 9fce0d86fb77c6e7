"""Judgement: which version of an entry counts, whether as approved, and what the entry waits for to be judged.

Levels come first, then amounts and persons (assessment), then finance (review), then the day of approval or submission,
where the contract dates something by it: what lacks that day is approved, and its hours are, but its money stands as
that of submitted work until the day is known.
"""

from __future__ import annotations

import datetime as dt

from ...codecs.entry_state import Approvals, EntryState, EntryVersion
from .approval import counting
from .assessment import assess
from .contract import Contract
from .dates import undated
from .review import review
from .valuation import Lookups, Missing


def judge(
    entry: EntryState, approvals: Approvals | None, contract: Contract, lookups: Lookups
) -> tuple[EntryVersion | None, bool, bool, Missing | None, dict[dt.date, int] | None]:
    """The version that counts, None where none does; whether it is approved, and due; what the entry waits for.

    Last what has been let pass without review (see EntryState), None where that is what the entry knows.
    """
    assessment = None if contract.approval is None else assess(contract, lookups)
    judged = None if assessment is None else assessment.standing
    version, standing = counting(entry, approvals, contract.approval_levels, judged)
    waits_for = None if assessment is None else assessment.waits_for
    if version is None or standing != "approved":
        return version, False, False, waits_for, None
    let_pass = None
    if contract.review is not None and entry.earlier:
        version, waits, let_pass = review(version, contract.review, entry, approvals, contract, lookups, judged)
        waits_for = waits or waits_for
    missing = None if contract.dating is None else undated(entry, version, approvals, contract, contract.dating)
    return version, True, missing is None, waits_for or missing, let_pass
