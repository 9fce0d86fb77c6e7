"""A change that concerns many entries is worked off in steps: others run in between, and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from billtide.agents import reference, steps
from billtide.agents.outbox import Kept
from billtide.app.runtime.actors import actors_of
from billtide.app.runtime.wakes import Wakes
from billtide.app.topology import TOPOLOGY

from ...builders import Object, Task, engagement, period, rate_card, ready_task, time_entry

if TYPE_CHECKING:
    from billtide.agents.work import Work

ENTRIES = 20
SETTLED_MAX = 3
DEARER = rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}])


class Owner:
    """What owns a task in memory, as a partition task does. transactions: how many entries each has written."""

    def __init__(self, task: Task, partition: int = 1) -> None:
        self.task = task
        self.partition, self.phase, self.lock = partition, "active", asyncio.Lock()
        self.references = SimpleNamespace(offsets={"rate-cards": 1, "periods": 1}, undecodable=[])
        self.shared = SimpleNamespace(
            references=self.references,
            reference=self.task.reference,
            actors=actors_of(TOPOLOGY),
            settings=SimpleNamespace(wake_entries_max=SETTLED_MAX, topic=str),
        )
        self.producer = SimpleNamespace(outgoing=Kept)
        self.in_background = asyncio.ensure_future
        self.transactions: list[int] = []
        self.wakes = Wakes(cast("Any", self))
        self.wakes.activated(self.state)

    @property
    def state(self) -> Any:
        """The task's state."""
        return self.task.state

    @property
    def contexts(self) -> Any:
        """The task's contracts."""
        return self.task.contexts

    async def commit(self, work: Work, _outgoing: Kept, _seconds: float, _where: object) -> None:
        """Commit, as a transaction does."""
        self.wakes.carry(work.state)
        self.transactions.append(len(work.state.entries.uncommitted()))
        self.task.commit(work)

    def crash(self) -> None:
        """Forget everything but the changelog, and begin anew."""
        self.task.restart()
        self.wakes.forget()
        self.wakes.activated(self.state)

    def learn(self, value: Object, stream: str = "rate-cards") -> None:
        """A new card comes, or something else; what nobody understands is kept for the task that puts it aside."""
        offset = self.references.offsets[stream]
        record = self.task.record(stream, b"", msgspec.json.encode(value))._replace(offset=offset)
        change = reference.apply_reference(self.task.reference, stream, [record])
        self.references.undecodable += [(stream, letter) for letter in change.undecodable]
        self.references.offsets = self.references.offsets | {stream: offset + 1}
        self.wakes.changed(change.wakes)

    async def settled(self) -> int:
        """React until nothing is left; returns how many steps it took."""
        taken = 1
        while await self.wakes._react():
            taken += 1
        return taken


@pytest.fixture
async def owner(monkeypatch: pytest.MonkeyPatch) -> Owner:
    """A task of which one step looks at 4 entries and gives 5; it has reacted to what was there before."""
    monkeypatch.setattr(steps, "LOOKED_AT_MAX", 4)
    monkeypatch.setattr(steps, "GIVEN_MAX", 5)
    task = ready_task()
    task.send("time-entries", *(time_entry(id=f"{number}", status="approved") for number in range(ENTRIES)))
    return await begun(task)


async def begun(task: Task, partition: int = 1) -> Owner:
    """The owner of a task that has reacted to what was there before."""
    owner = Owner(task, partition)
    await owner.settled()
    owner.transactions.clear()
    task.clear()
    return owner


def billed_once(owner: Owner) -> bool:
    """Whether each entry is reversed and charged once, and the figures say what that comes to."""
    ids = Counter(event["id"] for event in owner.task.out["billing"])
    return set(ids.values()) == {1} and len(ids) == 2 * ENTRIES and owner.task.figures()["billed"] == "17600.00"


