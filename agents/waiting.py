"""What waits, by the word that wakes it; and how each kind of thing that can wait is settled again."""

from __future__ import annotations

from ..tables.keys import SEPARATOR
from .entries import settle_balance, settle_held
from .planning import settle_assignment
from .receivables import settle_document
from .terms import settle_terms
from .trail import NOTHING, About, Subject
from .utilisation import tell_week
from .work import Work


def settle_waiting(work: Work, what: str) -> int:
    """Settle everything that waits on `what`, in its order; returns how many there were."""
    waiting = work.state.holds.waiting_on(what)
    for hold_key in waiting:
        settle_again(work, hold_key)
    return len(waiting)


def settle_again(work: Work, hold_key: bytes) -> None:
    """Settle what stands behind a hold: an entry, assignment, document, engagement's terms or person's week."""
    kind = hold_key[1:].split(SEPARATOR.encode(), 1)[0]
    state = work.state
    if kind in {b"time", b"expense"}:
        settle_held(work, hold_key)
    elif kind == b"assignment":
        key = b"s" + hold_key[1:]
        assignment = state.assignments.get(key)
        if assignment is not None:
            settle_assignment(work, key, assignment)
    elif kind in {b"invoice", b"payment"}:
        settle_document(work, hold_key)
    elif kind == b"terms":
        engagement = work.engagement(hold_key[1:].decode().split(SEPARATOR)[1])
        contract = work.contexts.contract(engagement, work.reference)
        if contract is not None:
            settle_terms(work, engagement, contract)
            settle_balance(work, engagement, contract)
    else:
        key = b"w" + hold_key[1:]
        week = state.weeks.get(key)
        if week is not None:
            tell_week(work, key, week)


def subject_of(work: Work, hold_key: bytes) -> Subject:
    """What stands behind a hold, for the audit; nothing for a person's week, which brings about no money."""
    kind, *_, last = hold_key[1:].decode().split(SEPARATOR)
    state = work.state
    if kind in {"time", "expense"}:
        entry = state.entries.get(b"e" + hold_key[1:])
        return NOTHING if entry is None else entry.latest
    if kind == "assignment":
        assignment = state.assignments.get(b"s" + hold_key[1:])
        if assignment is None:
            return NOTHING
        planned = assignment.latest
        return About(kind, planned.source, planned.id, planned.revision, planned.engagement_id)
    if kind in {"invoice", "payment"}:
        document = state.invoices.get(b"i" + hold_key[1:]) or state.payments.get(b"y" + hold_key[1:])
        return NOTHING if document is None else document.latest
    terms = work.engagement(last).terms if kind == "terms" else None
    return NOTHING if terms is None else About("engagement", terms.source, terms.id, terms.revision, terms.id)
