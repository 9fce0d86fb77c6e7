"""Revenue of a fixed fee by its progress: earned to date = fee x progress, posted as the difference.

Always taken as a whole and posted as the difference to what is posted already, so that rounding never adds up and
a new estimate, fee or method, or a correction, catches up at once. Progress is done / whole, at most all of it:

    cost_to_cost    approved cost / estimated cost at completion, without waste and uninstalled cost
    hours_to_hours  approved hours / estimated hours
    straight_line   days through the latest accounting date of an approved entry / all days: no clock
    milestone       what reached milestones have billed is earned, or their share of the fee by standalone prices

Uninstalled cost earns its own cost and no margin: earned = (fee - u) x progress + uninstalled cost to date, where u
is the expected uninstalled cost, or the cost to date if that is more. Waste earns nothing.
(IFRS 15 B14-B19, Examples 8 and 19; ASC 606-10-55-20, 21 and 187.)
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from ...codecs.billing import TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import format_scaled
from ...codecs.durations import format_hours
from ...codecs.entry_state import EntryState, EntryVersion
from ...codecs.journal import Account
from ...codecs.records import EngagementState
from ...codecs.revenue import RevenueEvent
from .accounts import numbers_of
from .books import Books
from .contract import Contract
from .fixed_fee import FixedFee
from .ledger import journal
from .losses import provide_loss
from .milestones import earned_by_milestones
from .money import divide

RECOGNISED: Final[tuple[Account, Account]] = ("contract_asset", "revenue")
"""Debit and credit account of revenue by progress."""


class Progress(NamedTuple):
    """How far a fixed fee has come: `done` of `whole`, in the unit of its method.

    fee: what of the fee earns by progress; at_cost: uninstalled cost, which earns itself. Minor units.
    """

    done: int
    whole: int
    fee: int
    at_cost: int


def progress_of(fee: FixedFee, engagement: EngagementState) -> Progress:
    """Progress by one of the measures; milestones have none, they are earned as billed."""
    if fee.method == "hours_to_hours":
        return Progress(engagement.progress_time, fee.whole, fee.amount, 0)
    if fee.method == "straight_line":
        through = max(engagement.progress_dates, default=None)
        days = 0 if through is None else (through - fee.first_day).days + 1
        return Progress(days, fee.whole, fee.amount, 0)
    uninstalled = engagement.uninstalled_cost
    apart = max(fee.uninstalled_cost, uninstalled)
    done = engagement.approved_cost - engagement.waste_cost - uninstalled
    return Progress(done, fee.whole - apart, fee.amount - apart, uninstalled)


def earned_to_date(contract: Contract, engagement: EngagementState) -> int:
    """Revenue earned so far, in minor units: never below zero, never above the fee."""
    fee = contract.fixed_fee
    if fee is None:
        return 0
    if fee.method == "milestone":
        return sum(earned_by_milestones(fee, engagement).values())
    progress = progress_of(fee, engagement)
    if progress.done <= 0:
        earned = 0
    elif progress.done >= progress.whole:
        earned = progress.fee
    elif fee.percent_places is None:
        earned = divide(progress.fee * progress.done, progress.whole, "half_up")
    else:
        whole = 100 * 10**fee.percent_places
        earned = divide(progress.fee * _percent(progress, fee.percent_places), whole, "half_up")
    return max(0, min(earned + progress.at_cost, fee.amount))


def _percent(progress: Progress, places: int) -> int:
    """Progress in 10^-places percent, rounded half up before the fee is multiplied; done is within whole."""
    return divide(progress.done * 100 * 10**places, progress.whole, "half_up")


def is_counted(entry: EntryState) -> bool:
    """Whether an approved entry's cost and hours are in the engagement's progress as they stand."""
    time = 0 if (entry.posted or entry.latest).progress_excluded else entry.counted_time
    return entry.progress_on is not None and entry.progress == entry.cost_value and entry.progress_time == time


def has_progress(entry: EntryState) -> bool:
    """Whether anything of the entry is in the engagement's progress."""
    return entry.progress_on is not None or entry.progress != 0


def count(entry: EntryState, books: Books, version: EntryVersion, date: dt.date) -> None:
    """Count an approved entry's cost and hours, and post the revenue that follows on `date`."""
    if entry.cost is None:
        raise AssertionError(f"entry {version.source}:{version.id} is counted before its cost is posted")
    time = 0 if version.progress_excluded else entry.counted_time
    # The cost may stand in books of another legal entity, under other dates.
    charged = entry.intercompany
    booked = charged.purchase if charged is not None and charged.purchase.live else entry.cost
    _tally(entry, books.engagement, version, entry.cost_value, time, booked.accounting_date)
    _follow(entry, books, version, date)


def take_off(entry: EntryState, books: Books, version: EntryVersion, date: dt.date) -> None:
    """Take back what an entry counted, as the version it was counted under, and the revenue that follows."""
    _tally(entry, books.engagement, version, 0, 0, None)
    _follow(entry, books, version, date)


