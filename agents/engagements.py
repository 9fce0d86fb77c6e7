"""Engagements in: contract terms change, and what waited for them moves on."""

from __future__ import annotations

from collections.abc import AsyncIterable

from ..codecs import cloudevents, engagement
from ..codecs.errors import UndecodableError
from ..codecs.records import EngagementState
from ..tables.keys import SEPARATOR
from .entries import settle_balance
from .keys import check_key
from .receivables import settle_documents_of
from .rerating import replan_engagement, rerate_engagement
from .rooms import share_room
from .shell import run
from .terms import settle_terms
from .trail import About
from .waiting import settle_waiting
from .work import Outcome, Record, Slab, Work


async def engagements(slabs: AsyncIterable[Slab]) -> None:
    """Apply every revision of the terms of the agent's engagements."""
    await run(slabs, apply)


def apply(work: Work, record: Record) -> Outcome:
    """Apply one revision of an engagement's terms."""
    cloudevents.check_type(record.headers, engagement.TYPE)
    terms = engagement.decode(record.value)
    check_key(record, terms.id)
    if ":" in terms.source or SEPARATOR in terms.id:
        raise UndecodableError(
            "invalid_field",
            "$.source",
            "a colon in the source or a control character in the id",
            "send plain identifiers",
        )
    work.contexts.compiled(terms, work.reference)
    known = work.known_engagement(terms.id)
    if known is not None and known.terms is not None:
        if terms.revision <= known.terms.revision:
            return "duplicate" if terms.revision == known.terms.revision else "stale"
        _check_currency(known, terms)
    state = work.engagement(terms.id)
    before, state.terms = state.terms, terms
    work.trail.about = About("engagement", terms.source, terms.id, terms.revision, terms.id)
    contract = work.contexts.contract(state, work.reference)
    if contract is None:
        raise AssertionError("terms that were just set are unknown")
    rerate_engagement(work, before, terms)
    replan_engagement(work, before, terms)
    settle_waiting(work, f"engagement:{terms.id}")
    if before is not None and state.documents and _moves_documents(before, terms):
        settle_documents_of(work, terms.id)
    share_room(work, terms.id)
    held = settle_terms(work, state, contract)
    settle_balance(work, state, contract)
    return "held" if held else "applied"


def _moves_documents(before: engagement.Engagement, terms: engagement.Engagement) -> bool:
    """Whether what the ERP's documents make in the books is another thing under the new terms."""
    return before.legal_entity_id != terms.legal_entity_id or before.policies.credit != terms.policies.credit


def _check_currency(known: EngagementState, terms: engagement.Engagement) -> None:
    before = known.terms.currency if known.terms is not None else terms.currency
    if before != terms.currency and (known.entries or known.fees or known.planned_time or known.documents):
        raise UndecodableError(
            "invalid_field",
            "$.currency",
            f"it was {before} and entries are posted in it",
            "keep the currency, or sell the rest as a new engagement",
        )
