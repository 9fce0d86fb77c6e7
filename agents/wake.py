"""Reference data changed: what waits for it, and what is priced by it, is settled again, exactly once.

A hold leaves the state in the same transaction that posts what it held back, so running this again after a
crash finds only what still waits.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..tables.state import TaskState
from .entries import rerate
from .rerating import CONCERNS, concerned, plans, replan
from .rooms import share_rooms
from .steps import in_order
from .utilisation import retell_week, weeks_of
from .waiting import settle_again, subject_of
from .work import Work

REFERENCE_WORDS = (*CONCERNS, "period:", "accounts:")
"""How the words begin that reference data wakes; other words are woken by events of the task itself."""


def concerns(state: TaskState, changed: set[str] | None) -> list[str]:
    """Words that something in this task waits on and that may have changed; all of them for None."""
    waited_on = state.holds.waited_on()
    if changed is None:
        return [what for what in waited_on if what.startswith(REFERENCE_WORDS)]
    known = changed | {_opposite(what) for what in changed if what.startswith("fx:")}
    return [what for what in waited_on if what in known]


def _opposite(what: str) -> str:
    """`fx:EUR/USD` for `fx:USD/EUR`: a contract may divide by the opposite quotation."""
    base, _, quote = what.removeprefix("fx:").partition("/")
    return f"fx:{quote}/{base}"


def in_steps(state: TaskState, changed: set[str] | None) -> Iterator[list[bytes]]:
    """Keys of the holds a change may end, in the order of release, then of what it may price or tell anew.

    That is entries, plans, and people's weeks.

    A step is short, however many entries there are; it may find nothing. The state may change between two of them.
    """
    for what in sorted(concerns(state, changed)):
        places = state.holds.places(what)
        yield from in_order(list(places), None, places.__getitem__)
    yield from concerned(state, changed)
    planned = plans(state, changed)
    if planned:
        yield planned
    yield from weeks_of(state, changed)


def waiting(state: TaskState, changed: set[str] | None) -> list[bytes]:
    """All that in_steps() finds."""
    return [key for step in in_steps(state, changed) for key in step]


def wake(work: Work, keys: list[bytes]) -> None:
    """Settle these holds, entries, plans and weeks again; a hold that an earlier of them has ended is passed over."""
    state = work.state
    entries, assignments, weeks = (table.tag.encode() for table in (state.entries, state.assignments, state.weeks))
    for key in keys:
        changed = False
        if key[:1] == entries:
            changed = rerate(work, key)
        elif key[:1] == assignments:
            replan(work, key)
        elif key[:1] == weeks:
            retell_week(work, key)
        elif (hold := state.holds.get(key)) is not None:
            settle_again(work, key)
            changed = state.holds.get(key) != hold  # fees of a time to come wait for other periods in silence
        if work.unshared:
            share_rooms(work)
        work.trail.mark_woken(subject_of(work, key), work.effects, changed=changed)
