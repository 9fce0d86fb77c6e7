"""What an engagement's terms bring about by themselves: fees and milestones, revenue and losses by a new estimate."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ..codecs.entry_state import Hold
from ..codecs.exception import ExceptionEvent, HoldReason
from ..codecs.records import EngagementState
from .rules.books import Books
from .rules.calendar import Waiting
from .rules.contract import Contract
from .rules.fee_terms import are_kept, bill_due_fees, settle_fee_terms
from .rules.fees import PERIOD_DAYS_MAX
from .rules.invoice_rounding import settle_rounding
from .rules.losses import loss_to_provide, provide_loss
from .rules.milestones import settle_milestones
from .rules.progress import earned_to_date, recognise
from .rules.valuation import Missing, missing_period
from .work import Work

TOLD: Final = frozenset({"period_closed", "period_too_long", "account_unmapped"})
"""Why terms wait that somebody has to mend, so that users hear of it."""


def settle_terms(work: Work, state: EngagementState, contract: Contract) -> bool:
    """Post what the terms themselves bring about: milestones, fees that are due, revenue and loss by new terms.

    Returns whether something that is due has to wait. A fee of a period that has not begun is only waited for.
    """
    waiting = settle_milestones(state, contract, work.effects)
    waiting += _catch_up(work, state, contract)
    waiting += _fees(work, state, contract)
    waiting += settle_rounding(state, contract, work.effects)
    # All wait for the calendar of one legal entity; a closed period is what users have to hear of.
    first = min(waiting, key=lambda wait: wait[0] not in TOLD, default=None)
    return _hold_terms(work, state, None if first is None else _missing(first[0], contract, first[1]))


def _fees(work: Work, state: EngagementState, contract: Contract) -> list[Waiting]:
    settle = settle_fee_terms if are_kept(state, contract) else bill_due_fees
    return settle(state, contract, work.effects)


def _missing(reason: HoldReason, contract: Contract, date: dt.date) -> Missing:
    """What terms wait for: all they can is an accounting period."""
    if reason != "period_too_long":
        return missing_period(reason, contract, date)
    entity = contract.terms.legal_entity_id
    message = f"the accounting period of {entity} that covers {date} began {PERIOD_DAYS_MAX} days before it or earlier"
    return Missing(reason, f"period:{entity}", f"{message}; send periods of a year or less, and fees go on")


def settle_waiting_terms(work: Work, state: EngagementState, contract: Contract) -> None:
    """Settle terms that wait again: an entry on an open date has posted what they waited with."""
    holds = work.state.holds
    if holds.get(holds.key(f"terms\x1f{state.id}")) is not None:
        settle_terms(work, state, contract)


def _catch_up(work: Work, state: EngagementState, contract: Contract) -> list[Waiting]:
    """Post what changed terms add to the revenue earned to date and to the loss, or say why that has to wait.

    It is posted on the latest accounting date of what counts, before there is any on the first day.
    """
    behind = earned_to_date(contract, state) != state.recognised
    if not behind and loss_to_provide(contract, state) == state.loss_provision:
        return []
    terms = contract.terms
    billed = (milestone.posted.accounting_date for milestone in state.milestones.values())
    latest = max(filter(None, (state.progress_date, *billed)), default=terms.start_date)
    date = contract.calendar.accounting_date(latest)
    if isinstance(date, str):
        return [(date, latest)]
    cause = f"{terms.source}:engagement:{terms.id}:{terms.revision}:progress:{state.progress_ordinal}"
    books = Books(state, contract, work.lookups, work.effects)
    state.progress_ordinal += recognise(cause, terms.id, terms.revision, date, books)
    provide_loss(date, books)
    return []


def _hold_terms(work: Work, state: EngagementState, missing: Missing | None) -> bool:
    holds = work.state.holds
    key = holds.key(f"terms\x1f{state.id}")
    known = holds.get(key)
    late = missing is not None and missing.reason in TOLD
    told = known.reason if known is not None and known.reason in TOLD else None
    if known is not None and told not in {None, None if missing is None else missing.reason}:
        _tell(
            work,
            state,
            "released",
            Missing(known.reason, known.waits_on, f"what waited for {known.waits_on} is posted"),
        )
    if missing is None:
        if known is not None:
            holds.delete(key)
        return False
    if late and missing.reason != told:
        _tell(work, state, "held", missing)
    if known is None or known.reason != missing.reason or known.waits_on != missing.waits_on:
        state.hold_sequence += 1
        holds.put(key, Hold(state.hold_sequence, missing.reason, state.id, missing.waits_on))
    return late


def _tell(work: Work, state: EngagementState, action: str, missing: Missing) -> None:
    terms = state.terms
    if terms is None:
        raise AssertionError("an engagement without terms has no fee")
    work.effects.exceptions.append(
        ExceptionEvent(
            id=f"{terms.source}:fee:{terms.id}:{terms.revision}:{action}:{state.hold_sequence}",
            action="held" if action == "held" else "released",
            reason=missing.reason,
            kind="fee",
            source=terms.source,
            entry_id=terms.id,
            revision=terms.revision,
            engagement_id=terms.id,
            waits_on=missing.waits_on,
            message=missing.message,
        )
    )
