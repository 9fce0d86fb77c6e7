"""Settlement: bring what is posted for an entry in line with what should be.

Whatever happened (a new revision, a decision, new terms, a rate that was missing), the question is the same: which
version of the entry counts, what is it worth, and what of it stands in the ledgers already? The answer is posted as
the smallest set of reversals and postings. So a correction after approval reverses and rebills, a withdrawal reverses,
a duplicate does nothing, and the order in which the facts arrive makes no difference to the money (M9). A part that
cannot be posted yet is held with its reason; what stands wrongly is reversed first.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.entry_state import Adjusted, Approvals, EntryState, EntryVersion, Posted, Price
from . import intercompany, ledger
from .assessment import held_for
from .books import Books
from .cap import billed_of, close_open, count_billed, leave_open, left_open, over_cap, within_cap
from .contract import Contract
from .correction import adjust, price_of, to_adjust
from .dates import dates_of, posting_days, refused_by
from .differences import same_cost, same_money, same_price
from .funding import fund, misfunded
from .hours import count_time, time_of
from .judgement import judge
from .overage import over_balance, over_limit, within_balance
from .progress import count, has_progress, is_counted, take_off
from .reversal import (
    reversal_dates,
    reverse_charges,
    reverse_cost,
    reverse_work_in_progress,
    reversed_on,
    standing_parts,
)
from .review import forget_reviewed
from .rollover import roll_over, rolls_to
from .room import Share
from .valuation import Lookups, Missing, Value, value_of

KEEPS_EARLIER: Final = frozenset(("draft", "submitted", "approved"))
"""Statuses of a revision below which an earlier one may count."""
EARLIER_MAX: Final = 32
"""Revisions of one entry that may wait for a decision at the same time; older ones are given up."""


def settle(entry: EntryState, approvals: Approvals | None, books: Books) -> Missing | None:
    """Post what is missing and reverse what is wrong; returns what the entry waits for, if anything.

    Changes the entry's postings and the engagement's figures in place, together with the effects it appends.
    """
    contract = books.contract
    if contract.rolls_over:
        roll_over(entry, books)
    if entry.earlier:
        forget_reviewed(entry, contract)
    version, approved, due, waits_for, let_pass = judge(entry, approvals, contract, books.lookups)
    if let_pass is not None:
        entry.let_pass = let_pass
    wanted = version if due or contract.accrues_at_submission else None
    count_time(entry, books, *time_of(contract, version, approved=approved))
    stands = entry.cost is not None and entry.cost.live
    dates = None if contract.dating is None else dates_of(entry, wanted, approvals, contract, approved=due)
    value = None if wanted is None else value_of(wanted, contract, books.lookups, dates, posted=stands)
    worth = value if isinstance(value, Value) else None
    charged = to_adjust(entry, wanted, worth, books) if due and (contract.adjusts or entry.invoiced) else None
    if entry.cost is not None and stands:
        missing = _withdraw(entry, books, entry.cost, wanted, worth, approved=due, adjusts=charged is not None)
        if missing is not None:
            return missing
    if wanted is None or worth is None:
        return value if isinstance(value, Missing) else waits_for
    if stands and charged is None and _stands(entry, contract, worth, approved=due):
        return waits_for
    if dates is not None:
        entry.fx_on = dates.fx_on
    return _post(entry, books, wanted, worth, charged, approved=due) or waits_for


def differs(entry: EntryState, approvals: Approvals | None, contract: Contract, lookups: Lookups) -> bool:
    """Whether settle() would change anything, now that terms or reference data have changed; changes nothing."""
    version, approved, due, waits_for, let_pass = judge(entry, approvals, contract, lookups)
    wanted = version if due or contract.accrues_at_submission else None
    if let_pass is not None or (contract.rolls_over and rolls_to(entry, contract) is not None):
        return True
    hours = time_of(contract, version, approved=approved)
    if (entry.counted_as, entry.counted_time) != hours or not (left_open(entry) or held_for(entry, waits_for)):
        return True
    cost, terms = entry.cost, contract.terms
    if cost is None or not cost.live:
        return wanted is not None
    if wanted is None or not same_money(entry.posted or entry.latest, wanted):
        return True
    dates = None if contract.dating is None else dates_of(entry, wanted, approvals, contract, approved=due)
    value = value_of(wanted, contract, lookups, dates, posted=True)
    return (
        not isinstance(value, Value)
        or not same_cost(entry, cost, value, terms)
        or not same_price(entry, value, terms)
        or not intercompany.same_charge(entry, value.transfer if due else None, terms)
        or (not is_counted(entry) if due and contract.earns_by_cost else has_progress(entry))
        or not ((due and left_open(entry)) or _stands(entry, contract, value, approved=due))
    )


def _stands(entry: EntryState, contract: Contract, value: Value, *, approved: bool) -> bool:
    """Whether everything that should be posted is; `_withdraw` has left nothing else."""
    if entry.cost is None or not entry.cost.live or left_open(entry):
        return False
    if approved and contract.earns_by_cost and not is_counted(entry):
        return False
    transfer = value.transfer if approved else None
    if (transfer or entry.intercompany) and not intercompany.same_charge(entry, transfer, contract.terms):
        return False
    if value.price is None:
        return True
    if approved:
        return bool(entry.charges) and entry.charges[-1].live
    return entry.work_in_progress is not None and entry.work_in_progress.live


def _withdraw(
    entry: EntryState,
    books: Books,
    cost: Posted,
    wanted: EntryVersion | None,
    value: Value | None,
    *,
    approved: bool,
    adjusts: bool,
) -> Missing | None:
    """Reverse every posting that is not what the wanted version is worth now; `cost` is the live one.

    So a correction, a withdrawal and a change of terms or rates are one thing: what differs is reversed, what does
    not is left alone; where the difference is billed, so is the charge.
    """
    stands = entry.posted or entry.latest
    terms = books.contract.terms
    same = wanted is not None and value is not None and same_money(stands, wanted)
    keep_cost = same and value is not None and same_cost(entry, cost, value, terms)
    keep_price = same and value is not None and same_price(entry, value, terms)
    billed = bool(entry.charges) or entry.approved_value != 0
    unbill = billed and not adjusts and (not (keep_price and approved) or _has_no_room(entry, books))
    accrued = entry.work_in_progress
    unaccrue = accrued is not None and accrued.live and not (keep_price and not approved)
    unearn = has_progress(entry) and not (keep_cost and approved and books.contract.earns_by_cost)
    transfer = value.transfer if same and value is not None and approved else None
    charged = None if entry.intercompany is None else intercompany.wrong_charge(entry, transfer, terms)
    wrong = list(standing_parts(entry.charges)) if unbill else []
    # What the charge of another day bills is closed on that day: until then it was not billed.
    billed_on = None if value is None or value.dates is None else value.dates.charged_on
    if accrued is not None and unaccrue and not isinstance(billed_on, dt.date):
        wrong.append(accrued)
    refused = refused_by(value, books.contract, stands) if keep_price and unaccrue and value is not None else None
    wrong += () if charged is None else (charged.sale, charged.purchase)
    if not keep_cost:
        wrong.append(cost)
    earned_on = entry.progress_on or cost.accounting_date
    if unearn:
        # Revenue stands in the engagement's books, also of work whose cost stands in others.
        wrong.append(structs.replace(cost, legal_entity_id=terms.legal_entity_id, accounting_date=earned_on))
    dates = refused or reversal_dates(wrong, books.contract)
    if isinstance(dates, Missing):
        return dates
    if unbill:
        reverse_charges(entry, books, stands, dates)
    if accrued is not None and unaccrue:
        closed_on = billed_on if isinstance(billed_on, dt.date) else reversed_on(accrued, dates)
        reverse_work_in_progress(entry, books, stands, accrued, closed_on)
    if unearn:
        take_off(entry, books, stands, dates[terms.legal_entity_id, earned_on])
    if charged is not None:
        intercompany.reverse(entry, charged, books, stands, dates)
    if not keep_cost:
        reverse_cost(entry, books, stands, cost, reversed_on(cost, dates))
    return None


def _has_no_room(entry: EntryState, books: Books) -> bool:
    """Whether a bill is beyond its share or the balance, or paid by customers in another order than is agreed."""
    engagement, contract = books.engagement, books.contract
    if over_cap(entry, engagement, contract) if books.share is None else billed_of(entry) > books.share.billed:
        return True
    return over_balance(entry, engagement, contract) or misfunded(entry.charges, engagement, contract.funding)


def _post(
    entry: EntryState, books: Books, wanted: EntryVersion, value: Value, charged: Adjusted | None, *, approved: bool
) -> Missing | None:
    """Post what the wanted version lacks: cost always, accrual while pending, charge or progress once approved."""
    engagement, transfer, cost = books.engagement, value.transfer, entry.cost
    date = value.accounting_date
    if isinstance(date, str) or value.dates is not None or transfer is not None:
        days = posting_days(value, wanted, books.contract, costed=cost is not None and cost.live)
        if isinstance(days, Missing):
            return days
        date, charged_on = days
    else:
        charged_on = date
    entry.posted = None if wanted is entry.latest else wanted
    if cost is None or not cost.live:
        cost = ledger.posted("cost", cost, wanted, value.cost, value.cost_currency, date, books.contract)
        entry.cost = cost = intercompany.in_sellers_books(cost, transfer, wanted, books.contract)
        entry.cost_value = value.cost_value
        engagement.cost += value.cost_value
        ledger.accrue("cost", wanted, cost, books)
    if approved and transfer is not None:
        intercompany.charge(entry, books, wanted, transfer, date)
    if approved and books.contract.earns_by_cost:
        count(entry, books, wanted, charged_on)
    price = value.price
    if price is None:
        return None
    if charged is not None:
        adjust(entry, books, charged, wanted, price, value.trace, charged_on)
        return None
    if approved:
        billed = bool(entry.charges) and entry.charges[-1].live and not left_open(entry)
        return None if billed else _charge(entry, books, wanted, price, value.trace, charged_on)
    accrued = entry.work_in_progress
    if accrued is None or not accrued.live:
        accrued = ledger.posted("work_in_progress", accrued, wanted, price.amount, price.currency, date, books.contract)
        entry.work_in_progress, entry.price = accrued, price
        engagement.unbilled += price.amount
        ledger.accrue("work_in_progress", wanted, accrued, books)
    return None


def _charge(
    entry: EntryState,
    books: Books,
    wanted: EntryVersion,
    price: Price,
    trace: tuple[TraceStep, ...],
    date: dt.date,
) -> Missing | None:
    """Bill the entry as far as the cap lets it; the rest is held until room appears, or not chargeable."""
    engagement = books.engagement
    open_amount = left_open(entry)
    if open_amount:
        price, trace = price_of(entry), ledger.kept_trace(price_of(entry), wanted)
        close_open(entry, engagement)
    else:
        open_amount = price.amount
        entry.price = price
        entry.approved_value = open_amount
        engagement.approved_value += open_amount
    if books.contract.holds_overage:
        amount = within_balance(open_amount, entry, engagement, books.contract)
    else:
        asked = open_amount if books.share is None else _lacks(open_amount, entry, books.share)
        amount = within_cap(asked, wanted, engagement, books.contract)
    over = open_amount - amount
    if over:
        leave_open(entry, over, open_amount, wanted, books)
    if amount or not over:
        last = entry.charges[-1] if entry.charges else None
        part = ledger.posted("charge", last, wanted, amount, price.currency, date, books.contract)
        if books.contract.funding is not None:
            part = fund(part, engagement, books.contract.funding)
        entry.charges = (*standing_parts(entry.charges), part)
        engagement.billed += amount
        engagement.earned += amount
        count_billed(amount, wanted, engagement, books.contract)
        if wanted.kind == "expense":
            engagement.billed_expenses += amount
        ledger.charge(wanted, price, trace, part, books)
    return over_limit(entry, books) if over else None


def _lacks(open_amount: int, entry: EntryState, share: Share) -> int:
    """What of an amount yet to be billed its share still lacks; a credit is billed whole."""
    return open_amount if open_amount <= 0 else max(0, min(open_amount, share.billed - billed_of(entry)))


def supersede(entry: EntryState, version: EntryVersion) -> None:
    """Make a higher revision the latest one, in place.

    Earlier versions are kept while the new one may leave one of them standing: while it is only drafted or submitted,
    and where it is approved, as terms may ask for a review of it. Every other status ends the search for the version
    that counts (see approval).
    """
    if entry.posted is None and entry.cost is not None and entry.cost.live:
        entry.posted = entry.latest
    entry.earlier = (*entry.earlier, entry.latest)[-EARLIER_MAX:] if version.status in KEEPS_EARLIER else ()
    entry.latest = version
