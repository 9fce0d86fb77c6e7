"""Settlement: bring what is posted for an entry in line with what should be.

Whatever happened (a new revision, a decision, new terms, a rate that was missing), the question is the same:
which version of the entry counts, what is it worth, and what of it stands in the ledgers already? The answer is
posted as the smallest set of reversals and postings. So a correction after approval reverses and rebills, a
withdrawal reverses, a duplicate does nothing, and the order in which the facts arrive makes no difference to
the money (M9). A part that cannot be posted yet is held with its reason; what stands wrongly is reversed first.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from ...codecs.currencies import format_amount
from ...codecs.entry_state import Approvals, EntryState, EntryVersion, Posted, Price
from ...codecs.records import EngagementState
from . import ledger
from .approval import counting
from .contract import Contract
from .effects import Effects
from .progress import recognise
from .valuation import Lookups, Missing, Value, missing_period, value_of

EARLIER_MAX: Final = 32
"""Revisions of one entry that may wait for a decision at the same time; older ones are given up."""


def settle(
    entry: EntryState, approvals: Approvals | None, engagement: EngagementState, contract: Contract, lookups: Lookups, effects: Effects
) -> Missing | None:
    """Post what is missing and reverse what is wrong; returns what the entry waits for, if anything.

    Changes the entry's postings and the engagement's figures in place, together with the effects it appends.
    """
    version, standing = counting(entry, approvals, contract.terms.policies.approval_levels)
    approved = standing == "approved"
    wanted = version if approved or contract.accrues_at_submission else None
    _count_time(entry, engagement, contract, version, approved=approved)
    missing = _withdraw(entry, engagement, contract, effects, wanted, approved=approved)
    if missing is not None or wanted is None:
        return missing
    if entry.charges and entry.charges[-1].live and not entry.held_value:
        return None
    value = value_of(wanted, contract, lookups)
    if isinstance(value, Missing):
        return value
    return _post(entry, engagement, contract, effects, wanted, value, approved=approved)


def _withdraw(
    entry: EntryState, engagement: EngagementState, contract: Contract, effects: Effects, wanted: EntryVersion | None, *, approved: bool
) -> Missing | None:
    """Reverse every posting that does not belong to the wanted version and standing."""
    cost = entry.cost
    if cost is None or not cost.live:
        return None
    stands = entry.posted or entry.latest
    same = wanted is not None and same_money(stands, wanted)
    unbill = not (same and approved)
    accrued = entry.work_in_progress if entry.work_in_progress is not None and entry.work_in_progress.live else None
    unaccrue = accrued is not None and not (same and not approved)
    wrong = [*(_live(entry.charges) if unbill else ()), *((accrued,) if unaccrue and accrued else ()), *((cost,) if unbill else ())]
    dates: dict[dt.date, dt.date] = {}
    for posted in wrong:
        date = contract.calendar.accounting_date(posted.accounting_date)
        if isinstance(date, str):
            return missing_period(date, contract, posted.accounting_date)
        dates[posted.accounting_date] = date
    if unbill:
        _reverse_charges(entry, engagement, contract, effects, stands, dates)
    if unaccrue and accrued is not None:
        _reverse_accrual(entry, engagement, contract, effects, stands, accrued, dates)
    if unbill and entry.progress:
        _progress(entry, engagement, contract, effects, stands, 0, dates[cost.accounting_date])
    if not same:
        ledger.reverse_cost(stands, cost, dates[cost.accounting_date], contract, effects)
        entry.cost = _dead(cost)
        engagement.cost -= entry.cost_value
        entry.cost_value = 0
    return None


def _reverse_charges(
    entry: EntryState, engagement: EngagementState, contract: Contract, effects: Effects, stands: EntryVersion, dates: dict[dt.date, dt.date]
) -> None:
    price = _price_of(entry)
    for part in _live(entry.charges):
        ledger.reverse_charge(stands, price, part, dates[part.accounting_date], contract, effects)
        engagement.billed -= part.amount
        engagement.earned -= part.amount
        if _counts_to_cap(stands, contract):
            engagement.cap_used -= part.amount
    if entry.charges:
        entry.charges = (_dead(entry.charges[-1]),)
    engagement.approved_value -= entry.approved_value
    engagement.held -= entry.held_value
    entry.approved_value = entry.held_value = 0


def _reverse_accrual(
    entry: EntryState,
    engagement: EngagementState,
    contract: Contract,
    effects: Effects,
    stands: EntryVersion,
    accrued: Posted,
    dates: dict[dt.date, dt.date],
) -> None:
    ledger.reverse_work_in_progress(stands, accrued, dates[accrued.accounting_date], contract, effects)
    entry.work_in_progress = _dead(accrued)
    engagement.unbilled -= accrued.amount


def _post(
    entry: EntryState, engagement: EngagementState, contract: Contract, effects: Effects, wanted: EntryVersion, value: Value, *, approved: bool
) -> Missing | None:
    """Post what the wanted version lacks: cost always, accrual while pending, charge or progress once approved."""
    revision, date = wanted.revision, value.accounting_date
    entry.posted = None if wanted is entry.latest else wanted
    if entry.cost is None or not entry.cost.live:
        entry.cost = Posted(revision, ledger.next_ordinal(entry.cost, revision), True, value.cost, value.cost_currency, date)
        entry.cost_value = value.cost_value
        engagement.cost += value.cost_value
        ledger.accrue_cost(wanted, entry.cost, contract, effects)
    if approved and contract.earns_by_cost:
        _progress(entry, engagement, contract, effects, wanted, entry.cost_value, date)
    price = value.price
    if price is None:
        return None
    if approved:
        return _charge(entry, engagement, contract, effects, wanted, value, price)
    accrued = entry.work_in_progress
    if accrued is None or not accrued.live:
        posted = Posted(revision, ledger.next_ordinal(accrued, revision), True, price.amount, price.currency, date)
        entry.work_in_progress, entry.price = posted, price
        engagement.unbilled += price.amount
        ledger.accrue_work_in_progress(wanted, posted, contract, effects)
    return None


def _charge(
    entry: EntryState, engagement: EngagementState, contract: Contract, effects: Effects, wanted: EntryVersion, value: Value, price: Price
) -> Missing | None:
    """Bill the entry as far as the cap lets it; the rest is held until room appears."""
    if entry.held_value:
        price = _price_of(entry)
        open_amount = entry.held_value
        engagement.held -= open_amount
    else:
        open_amount = price.amount
        entry.price = price
        entry.approved_value = open_amount
        engagement.approved_value += open_amount
    amount = _within_cap(open_amount, wanted, engagement, contract)
    entry.held_value = open_amount - amount
    engagement.held += entry.held_value
    if amount or not entry.held_value:
        last = entry.charges[-1] if entry.charges else None
        part = Posted(wanted.revision, ledger.next_ordinal(last, wanted.revision), True, amount, price.currency, value.accounting_date)
        entry.charges = (*_live(entry.charges), part)
        engagement.billed += amount
        engagement.earned += amount
        if _counts_to_cap(wanted, contract):
            engagement.cap_used += amount
        ledger.charge(wanted, price, value.trace, part, contract, effects)
    if not entry.held_value:
        return None
    over = f"{format_amount(entry.held_value, price.currency)} {price.currency}"
    return Missing("cap_reached", f"cap:{engagement.id}", f"{over} lie over the cap of engagement {engagement.id}; raise the cap, or take something else back")


def _within_cap(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount may be billed now, in minor units. The cap is never exceeded (M6)."""
    if contract.cap is None or not _counts_to_cap(version, contract):
        return amount
    room = contract.cap - engagement.cap_used
    if amount <= room:
        return amount
    return max(0, room) if contract.cap_mode == "split" else 0


