"""Who has the room under the caps of an engagement: shared out anew when something of it may have become another's.

Nothing is done while all that is approved is billed whole. Otherwise the shares are worked out as numbers (claims.py,
rules/room.py), and only entries that are billed something else are settled again: first those that give room up, the
latest first, so that no cap is exceeded on the way (M6), then those that gain it, in their order (M8).

This is done after each input record and each entry woken, never later: what a record brings about must not depend on
where a slab ends, or a replay, which knows no slabs, would come to other events.

An entry that cannot be billed again now, as its period is closed, keeps what it has; those it owes room go on waiting.
When it can, it is settled by what it waits for, and the room is shared out again.
"""

from __future__ import annotations

from ..codecs.entry_state import EntryState
from ..tables.keys import key_of
from .claims import Claims
from .entries import settle_entry, settle_held
from .holds import QUIET
from .rules.cap import has_open
from .rules.contract import Contract
from .rules.room import Share
from .work import Outcome, Work


def share_rooms(work: Work) -> None:
    """Share the room out in each engagement in which something may have what is another's."""
    while work.unshared:
        engagement_id = next(iter(work.unshared))
        share_room(work, engagement_id)
        work.unshared.pop(engagement_id, None)


def outcome_of(work: Work, outcome: Outcome) -> Outcome:
    """What has become of the record in hand, now that the entry it is about may have found room, or lost it."""
    about = work.trail.about
    if about is None or about.kind not in {"time", "expense"}:
        return outcome
    entry = work.state.entries.get(key_of("e", about.kind, about.source, about.engagement_id, about.id))
    return outcome if entry is None else "applied" if entry.hold is None or entry.hold in QUIET else "held"


def share_room(work: Work, engagement_id: str) -> None:
    """Let each entry of an engagement have what is its of the room under the caps; without caps all of them have all.

    What one round leaves as it was cannot be changed now. No share depends on what is billed, so that each is reached
    at once, or stays.
    """
    engagement = work.known_engagement(engagement_id)
    contract = None if engagement is None else work.contexts.contract(engagement, work.reference)
    if engagement is None or contract is None:
        return
    if not contract.limits:
        work.contexts.claims.pop(engagement_id, None)
        for hold_key in work.state.holds.waiting_on(f"cap:{engagement_id}"):
            settle_held(work, hold_key)
        return
    tried: list[tuple[bytes, Share]] = []
    while (wrong := _claims(work, engagement_id, contract).wrong()) and wrong != tried:
        tried = wrong
        for key, share in wrong:
            settle_entry(work, key, _entry(work, key), share=share)
    if not has_open(engagement):
        del work.contexts.claims[engagement_id]


def _claims(work: Work, engagement_id: str, contract: Contract) -> Claims:
    """All claims on an engagement, with what has changed since they were last asked for."""
    known = work.contexts.claims
    claims, changed = known.get(engagement_id), list(work.unshared.pop(engagement_id, ()))
    if claims is None or claims.limits != contract.limits:
        claims = known[engagement_id] = Claims(contract.limits)
        changed = work.state.entries.of_engagement(engagement_id)
    for key in changed:
        claims.put(key, _entry(work, key))
    return claims


def _entry(work: Work, key: bytes) -> EntryState:
    entry = work.state.entries.get(key)
    if entry is None:
        raise AssertionError(f"entry {key!r} claims room and is not there")
    return entry