async def test_many_entries_take_many_steps_and_transactions(owner: Owner) -> None:
    """Five steps look, and each transaction settles no more than it may; the cursor leaves with the last."""
    owner.learn(DEARER)
    taken = await owner.settled()

    assert sum(owner.transactions) == ENTRIES
    assert max(owner.transactions) == SETTLED_MAX
    assert taken >= ENTRIES // 4 - 1 + len(owner.transactions)
    assert billed_once(owner)
    assert owner.state.cursor("rate-cards") == 2


async def test_others_get_their_turn_between_steps(owner: Owner) -> None:
    """While the list is walked the lock is free again and again, also between steps that find nothing."""
    turns: list[int] = []

    async def slabs() -> None:
        while owner.state.cursor("rate-cards") < 2:
            async with owner.lock:
                turns.append(len(owner.task.out["billing"]))
            await asyncio.sleep(0)

    walk = asyncio.ensure_future(owner.wakes.run())
    owner.learn(DEARER)
    async with asyncio.timeout(10):
        await slabs()
    walk.cancel()

    assert billed_once(owner)
    assert turns.count(0) >= ENTRIES // 4 - 1, "nothing ran while entries were looked at"
    assert len(set(turns)) >= len(owner.transactions)


@pytest.mark.parametrize("steps_done", range(12))
async def test_a_crash_between_two_steps_does_nothing_twice(owner: Owner, steps_done: int) -> None:
    """Begun anew from the changelog, what is settled is passed over: no id comes twice, no entry is left out."""
    owner.learn(DEARER)
    for _ in range(steps_done):
        await owner.wakes._react()
    owner.wakes.forget()
    assert not owner.wakes.busy()
    owner.crash()
    await owner.settled()

    assert billed_once(owner)
    assert owner.state.cursor("rate-cards") == 2


async def test_a_second_change_waits_for_the_first(owner: Owner) -> None:
    """A card that comes while the first is worked off is worked off after it; the last price stands."""
    owner.learn(DEARER)
    for _ in range(7):
        await owner.wakes._react()
    owner.learn(rate_card(version=3, lines=[{"role": "analyst", "rate": "120"}]))
    await owner.settled()

    assert owner.task.figures()["billed"] == "19200.00"
    assert max(Counter(event["id"] for event in owner.task.out["billing"]).values()) == 1
    assert owner.state.cursor("rate-cards") == 3


async def test_what_changes_nothing_makes_no_transaction(owner: Owner) -> None:
    """All entries are looked at and none differs: nothing is written, and the next transaction carries the cursor."""
    owner.learn(rate_card(version=2))
    await owner.settled()

    assert owner.transactions == []
    assert owner.state.cursor("rate-cards") == 0
    assert owner.wakes._reacted["rate-cards"] == 2


async def test_a_short_list_is_one_transaction(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one step finds and one transaction takes leaves with its cursor: there is no second transaction."""
    monkeypatch.setattr(steps, "LOOKED_AT_MAX", ENTRIES)
    monkeypatch.setattr(steps, "GIVEN_MAX", ENTRIES)
    owner.shared.settings.wake_entries_max = ENTRIES
    owner.learn(DEARER)
    await owner.settled()

    assert owner.transactions == [ENTRIES]
    assert owner.state.cursor("rate-cards") == 2


async def test_a_fee_alone_is_written() -> None:
    """A period opens: the fee is billed, the next one waits as before, and no record but the engagement changes."""
    january = period(id="2026-01", start_date="2026-01-01", end_date="2026-01-31")
    task = Task()
    task.refer("periods", january)
    task.send("engagements", engagement(contract_type="retainer", fee={"amount": "100"}))
    owner = await begun(task)
    owner.learn(period(id="2026-02", start_date="2026-02-01", end_date="2026-02-28"), "periods")
    await owner.settled()

    assert owner.task.amounts() == ["100.00"]
    assert owner.state.cursor("periods") == 2


async def test_a_dead_letter_alone_is_written() -> None:
    """Task 0 puts aside what nobody understands, though no entry waits and none is priced anew."""
    owner = await begun(ready_task(), partition=0)
    owner.learn({"id": "broken"})
    await owner.settled()

    assert [value for _, value, _ in owner.task.dead_letters] == [b'{"id":"broken"}']
