"""Milestones of a fixed fee: each is billed once when the terms say it is reached, and taken back if they no longer do.

Reaching is a revision of the terms (`reached_on`), so a replay bills the same. Billing moves the amount from the
contract asset to the receivable; revenue is a matter of progress. A reversal copies amount and rounding of the bill.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import PERCENT_PLACES, format_plain
from ...codecs.engagement import Engagement
from ...codecs.entry_state import Posted
from ...codecs.journal import Account
from ...codecs.records import BilledMilestone, EngagementState
from .accounts import numbered
from .calendar import Waiting
from .contract import Contract
from .effects import Effects
from .fixed_fee import FixedFee, Milestone
from .funding import fund, lines_of, misfunded, reversals, unfund
from .ledger import journal, next_ordinal
from .unit_lines import Origin, unit_line

BILLED: Final[tuple[Account, Account]] = ("unbilled_receivable", "contract_asset")
"""Debit and credit account of a milestone's bill."""


def earned_by_milestones(fee: FixedFee, engagement: EngagementState) -> dict[str, int]:
    """What each milestone that stands has earned, in minor units: its share of the fee, else what it bills."""
    shares = {known.id: known.allocated for known in fee.milestones}
    earned = {}
    for name, billed in engagement.milestones.items():
        if billed.posted.live:
            share = shares.get(name)
            earned[name] = billed.posted.amount if share is None else share
    return earned


def settle_milestones(engagement: EngagementState, contract: Contract, effects: Effects) -> list[Waiting]:
    """Reverse bills that no longer stand, bill what is reached; returns what cannot be posted yet, and why.

    A changed amount or day of reaching is reversed and billed again; a bill whose reversal waits is not.
    """
    fee = contract.fixed_fee
    reached = {} if fee is None else {known.id: known for known in fee.milestones if known.reached_on is not None}
    waiting: list[Waiting] = []
    for name, billed in tuple(engagement.milestones.items()):
        wrong = not _stands(billed, reached.get(name)) or misfunded((billed.posted,), engagement, contract.funding)
        if billed.posted.live and wrong:
            date = contract.calendar.accounting_date(billed.posted.accounting_date)
            if isinstance(date, str):
                waiting.append((date, billed.posted.accounting_date))
            else:
                _reverse(engagement, contract.terms, name, date, effects)
    for milestone in reached.values():
        known = engagement.milestones.get(milestone.id)
        if milestone.reached_on is None or (known is not None and known.posted.live):
            continue
        date = contract.calendar.accounting_date(milestone.reached_on)
        if isinstance(date, str):
            waiting.append((date, milestone.reached_on))
        else:
            _bill(engagement, contract, milestone, milestone.reached_on, date, effects)
    return waiting


def _stands(billed: BilledMilestone, milestone: Milestone | None) -> bool:
    return (
        milestone is not None and billed.posted.amount == milestone.amount and billed.reached_on == milestone.reached_on
    )


def _bill(
    engagement: EngagementState,
    contract: Contract,
    milestone: Milestone,
    reached_on: dt.date,
    date: dt.date,
    effects: Effects,
) -> None:
    terms, known = contract.terms, engagement.milestones.get(milestone.id)
    ordinal = next_ordinal(None if known is None else known.posted, terms.revision)
    posted = Posted(
        terms.revision, ordinal, milestone.amount, terms.currency, date, terms.legal_entity_id, terms.customer_id
    )
    posted = numbered(posted, BILLED, "", contract.accounts)
    if contract.funding is not None:
        posted = fund(posted, engagement, contract.funding)
    billed = BilledMilestone(terms.source, posted, reached_on, contract.rounding)
    engagement.milestones[milestone.id] = billed
    engagement.fees += posted.amount
    line = _line(terms, milestone.id, billed)
    line = structs.replace(line, trace=_trace(contract, milestone))
    effects.billing.extend(lines_of(line, posted, contract.funding))
    effects.accruals.append(_accrual("accrual", terms, milestone.id, billed, date))


def _reverse(engagement: EngagementState, terms: Engagement, name: str, date: dt.date, effects: Effects) -> None:
    billed = engagement.milestones[name]
    engagement.milestones[name] = structs.replace(billed, posted=structs.replace(billed.posted, live=False))
    engagement.fees -= billed.posted.amount
    unfund(billed.posted, engagement)
    effects.billing.extend(reversals(_line(terms, name, billed), billed.posted, date))
    effects.accruals.append(_accrual("reversal", terms, name, billed, date))


def _trace(contract: Contract, milestone: Milestone) -> tuple[TraceStep, ...]:
    terms, agreed = contract.terms, f"terms of {contract.terms.id} revision {contract.terms.revision}"
    fee = format_amount(contract.fee_amount or 0, terms.currency)
    steps = [TraceStep("fee", fee, agreed)]
    if milestone.percent is not None:
        source = f"{agreed}, milestone {milestone.id}; half up as percentages add up"
        steps.append(TraceStep("percent", format_plain(milestone.percent, PERCENT_PLACES), source))
    named = f" ({milestone.name})" if milestone.name else ""
    source = f"{agreed}, milestone {milestone.id}{named} reached on {milestone.reached_on}"
    steps.append(TraceStep("milestone", format_amount(milestone.amount, terms.currency), source))
    return tuple(steps)


def _line(terms: Engagement, milestone: str, billed: BilledMilestone) -> BillingEvent:
    """The charge of a bill, from what is kept of it."""
    posted = billed.posted
    name = f"{billed.source}:milestone:{terms.id}:{milestone}:{posted.revision}:billing:{posted.ordinal}"
    origin = Origin(billed.source, terms.id, "fixed_fee", billed.rounding)
    return structs.replace(unit_line(name, posted, origin, "milestone", billed.reached_on), item=milestone)


def _accrual(
    action: Literal["accrual", "reversal"], terms: Engagement, name: str, billed: BilledMilestone, date: dt.date
) -> AccrualEvent:
    """Move a bill from the contract asset to the receivable, or back."""
    posted, reverses = billed.posted, action == "reversal"
    cause = f"{billed.source}:milestone:{terms.id}:{name}:{posted.revision}:receivable:{posted.ordinal}"
    amount = -posted.amount if reverses else posted.amount
    return AccrualEvent(
        id=f"{cause}:reversal" if reverses else cause,
        kind="milestone",
        action=action,
        source=billed.source,
        entry_id=terms.id,
        revision=posted.revision,
        engagement_id=terms.id,
        legal_entity_id=posted.legal_entity_id,
        work_date=billed.reached_on,
        accounting_date=date,
        currency=posted.currency,
        lines=journal(*BILLED, amount, posted.currency, posted.numbers),
        reverses=cause if reverses else "",
    )
