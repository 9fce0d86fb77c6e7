"""What a task reacts to, when owners change: without Kafka, with a task that only keeps what leaves it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from billtide.agents.context import Contexts
from billtide.agents.outbox import Kept
from billtide.agents.work import Work
from billtide.app.runtime.actors import actors_of
from billtide.app.runtime.wakes import Wakes
from billtide.app.topology import TOPOLOGY
from billtide.codecs.errors import UndecodableError
from billtide.codecs.records import Cursor
from billtide.tables.reference import Reference
from billtide.tables.state import TaskState

from ...builders import Record

LETTER = (
    Record("rate-cards", 0, 1, 0, b"broken/1", b"{", ()),
    UndecodableError("malformed", "", "not JSON", "send JSON"),
)


class KeepingTask:
    """Task 0 of a worker that has read one record of rate-cards. left: the dead letters of each transaction."""

    def __init__(self, cursor: int) -> None:
        self.references = SimpleNamespace(offsets={"rate-cards": 1}, undecodable=[])
        self.shared = SimpleNamespace(
            references=self.references,
            reference=Reference(),
            actors=actors_of(TOPOLOGY),
            settings=SimpleNamespace(wake_entries_max=10, topic=str),
        )
        self.partition, self.phase, self.lock, self.contexts = 0, "active", asyncio.Lock(), Contexts()
        self.state = TaskState()
        self.state.cursors.put(self.state.cursors.key("rate-cards"), Cursor(cursor))
        self.producer = SimpleNamespace(outgoing=Kept)
        self.in_background = asyncio.ensure_future
        self.left: list[int] = []
        self.wakes = Wakes(cast("Any", self))

    async def commit(self, work: Work, outgoing: Kept, _seconds: float, _where: object) -> None:
        """Take what leaves."""
        self.wakes.carry(work.state)
        self.left.append(len(outgoing.get("dead-letters", ())))

    async def read(self) -> None:
        """The second record of rate-cards comes, and nobody understands it."""
        self.references.undecodable.append(("rate-cards", LETTER))
        self.references.offsets["rate-cards"] = 2
        self.wakes.changed(set())
        await self.wakes._react()


async def test_an_owner_that_has_read_less_puts_nothing_aside_again() -> None:
    """The former owner had put the record aside before this worker read it: once is enough (M4)."""
    task = KeepingTask(cursor=2)
    task.wakes.activated(task.state)
    await task.wakes._react()
    await task.read()

    assert sum(task.left) == 0
    assert task.state.cursor("rate-cards") == 2


async def test_a_record_nobody_understands_is_put_aside_once() -> None:
    """A record that comes after all the former owner has reacted to leaves as one dead letter."""
    task = KeepingTask(cursor=1)
    task.wakes.activated(task.state)
    await task.read()
    await task.wakes._react()

    assert sum(task.left) == 1
    assert task.state.cursor("rate-cards") == 2


async def test_a_task_that_opens_again_in_the_middle_of_a_reaction_reacts_once_more() -> None:
    """What has come meanwhile is not left until the next change: the last step of the old reaction does not end it."""
    task = KeepingTask(cursor=0)
    task.state.commit(task.state.changes())
    task.wakes._steps = iter(())
    task.wakes.activated(task.state)

    assert await task.wakes._react()
    assert not await task.wakes._react()
    assert not task.wakes.busy()
