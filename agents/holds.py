"""Holds: an entry or a document that waits is kept with its reason, told to the users, and let go once."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from msgspec import structs

from ..codecs.entry_state import Hold
from ..codecs.exception import ExceptionEvent, HoldReason
from ..codecs.records import EngagementState
from .rules.valuation import Missing
from .trail import Subject
from .work import Work

QUIET: Final = frozenset({"cap_stopped"})
"""Reasons that are kept to find the entry again without its cap: nobody has to do anything, so nobody is told."""


class HeldVersion(Subject, Protocol):
    """What is told of an entry or a document that waits."""

    @property
    def kind(self) -> Literal["time", "expense", "invoice", "payment"]:
        """What it is."""

    @property
    def cause(self) -> str:
        """How the ids of its events begin."""


class Holdable(Protocol):
    """An entry or a document: something with versions that can wait."""

    hold: HoldReason | None
    hold_ordinal: int

    @property
    def latest(self) -> HeldVersion:
        """Its latest version."""


def hold(work: Work, key: bytes, entry: Holdable, engagement: EngagementState, missing: Missing) -> None:
    """Keep an entry or a document waiting; told again only when what it waits for has changed."""
    holds = work.state.holds
    hold_key = b"h" + key[1:]
    known = holds.get(hold_key)
    if known is not None and known.waits_on == missing.waits_on and known.reason == missing.reason:
        return
    if known is None:
        engagement.hold_sequence += 1
    elif known.reason not in QUIET and missing.reason in QUIET:
        _tell_released(work, entry, known)
    _count(engagement, entry.hold, -1)
    _count(engagement, missing.reason, 1)
    sequence = engagement.hold_sequence if known is None else known.sequence
    holds.put(hold_key, Hold(sequence, missing.reason, engagement.id, missing.waits_on))
    entry.hold = missing.reason
    entry.hold_ordinal += 1
    if missing.reason not in QUIET:
        _tell(work, "held", entry, missing)


def put_first(work: Work, key: bytes) -> None:
    """Let an entry be released before all of its engagement that wait for the same."""
    holds, hold_key = work.state.holds, b"h" + key[1:]
    known = holds.get(hold_key)
    if known is None:
        raise AssertionError(f"entry {key!r} is put first and has no hold")
    first = holds.first_place(known.waits_on, known.engagement_id)
    if first < known.sequence:
        holds.put(hold_key, structs.replace(known, sequence=first - 1))


def release(work: Work, key: bytes, entry: Holdable, engagement: EngagementState) -> None:
    """Let an entry or a document go."""
    hold_key = b"h" + key[1:]
    known = work.state.holds.get(hold_key)
    if known is None:
        raise AssertionError(f"entry {key!r} says it is held and has no hold")
    work.state.holds.delete(hold_key)
    _count(engagement, known.reason, -1)
    entry.hold = None
    if known.reason not in QUIET:
        _tell_released(work, entry, known)


def _count(engagement: EngagementState, reason: str | None, change: int) -> None:
    if reason is not None and reason not in QUIET:
        held = engagement.held_entries
        held[reason] = held.get(reason, 0) + change
        if not held[reason]:
            del held[reason]  # the state tells what is held, not what was


def _tell_released(work: Work, entry: Holdable, known: Hold) -> None:
    message = f"what it waited for has arrived: {known.waits_on}"
    _tell(work, "released", entry, Missing(known.reason, known.waits_on, message))


def _tell(work: Work, action: str, entry: Holdable, missing: Missing) -> None:
    version = entry.latest
    work.effects.exceptions.append(
        ExceptionEvent(
            id=f"{version.cause}:{action}:{entry.hold_ordinal}",
            action="held" if action == "held" else "released",
            reason=missing.reason,
            kind=version.kind,
            source=version.source,
            entry_id=version.id,
            revision=version.revision,
            engagement_id=version.engagement_id,
            waits_on=missing.waits_on,
            message=missing.message,
        )
    )
