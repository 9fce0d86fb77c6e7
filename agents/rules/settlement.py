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

from msgspec import structs

from ...codecs.currencies import format_amount
from ...codecs.engagement import Engagement
from ...codecs.entry_state import Approvals, EntryState, EntryVersion, Posted, Price
from ...codecs.records import EngagementState
from . import ledger
from .approval import counting
from .books import Books
from .contract import Contract
from .progress import count, has_progress, is_counted, take_off
from .valuation import Missing, Value, missing_period, value_of

EARLIER_MAX: Final = 32
"""Revisions of one entry that may wait for a decision at the same time; older ones are given up."""


def settle(entry: EntryState, approvals: Approvals | None, books: Books) -> Missing | None:
    """Post what is missing and reverse what is wrong; returns what the entry waits for, if anything.

    Changes the entry's postings and the engagement's figures in place, together with the effects it appends.
    """
    contract = books.contract
    version, standing = counting(entry, approvals, contract.approval_levels)
    approved = standing == "approved"
    wanted = version if approved or contract.accrues_at_submission else None
    _count_time(entry, books, version, approved=approved)
    if entry.cost is not None and entry.cost.live:
        missing = _withdraw(entry, books, entry.cost, wanted, approved=approved)
        if missing is not None:
            return missing
    if wanted is None or _stands(entry, contract, wanted, approved=approved):
        return None
    value = value_of(wanted, contract, books.lookups)
    if isinstance(value, Missing):
        return value
    return _post(entry, books, wanted, value, approved=approved)


def _stands(entry: EntryState, contract: Contract, wanted: EntryVersion, *, approved: bool) -> bool:
    """Whether everything the wanted version needs is posted; `_withdraw` has left nothing else."""
    if entry.cost is None or not entry.cost.live or entry.held_value:
        return False
    if approved and contract.earns_by_cost and not is_counted(entry, wanted):
        return False
    if not wanted.billable or not (contract.bills_time if wanted.kind == "time" else contract.mark_up is not None):
        return True
    if approved:
        return bool(entry.charges) and entry.charges[-1].live
    return entry.work_in_progress is not None and entry.work_in_progress.live


def _withdraw(
    entry: EntryState, books: Books, cost: Posted, wanted: EntryVersion | None, *, approved: bool
) -> Missing | None:
    """Reverse every posting that does not belong to the wanted version and standing; `cost` is the live one."""
    stands = entry.posted or entry.latest
    same = wanted is not None and same_money(stands, wanted)
    unbill = not (same and approved)
    accrued = entry.work_in_progress
    unaccrue = accrued is not None and accrued.live and not (same and not approved)
    wrong = list(_live(entry.charges)) if unbill else []
    if accrued is not None and unaccrue:
        wrong.append(accrued)
    if not same or (unbill and has_progress(entry)):
        wrong.append(cost)
    dates: dict[dt.date, dt.date] = {}
    for posted in wrong:
        date = books.contract.calendar.accounting_date(posted.accounting_date)
        if isinstance(date, str):
            return missing_period(date, books.contract, posted.accounting_date)
        dates[posted.accounting_date] = date
    if unbill:
        _reverse_charges(entry, books, stands, dates)
    if accrued is not None and unaccrue:
        ledger.reverse_accrual("work_in_progress", stands, accrued, dates[accrued.accounting_date], books)
        entry.work_in_progress = _dead(accrued)
        books.engagement.unbilled -= accrued.amount
    if unbill and has_progress(entry):
        take_off(entry, books, stands, dates[cost.accounting_date])
    if not same:
        ledger.reverse_accrual("cost", stands, cost, dates[cost.accounting_date], books)
        entry.cost = _dead(cost)
        books.engagement.cost -= entry.cost_value
        entry.cost_value = 0
    return None


def _reverse_charges(entry: EntryState, books: Books, stands: EntryVersion, dates: dict[dt.date, dt.date]) -> None:
    engagement = books.engagement
    for part in _live(entry.charges):
        ledger.reverse_charge(stands, _price_of(entry), part, dates[part.accounting_date], books)
        engagement.billed -= part.amount
        engagement.earned -= part.amount
        if stands.kind == "expense":
            engagement.billed_expenses -= part.amount
    if entry.charges:
        entry.charges = (_dead(entry.charges[-1]),)
    engagement.approved_value -= entry.approved_value
    engagement.held -= entry.held_value
    entry.approved_value = entry.held_value = 0


