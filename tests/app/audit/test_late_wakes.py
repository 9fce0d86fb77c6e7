"""Replay of a task whose wakes come later than the reference data they belong to, a few keys a transaction."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from billtide.agents import wake
from billtide.app.audit.replay import compare
from billtide.app.demo.firm import part_of_week
from billtide.app.memory import take_in

from ..demo.memory import Memory, slabs
from .test_replay import again, taken_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..demo.memory import Read

WEEK: Final = 428
"""Seed of the sample week."""
PART: Final = 3
"""One engagement in so many has its load sent."""
SEEDS: Final = (3, 9, 12, 13)
"""Orders in which wakes change something in silence that shows later."""
SLAB_RECORDS: Final = 60
REACTIONS_SHARE: Final = 0.5
KEYS_MAX: Final = (1, 5, 50, 1_000)


class Late(Memory):
    """A task that knows reference data at once, as a worker does, and reacts to it between slabs, now and then."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.words: set[str] = set()
        self.keys: list[bytes] = []

    def refer(self, stream: str, records: Sequence[Read]) -> None:
        """Take in reference records; what waits for them is settled later."""
        self.words |= set(take_in(self.reference, stream, records).wakes)

    def react(self) -> None:
        """Settle some of what is to be settled, or nothing."""
        if not self.keys and self.words:
            self.keys, self.words = wake.waiting(self.state, self.words), set()
        most = self.chance.choice(KEYS_MAX)
        now, self.keys = self.keys[:most], self.keys[most:]
        if now:
            self.settle(now)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_wakes_change_in_silence_comes_out_again(seed: int) -> None:
    """Entries repriced beyond a cap that stops, fees that wait for another period: the audit tells of both."""
    week, chance = part_of_week(WEEK, PART), random.Random(seed)
    task = Late(chance)
    for phase in week.phases:
        for stream, batch in slabs(phase, chance):
            for at in range(0, len(batch), SLAB_RECORDS):
                task.send(stream, batch[at : at + SLAB_RECORDS])
                if chance.random() < REACTIONS_SHARE:
                    task.react()
    while task.words or task.keys:
        task.react()
    told = again(task.left, taken_in(week))

    assert told.gone == []
    assert compare(told.memory, task.left, told.told) == []
