"""Review: a correction that changes a bill by more than the contract lets pass, or a closed period, waits for finance.

Theory. A correction is an approved revision above another approved one, and weighs what the two differ in for the
customer, at what both weigh now (see weighing). Of the approved revisions of an entry, down to the first that is
withdrawn, the lowest needs no review. Going up from there each counts in the place of the one that counted before if

    it weighs no more than `review_above`, and under `closed_period: review_corrections` it changes no money, or the
    period of the work that it corrects is not closed, or
    a reviewer's decision released it

A period is that of the work date in the calendar of the engagement's legal entity: what is in it has been reported, in
whichever period a late part of it was posted. A correction that counted while the period was open is in it, too, and is
not brought back for review: the entry keeps which did (`let_pass`). Once released it is posted in the next open period;
while it waits, a period that opens again lets it pass as well.

A rejected one never counts. One that is not decided does not count yet, and the entry waits for it, unless a later
revision counts. What counts depends on revisions, decisions and worth alone, not on the order in which they arrive, nor
on what was billed in between (M9): so superseded revisions are kept, unless terms are known that ask for no review.
Terms that ask for one later find corrections from then on. A withdrawal is never held: nothing
unapproved stays billed (M6).

A reviewer decides by an approval of level finance whose target is the correction. Of several the one with the highest
sequence counts, of equal ones one that withdraws; a recalled release waits again. Where terms name approvers, only
theirs count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal

from ...codecs.currencies import format_amount
from ...codecs.entry_state import Approvals, Decision, EntryState, EntryVersion
from .approval import VOIDS, Judge, standing
from .approval_terms import ReviewTerms
from .contract import Contract
from .differences import same_money
from .valuation import Lookups, Missing
from .weighing import weigh

Review = Literal["undecided", "released", "rejected"]


def review(
    counts: EntryVersion,
    terms: ReviewTerms,
    entry: EntryState,
    approvals: Approvals | None,
    contract: Contract,
    lookups: Lookups,
    judge: Judge | None,
) -> tuple[EntryVersion, Missing | None, dict[dt.date, int] | None]:
    """The approved version that counts after review, in place of `counts`; and what a later one waits for.

    Last which corrections the entry's periods have let pass, if that has changed.
    """
    decisions = () if approvals is None else approvals.decisions
    chain = list(_approved(counts, entry, decisions, contract, judge))
    stands = chain[-1]
    waits_for: Missing | None = None
    known = entry.let_pass or {}
    let_pass = known
    for corrected in reversed(chain[:-1]):
        reviewed = _review_of(corrected, decisions, contract)
        if reviewed == "rejected":
            continue
        waits = None
        if reviewed != "released":
            waits = _in_closed_period(stands, corrected, known, contract) if terms.closed else None
            waits = waits or _too_large(stands, corrected, terms.above, contract, lookups)
            day = stands.work_date
            if waits is None and terms.closed and "open" in contract.calendar.statuses(day):
                let_pass = {**let_pass, day: max(corrected.revision, let_pass.get(day, 0))}
        if waits is None:
            stands, waits_for = corrected, None
        else:
            waits_for = waits
    return stands, waits_for, None if let_pass == known else let_pass


def forget_reviewed(entry: EntryState, contract: Contract) -> None:
    """Drop the revisions before an approved one, which only a review would look at: they double what an entry takes."""
    if contract.review is None and entry.latest.status == "approved":
        entry.earlier = ()


def _approved(
    counts: EntryVersion,
    entry: EntryState,
    decisions: tuple[Decision, ...],
    contract: Contract,
    judge: Judge | None,
) -> Iterator[EntryVersion]:
    """Approved versions from the one that counts without review down to the first that is withdrawn."""
    for version in (entry.latest, *reversed(entry.earlier)):
        if version.revision > counts.revision:
            continue
        stands = judge(version, decisions) if judge else standing(version, decisions, contract.approval_levels)
        if stands == "void":
            return
        if stands == "approved":
            yield version


def _review_of(version: EntryVersion, decisions: tuple[Decision, ...], contract: Contract) -> Review:
    """What finance decided about a correction."""
    terms = contract.approval
    about = [
        decision
        for decision in decisions
        if decision.target == "correction"
        and decision.entry_revision == version.revision
        and (terms is None or terms.may_decide(decision))
    ]
    if not about:
        return "undecided"
    last = max(about, key=lambda decision: (decision.sequence, VOIDS[decision.verdict]))
    if last.verdict == "recalled":
        return "undecided"
    return "released" if last.verdict == "approved" else "rejected"


def _in_closed_period(
    stands: EntryVersion, corrected: EntryVersion, let_pass: dict[dt.date, int], contract: Contract
) -> Missing | None:
    """Why a correction needs review by the period of the work it corrects; None when it may pass."""
    day = stands.work_date
    if corrected.revision <= let_pass.get(day, 0) or same_money(stands, corrected):
        return None
    if contract.calendar.statuses(day) != {"closed"}:
        return None
    text = f"revision {corrected.revision} corrects work of {day}, whose accounting period is closed"
    return _awaited(text, contract)


def _too_large(
    stands: EntryVersion, corrected: EntryVersion, limit: int | None, contract: Contract, lookups: Lookups
) -> Missing | None:
    """Why a correction needs review by its amount, or what it cannot be weighed without; None when it may pass."""
    if limit is None:
        return None
    amounts = []
    for version in (stands, corrected):
        value = weigh(version, contract, lookups)
        if isinstance(value, Missing):
            return value
        amounts.append(0 if value.price is None else value.price.amount)
    before, after = amounts
    if abs(after - before) <= limit:
        return None
    currency = contract.currency
    shown = [format_amount(amount, currency) for amount in (before, after, limit)]
    text = (
        f"revision {corrected.revision} changes what is billed from {shown[0]} to {shown[1]} {currency}, by more than"
    )
    return _awaited(f"{text} {shown[2]}", contract)


def _awaited(text: str, contract: Contract) -> Missing:
    fix = "let finance release or reject the correction"
    return Missing("awaiting_review", f"review:{contract.terms.id}", f"{text}; {fix}")