def _tally(
    entry: EntryState, engagement: EngagementState, version: EntryVersion, cost: int, time: int, on: dt.date | None
) -> None:
    """Move the engagement's sums by what the entry adds now, less what it added before."""
    change = cost - entry.progress
    engagement.approved_cost += change
    if version.progress_excluded == "waste":
        engagement.waste_cost += change
    elif version.progress_excluded == "uninstalled":
        engagement.uninstalled_cost += change
    engagement.progress_time += time - entry.progress_time
    dates = engagement.progress_dates
    if entry.progress_on is not None:
        dates[entry.progress_on] -= 1
        if not dates[entry.progress_on]:
            del dates[entry.progress_on]
    if on is not None:
        dates[on] = dates.get(on, 0) + 1
    entry.progress, entry.progress_time, entry.progress_on = cost, time, on


def _follow(entry: EntryState, books: Books, version: EntryVersion, date: dt.date) -> None:
    engagement = books.engagement
    if engagement.progress_date is None or date > engagement.progress_date:
        engagement.progress_date = date
    cause = f"{version.source}:{version.kind}:{version.id}:{version.revision}:progress:{entry.progress_ordinal}"
    entry.progress_ordinal += recognise(cause, version.id, version.revision, date, books)
    provide_loss(date, books)


def recognise(cause: str, entry_id: str, revision: int, date: dt.date, books: Books) -> bool:
    """Post what is missing to the revenue earned to date, with the figures; nothing is posted for nothing.

    Terms that are no fixed fee any more earn nothing by progress: what was recognised is taken back.

    cause: `{source}:{kind}:{id}:{revision}:progress:{ordinal}`, the event's id. Returns whether it was used.
    """
    engagement, contract, fee = books.engagement, books.contract, books.contract.fixed_fee
    earned = earned_to_date(contract, engagement)
    missing = earned - engagement.recognised
    if not missing:
        return False
    terms, currency = contract.terms, contract.terms.currency
    measured = progress_of(fee, engagement) if fee is not None and fee.method == "cost_to_cost" else None
    engagement.recognised += missing
    engagement.earned += missing
    books.effects.revenue.append(
        RevenueEvent(
            id=cause,
            method="cost_to_cost" if fee is None else fee.method,
            source=cause.partition(":")[0],
            entry_id=entry_id,
            revision=revision,
            engagement_id=terms.id,
            legal_entity_id=terms.legal_entity_id,
            accounting_date=date,
            amount=format_amount(missing, currency),
            currency=currency,
            lines=journal(*RECOGNISED, missing, currency, numbers_of(RECOGNISED, date, contract.accounts)),
            earned_to_date=format_amount(earned, currency),
            cost_to_date=None if measured is None else format_amount(measured.done, currency),
            estimated_cost=None if measured is None else format_amount(measured.whole, currency),
            trace=() if fee is None else _trace(fee, contract, engagement),
        )
    )
    return True


def _trace(fee: FixedFee, contract: Contract, engagement: EngagementState) -> tuple[TraceStep, ...]:
    """How earned to date came to be: the fee, the measure, and what is rounded or left out."""
    currency = contract.currency
    agreed = f"terms of {contract.terms.id} revision {contract.terms.revision}"
    steps = [TraceStep("fee", format_amount(fee.amount, currency), agreed)]
    if fee.method == "milestone":
        earned = earned_by_milestones(fee, engagement)
        named = ", ".join(f"{name} {format_amount(amount, currency)}" for name, amount in earned.items())
        allocated = any(known.allocated is not None for known in fee.milestones)
        how = "milestones billed, the fee allocated by standalone prices" if allocated else "milestones billed"
        steps.append(TraceStep("progress", named or "none", how))
        return tuple(steps)
    progress = progress_of(fee, engagement)
    steps.append(_measure(fee, progress, currency))
    if fee.percent_places is not None and 0 < progress.done < progress.whole:
        percent = format_scaled(_percent(progress, fee.percent_places), fee.percent_places)
        steps.append(TraceStep("percent", percent, f"{agreed}: {fee.percent_places} decimal places, half up"))
    if fee.method == "cost_to_cost" and progress.fee != fee.amount:
        apart = fee.amount - progress.fee
        source = f"of {format_amount(apart, currency)} expected, earned at cost outside progress"
        steps.append(TraceStep("uninstalled", format_amount(progress.at_cost, currency), source))
    if fee.method == "cost_to_cost" and engagement.waste_cost:
        waste = format_amount(engagement.waste_cost, currency)
        steps.append(TraceStep("waste", waste, "approved cost outside progress, earns nothing"))
    return tuple(steps)


def _measure(fee: FixedFee, progress: Progress, currency: str) -> TraceStep:
    if fee.method == "hours_to_hours":
        value = f"{format_hours(progress.done)}/{format_hours(progress.whole)}"
        return TraceStep("progress", value, "approved hours / estimated hours")
    if fee.method == "straight_line":
        return TraceStep("progress", f"{progress.done}/{progress.whole}", f"days from {fee.first_day} / all days")
    value = f"{format_amount(progress.done, currency)}/{format_amount(progress.whole, currency)}"
    return TraceStep("progress", value, "approved cost / estimated cost")
