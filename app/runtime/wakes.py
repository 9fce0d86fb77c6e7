"""Held entries woken by reference changes, each exactly once, also after a crash.

A task's cursors say up to which record of each reference topic it has reacted. They move in the same transaction as
the last entries released. When nothing waits, they move in memory and the next transaction carries them.

However many entries a task has, one step looks at a few thousand of them, so that neither slabs nor heartbeats wait. A
crash in between begins anew: what is settled already differs no more, so that nothing is settled twice.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final

from faust.types import TP

from ...agents.work import Work
from ...codecs.records import Cursor
from . import failpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...agents.work import Record
    from ...codecs.errors import UndecodableError
    from ...tables.state import TaskState
    from .task import PartitionTask

STREAM: Final = "reference"
"""What a unit of work is called that applies no records of an input."""
DEAD_LETTER_TASK: Final = 0
"""The task that puts undecodable reference records aside; every worker reads them, one must write."""


class Wakes:
    """What a task has yet to react to."""

    def __init__(self, task: PartitionTask) -> None:
        """Belong to a task."""
        self._task: Final = task
        self._changed: set[str] = set()
        self._all = False
        self._steps: Iterator[list[bytes]] | None = None
        self._keys: list[bytes] = []
        self._unsaved = False
        """Whether something is settled whose cursors are not written yet."""
        self._reacted: dict[str, int] = {}
        self._target: dict[str, int] = {}
        self._wanted: Final = asyncio.Event()

    def changed(self, words: set[str]) -> None:
        """Take note of a reference change that was just applied."""
        if self._task.phase == "active":
            self._changed |= words
            self._wanted.set()

    def activated(self, state: TaskState) -> None:
        """Compare the restored cursors with the reference data: what came in between wakes everything."""
        offsets = self._task.shared.references.offsets
        if not self._reacted:
            self._reacted = {stream: state.cursor(stream) for stream in offsets}
        if self._reacted != offsets:
            self._all = True
        self._wanted.set()

    def forget(self) -> None:
        """Forget what was only in memory; the restored cursors decide anew."""
        self._changed, self._all, self._steps, self._keys, self._reacted = set(), False, None, [], {}
        self._unsaved = False

    def busy(self) -> bool:
        """Whether there is something to react to, or the reaction has not ended."""
        return self._all or bool(self._changed) or not self._is_done()

    def carry(self, state: TaskState) -> None:
        """Write the cursors that moved in memory into the transaction at hand."""
        for stream, offset in self._reacted.items():
            if state.cursor(stream) != offset:
                state.cursors.put(state.cursors.key(stream), Cursor(offset))

    async def run(self) -> None:
        """React whenever there is something to react to, a bounded number of entries a transaction."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            more = True
            while more:  # The lock is free in between, so that slabs are not held up by a long list.
                more = await self._react()
                await asyncio.sleep(0)

    async def _react(self) -> bool:
        """One step of looking and one transaction at most; True when more is left."""
        task, shared = self._task, self._task.shared
        async with task.lock:
            state, producer = task.state, task.producer
            if state is None or producer is None or task.phase != "active":
                return False
            outgoing, where, started = producer.outgoing(), TP(STREAM, task.partition), perf_counter()
            work = Work(STREAM, (), state, shared.reference, task.contexts, outgoing, (STREAM, task.partition))
            try:
                if not self._keys:
                    self._look(state)
                if self._keys or self._is_done():
                    self._settle(work)
                if self._is_done():
                    self._reacted = self._target
            except Exception as error:  # noqa: BLE001 - a bug in a rule; the task retries
                task.failed(error, "rules", STREAM, where, ())
                return False
            if work.is_idle() and not (self._unsaved and self._is_done()):
                state.commit(state.changes())  # there are none: only what was decoded is forgotten
                return self.busy()
            self._unsaved = not self._is_done()
            failpoints.reach("woken")
            await asyncio.shield(task.in_background(task.commit(work, outgoing, perf_counter() - started, where)))
            return task.phase == "active"

    def _is_done(self) -> bool:
        """Whether everything that was begun is settled."""
        return self._steps is None and not self._keys

    def _look(self, state: TaskState) -> None:
        """Look one step further for what the changes may end or price anew; begin with the newest of them.

        What was begun is worked off first, because a hold that still waits for the same word stays in the state.
        """
        if self._steps is None:
            changed, self._changed = (None if self._all else self._changed), set()
            self._all = False
            # The former owner may have read further than this worker has: what it reacted to stays so.
            offsets, reacted = self._task.shared.references.offsets, self._reacted
            self._target = {stream: max(offset, reacted.get(stream, 0)) for stream, offset in offsets.items()}
            if changed is not None and not changed:
                return
            self._steps = self._task.shared.actors.waiting(state, changed)
        found = next(self._steps, None)
        if found is None:
            self._steps = None
        else:
            self._keys = found

    def _settle(self, work: Work) -> None:
        """Settle as many as one transaction takes; with the last of all, dead letters and cursors leave as well."""
        most = self._task.shared.settings.wake_entries_max
        now, self._keys = self._keys[:most], self._keys[most:]
        self._task.shared.actors.wake(work, now)
        if not self._keys and self._steps is not None:
            self._look(work.state)
        if self._is_done():
            for stream, (record, error) in self._letters():
                work.dead_letter(record, error, (self._task.shared.settings.topic(stream), 0))

    def _letters(self) -> list[tuple[str, tuple[Record, UndecodableError]]]:
        """Undecodable reference records that are not put aside yet: stream, record, and what is wrong with it."""
        if self._task.partition != DEAD_LETTER_TASK:
            return []
        found = self._task.shared.references.undecodable
        since, until = self._reacted, self._target
        return [
            (stream, letter)
            for stream, letter in found
            if since.get(stream, 0) <= letter[0].offset < until.get(stream, 0)
        ]
