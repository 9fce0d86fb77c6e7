"""What an engagement's terms bring about by themselves: fees that fall due, revenue by a new estimate."""

from __future__ import annotations

from ..codecs.entry_state import Hold
from ..codecs.exception import ExceptionEvent, HoldReason
from ..codecs.records import EngagementState
from .rules.books import Books
from .rules.contract import Contract
from .rules.fees import bill_due_fees
from .rules.progress import earned_to_date, recognise
from .rules.valuation import Missing, missing_period
from .work import Work


def settle_terms(work: Work, state: EngagementState, contract: Contract) -> bool:
    """Post what the terms themselves bring about: fees that are due, revenue by a new estimate.

    Returns whether something that is due has to wait. A fee of a period that has not begun is only waited for.
    """
    reason = _catch_up(work, state, contract)
    waiting = bill_due_fees(state, contract, work.effects)
    if waiting is not None:
        reason, term = waiting
        missing = missing_period(reason, contract, term.due)
    elif reason is not None and state.progress_date is not None:
        missing = missing_period(reason, contract, state.progress_date)
    else:
        missing = None
    return _hold_terms(work, state, missing)


def _catch_up(work: Work, state: EngagementState, contract: Contract) -> HoldReason | None:
    """Post what a changed estimate or fee adds to the revenue earned to date; the reason if that has to wait."""
    if state.progress_date is None or earned_to_date(contract, state.approved_cost) == state.recognised:
        return None
    date = contract.calendar.accounting_date(state.progress_date)
    if isinstance(date, str):
        return date
    terms = contract.terms
    cause = f"{terms.source}:engagement:{terms.id}:{terms.revision}:progress:{state.progress_ordinal}"
    books = Books(state, contract, work.lookups, work.effects)
    state.progress_ordinal += recognise(cause, terms.id, terms.revision, date, books)
    return None


def _hold_terms(work: Work, state: EngagementState, missing: Missing | None) -> bool:
    holds = work.state.holds
    key = holds.key(f"terms\x1f{state.id}")
    known = holds.get(key)
    late = missing is not None and missing.reason == "period_closed"
    if known is not None and known.reason == "period_closed" and not late:
        _tell(work, state, "released", Missing(known.reason, known.waits_on, "the accounting period is open"))
    if missing is None:
        if known is not None:
            holds.delete(key)
        return False
    if late and (known is None or known.reason != "period_closed"):
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