def _post(entry: EntryState, books: Books, wanted: EntryVersion, value: Value, *, approved: bool) -> Missing | None:
    """Post what the wanted version lacks: cost always, accrual while pending, charge or progress once approved."""
    engagement = books.engagement
    entry.posted = None if wanted is entry.latest else wanted
    cost = entry.cost
    if cost is None or not cost.live:
        cost = entry.cost = _posted(
            cost, wanted, value.cost, value.cost_currency, value.accounting_date, books.contract.terms
        )
        entry.cost_value = value.cost_value
        engagement.cost += value.cost_value
        ledger.accrue("cost", wanted, cost, books)
    if approved and books.contract.earns_by_cost:
        count(entry, books, wanted, value.accounting_date)
    price = value.price
    if price is None:
        return None
    if approved:
        return _charge(entry, books, wanted, value, price)
    accrued = entry.work_in_progress
    if accrued is None or not accrued.live:
        accrued = _posted(accrued, wanted, price.amount, price.currency, value.accounting_date, books.contract.terms)
        entry.work_in_progress, entry.price = accrued, price
        engagement.unbilled += price.amount
        ledger.accrue("work_in_progress", wanted, accrued, books)
    return None


def _charge(entry: EntryState, books: Books, wanted: EntryVersion, value: Value, price: Price) -> Missing | None:
    """Bill the entry as far as the cap lets it; the rest is held until room appears."""
    engagement = books.engagement
    if entry.held_value:
        price, trace = _price_of(entry), ledger.kept_trace(_price_of(entry), wanted)
        open_amount = entry.held_value
        engagement.held -= open_amount
    else:
        open_amount, trace = price.amount, value.trace
        entry.price = price
        entry.approved_value = open_amount
        engagement.approved_value += open_amount
    amount = _within_cap(open_amount, wanted, engagement, books.contract)
    over = entry.held_value = open_amount - amount
    engagement.held += over
    if amount or not over:
        last = entry.charges[-1] if entry.charges else None
        part = _posted(last, wanted, amount, price.currency, value.accounting_date, books.contract.terms)
        entry.charges = (*_live(entry.charges), part)
        engagement.billed += amount
        engagement.earned += amount
        if wanted.kind == "expense":
            engagement.billed_expenses += amount
        ledger.charge(wanted, price, trace, part, books)
    if not over:
        return None
    text = f"{format_amount(over, price.currency)} {price.currency} lie over the cap of engagement {engagement.id}"
    return Missing("cap_reached", f"cap:{engagement.id}", f"{text}; raise the cap, or take something else back")


def _within_cap(amount: int, version: EntryVersion, engagement: EngagementState, contract: Contract) -> int:
    """What of an amount may be billed now, in minor units. The cap is never exceeded (M6)."""
    if contract.cap is None or (version.kind == "expense" and not contract.cap_includes_expenses):
        return amount
    room = contract.cap - capped_value(engagement, contract)
    if amount <= room:
        return amount
    return max(0, room) if contract.cap_mode == "split" else 0


def capped_value(engagement: EngagementState, contract: Contract) -> int:
    """What is billed and counts to the cap, also what was billed before there was one. Minor units."""
    return engagement.billed - (0 if contract.cap_includes_expenses else engagement.billed_expenses)


def _count_time(entry: EntryState, books: Books, version: EntryVersion | None, *, approved: bool) -> None:
    """Move the entry's hours between submitted, approved and non-billable."""
    if version is None or version.kind != "time":
        counted_as, time = "", 0
    else:
        contract = books.contract
        time = contract.time(version.quantity, version.unit)
        if not approved:
            counted_as = "submitted_time"
        else:
            counted_as = "approved_time" if version.billable and contract.for_customers else "non_billable_time"
    if entry.counted_as == counted_as and entry.counted_time == time:
        return
    engagement = books.engagement
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
        and one.work_date == other.work_date
        and one.resource_id == other.resource_id
        and one.role == other.role
        and one.billable == other.billable
        and one.unit == other.unit
        and one.task_id == other.task_id
        and one.item == other.item
        and one.grade == other.grade
        and one.assignment_id == other.assignment_id
        and one.rate == other.rate
        and one.amount == other.amount
        and one.currency == other.currency
        and one.progress_excluded == other.progress_excluded
    )


def _posted(
    last: Posted | None, version: EntryVersion, amount: int, currency: str, date: dt.date, terms: Engagement
) -> Posted:
    """A live posting of a version under these terms, with the next number of its kind."""
    ordinal = ledger.next_ordinal(last, version.revision)
    return Posted(version.revision, ordinal, amount, currency, date, terms.legal_entity_id, terms.customer_id)


def _live(parts: tuple[Posted, ...]) -> tuple[Posted, ...]:
    return tuple(part for part in parts if part.live)


def _dead(posted: Posted) -> Posted:
    """What remains of a reversed posting: its number, so that it is not used again."""
    return structs.replace(posted, live=False)


def _price_of(entry: EntryState) -> Price:
    """The price of what stands; an entry that was charged or held has one."""
    if entry.price is None:
        message = f"entry {entry.latest.source}:{entry.latest.id} has charges and no price"
        raise AssertionError(message)
    return entry.price