def _counts_to_cap(version: EntryVersion, contract: Contract) -> bool:
    return contract.cap is not None and (version.kind == "time" or contract.cap_includes_expenses)


def _progress(
    entry: EntryState, engagement: EngagementState, contract: Contract, effects: Effects, version: EntryVersion, counted: int, date: dt.date
) -> None:
    """Count an entry's approved cost (or take it back) and post the revenue that follows from it."""
    engagement.approved_cost += counted - entry.progress
    entry.progress = counted
    if engagement.progress_date is None or date > engagement.progress_date:
        engagement.progress_date = date
    cause = f"{version.source}:{version.kind}:{version.id}:{version.revision}:progress:{entry.progress_ordinal}"
    earned = recognise(cause, version.id, version.revision, engagement.approved_cost, engagement.recognised, date, contract, effects)
    if earned:
        entry.progress_ordinal += 1
        engagement.recognised += earned
        engagement.earned += earned


def _count_time(entry: EntryState, engagement: EngagementState, contract: Contract, version: EntryVersion | None, *, approved: bool) -> None:
    """Move the entry's hours between submitted, approved and non-billable."""
    counted_as, time = "", 0
    if version is not None and version.kind == "time":
        time = contract.time(version.quantity, version.unit)
        billable = version.billable and contract.terms.contract_type not in {"non_billable", "internal"}
        counted_as = "submitted_time" if not approved else "approved_time" if billable else "non_billable_time"
    if entry.counted_as == counted_as and entry.counted_time == time:
        return
    if entry.counted_as:
        setattr(engagement, entry.counted_as, getattr(engagement, entry.counted_as) - entry.counted_time)
    if counted_as:
        setattr(engagement, counted_as, getattr(engagement, counted_as) + time)
    entry.counted_as, entry.counted_time = counted_as, time


def supersede(entry: EntryState, version: EntryVersion) -> None:
    """Make a higher revision the latest one, in place.

    Earlier versions are kept while the new one may leave one of them standing, that is while it is only drafted
    or submitted: every other status ends the search for the version that counts (see approval).
    """
    if entry.posted is None and entry.cost is not None and entry.cost.live:
        entry.posted = entry.latest
    entry.earlier = (*entry.earlier, entry.latest)[-EARLIER_MAX:] if version.status in {"draft", "submitted"} else ()
    entry.latest = version


def same_money(one: EntryVersion, other: EntryVersion) -> bool:
    """Whether two versions of an entry differ in nothing that money depends on or a bill shows."""
    return one is other or (
        one.quantity == other.quantity
        and one.unit == other.unit
        and one.work_date == other.work_date
        and one.resource_id == other.resource_id
        and one.billable == other.billable
        and (one.role, one.grade, one.item, one.task_id, one.assignment_id) == (other.role, other.grade, other.item, other.task_id, other.assignment_id)
        and (one.rate, one.amount, one.currency) == (other.rate, other.amount, other.currency)
    )


def _live(parts: tuple[Posted, ...]) -> tuple[Posted, ...]:
    return tuple(part for part in parts if part.live)


def _dead(posted: Posted) -> Posted:
    """What remains of a reversed posting: its number, so that it is not used again."""
    return Posted(posted.revision, posted.ordinal, False, posted.amount, posted.currency, posted.accounting_date)


def _price_of(entry: EntryState) -> Price:
    """The price of what stands; an entry that was charged or held has one."""
    if entry.price is None:
        raise AssertionError(f"entry {entry.latest.source}:{entry.latest.id} has charges and no price")
    return entry.price
