"""Try changes on tasks in memory: the same agents settle what the changes concern, and what moves is reckoned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...agents import wake
from ...codecs import dead_letter
from ...tables.keys import SEPARATOR
from ..memory import take_in
from ..refusal import RefusedError
from ..runtime.outgoing import partition_of
from ..topology import TOPOLOGY
from .changes import told
from .reckoning import Moved, Tally, moved

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ...tables.reference import Reference
    from ..memory import Memory
    from .changes import Change
    from .shifts import Shift

STEP: Final = 2_000
"""Entries settled before their events are counted and forgotten."""
_REFERENCES: Final = frozenset(stream.name for stream in TOPOLOGY.references)
_APPLIED: Final = frozenset({"applied", "held"})


class Trial:
    """Changes on their way through the tasks. only: the engagements asked for, all when empty.

    moved: engagements something differs of; entries and engagements: how many the changes were tried on;
    without_effect: changes that change nothing, because the same or a later revision is known; found: engagements
    asked for that there are.
    """

    def __init__(
        self, changes: Sequence[Change], partitions: int, only: Collection[str] = (), shifts: Sequence[Shift] = ()
    ) -> None:
        """Take the changes in the order in which they are tried, then the shifts; there are `partitions` tasks."""
        self.only: Final = frozenset(only)
        self.moved: Final[list[Moved]] = []
        self.found: Final[set[str]] = set()
        self.entries = 0
        self.engagements = 0
        self._references: Final = [one for one in changes if one.stream in _REFERENCES]
        self._terms: Final = [one for one in changes if one.stream not in _REFERENCES]
        self._shifts: Final = shifts
        self._partitions: Final = partitions
        self._effective: Final[set[str]] = set()
        self._changes: Final = changes

    @property
    def partitions(self) -> list[int]:
        """Tasks the changes can move something of."""
        wanted = self.only
        if not wanted and not self._references and not self._shifts:
            wanted = frozenset((one.record.key or b"").decode() for one in self._terms)
        if not wanted:
            return list(range(self._partitions))
        return sorted({partition_of(name.encode(), self._partitions) for name in wanted})

    @property
    def tried(self) -> int:
        """How many changes there are."""
        return len(self._changes)

    @property
    def without_effect(self) -> list[Change]:
        """Changes that nothing was changed by. Ask when all tasks are done."""
        return [one for one in self._changes if one.place not in self._effective]

    def learn(self, known: Reference) -> set[str]:
        """Take the reference data in; returns the words of what it concerns. Raises RefusedError."""
        words: set[str] = set()
        for one in self._references:
            learnt = take_in(known, one.stream, [one.record])
            for _, error in learnt.undecodable:
                raise RefusedError(told(one.place, error.field, error.problem, error.fix))
            if learnt.wakes:
                self._effective.add(one.place)
            words |= learnt.wakes
        return words.union(*(shift.apply(known) for shift in self._shifts))

    def run(self, task: Memory, words: set[str]) -> None:
        """Settle what the words concern, then the new terms, and reckon what that has moved. Raises RefusedError."""
        state, tally = task.state, Tally()
        before = dict(state.engagements.bytes)
        _count(task, Tally())  # what it left before
        settle_in_steps(task, self._asked(wake.waiting(state, words)), tally)
        for one in self._terms:
            key = one.record.key or b""
            if partition_of(key, self._partitions) == task.partition and self._is_asked(key.decode()):
                self._agree(task, one)
                _count(task, tally)
        self._reckon(task, before, tally)

    def _agree(self, task: Memory, one: Change) -> None:
        """Apply terms as the engagement's agent does."""
        before = task.outcomes.copy()
        task.apply(one.stream, [one.record])
        if (task.outcomes - before)["dead_lettered"]:
            facts = dead_letter.facts(task.left["dead-letters"][-1].headers)
            raise RefusedError(told(one.place, facts["field"], facts["problem"], facts["fix"]))
        if _APPLIED & (task.outcomes - before).keys():
            self._effective.add(one.place)

    def _reckon(self, task: Memory, before: dict[bytes, bytes], tally: Tally) -> None:
        table = task.state.engagements
        self.entries += len(task.state.entries)
        self.engagements += len(table)
        for key, raw in table.bytes.items():
            name = key[1:].decode()
            events, earlier = tally.by_engagement.get(name), before.get(key)
            if not self._is_asked(name):
                continue
            self.found.add(name)
            if events is None and raw == earlier:
                continue
            one = moved(None if earlier is None else table.decode(earlier), table.decode(raw), events)
            if one.moves():
                self.moved.append(one)

    def _is_asked(self, engagement_id: str) -> bool:
        return not self.only or engagement_id in self.only

    def _asked(self, keys: list[bytes]) -> list[bytes]:
        """Of the holds, entries and plans those of the engagements asked for; a person's week moves no money."""
        if not self.only:
            return keys
        return [key for key in keys if not self.only.isdisjoint(key[1:].decode().split(SEPARATOR))]


def settle_in_steps(task: Memory, keys: Sequence[bytes], tally: Tally) -> None:
    """Settle what stands behind these keys, and count what leaves without keeping it."""
    for at in range(0, len(keys), STEP):
        task.settle(list(keys[at : at + STEP]))
        _count(task, tally)


def _count(task: Memory, tally: Tally) -> None:
    for stream, records in task.left.items():
        tally.take(stream, records)
    task.left.clear()
