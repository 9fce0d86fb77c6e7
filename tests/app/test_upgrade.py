"""Workers of two versions share a firm's week: forward under load, back where nothing may be dropped, forward again.

The newer one writes state with a field more, as tests/app/newer_worker.py says. What an older worker is given of such
state it refuses: its tasks stand until a newer worker has them, and nothing is lost, doubled, or begun anew.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from billtide.app import topics
from billtide.app.audit.reading import opened
from billtide.app.demo import firm, workers
from billtide.app.demo.feed import send_phase
from billtide.app.demo.progress import following
from billtide.app.demo.run import check
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY
from billtide.tables import table

from .slices import send_slowly

if TYPE_CHECKING:
    from collections.abc import Callable

    from billtide.app.broker import Broker
    from billtide.app.demo.run import Checked
    from billtide.app.demo.workers import WorkerProcess
    from billtide.app.settings import Settings

HERE: Final = str(Path(__file__).parent)
OLDER: Final = workers._RUN
NEWER: Final = f"import sys; sys.path.insert(0, {HERE!r}); import newer_worker; {OLDER}"
NEWEST: Final = table.VERSION[0] + 1
BETWEEN_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 60.0
REFUSED: Final = "a changelog record has version byte"
COUNTED: Final = b"eg"
"""Tags of the tables whose values count how often a newer worker has written them."""


class Fleet:
    """Two workers in static places, each of either version."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.monkeypatch = monkeypatch
        self.running: list[WorkerProcess] = []
        monkeypatch.setattr(workers, "_RUN", OLDER)

    def start(self) -> None:
        self.running = workers.start_all(self.settings)

    async def change(self, place: int, program: str) -> None:
        """Stop a worker in order and start one of a version in its place."""
        await asyncio.to_thread(workers.stop_all, self.settings, [self.running[place]])
        self.monkeypatch.setattr(workers, "_RUN", program)
        self.running[place] = workers.start(self.settings, self.running[place].name)
        await asyncio.sleep(BETWEEN_SECONDS)

    def refusals(self, place: int) -> int:
        """How often the worker of a place has refused a task."""
        return Path(self.running[place].log).read_text().count(REFUSED)

    async def roll(self) -> None:
        """Forward one by one, one back until it refuses its tasks, and forward again."""
        await self.change(0, NEWER)
        await self.change(1, NEWER)
        assert self.refusals(0) == 0
        await asyncio.sleep(BETWEEN_SECONDS)
        await self.change(0, OLDER)
        await until(lambda: self.refusals(0) > 0)
        await self.change(0, NEWER)


async def until(fact: Callable[[], bool]) -> None:
    """Wait for a fact."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if fact():
                return
            await asyncio.sleep(0.1)


async def take_in(settings: Settings, week: firm.Week, fleet: Fleet) -> Checked:
    """Let workers of changing versions take a week in; what the demonstration's own check finds of it."""
    await topics.create(settings)
    await send_phase(settings, week.masters)
    fleet.start()
    try:
        async with following(settings) as progress:
            await progress.processed(lambda: workers.require_running(fleet.running))
            await asyncio.gather(send_slowly(settings, week.load), fleet.roll())
            await progress.processed(lambda: workers.require_running(fleet.running))
            await send_phase(settings, week.late)
            await progress.processed(lambda: workers.require_running(fleet.running))
            return await check(settings, progress)
    finally:
        await asyncio.to_thread(workers.stop_all, settings, fleet.running)


async def gone_back(settings: Settings) -> tuple[list[str], set[int]]:
    """State that was written by an older worker after a newer one, or counts anew; and which versions wrote any."""
    problems: list[str] = []
    newest: dict[int, int] = defaultdict(int)
    counts: dict[tuple[int, bytes], int] = defaultdict(int)
    versions = set()
    async with opened(settings, (TOPOLOGY.changelog.name,)) as read:
        async for batch in read.to_end():
            for record in batch.records:
                if record.value is None:
                    continue
                version, place = record.value[0], (batch.partition, record.key)
                versions.add(version)
                if version < newest[batch.partition]:
                    problems.append(f"{place} is of version {version} after {newest[batch.partition]}")
                newest[batch.partition] = version
                if version == NEWEST and record.key[0] in COUNTED:
                    count = msgspec.msgpack.decode(record.value[1:])[-1]
                    if count <= counts[place]:
                        problems.append(f"{place} was written {count} times, and before that {counts[place]} times")
                    counts[place] = count
    return problems, versions


async def prepared_by(settings: Settings) -> set[int]:
    """Which versions have made billing events, as the wire says it."""
    found = set()
    async with opened(settings, ("billing",)) as read:
        async for batch in read.to_end():
            found |= {msgspec.json.decode(record.value).get("prepared_by", NEWEST - 1) for record in batch.records}
    return found


@pytest.mark.kafka
async def test_a_rolling_change_of_versions_loses_doubles_and_drops_nothing(
    broker: Broker, topic_prefix: str, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both versions write events and state, no task goes back to the older one, and the money is as reckoned."""
    settings = load(
        kafka_bootstrap=broker.bootstrap, topic_prefix=topic_prefix, app_id=topic_prefix.rstrip("."), data_dir=tmp_path
    )
    monkeypatch.setattr(table, "READABLE", table.READABLE | {NEWEST})  # the check follows the positions of both
    checked = await take_in(settings, firm.sample_week(seed), Fleet(settings, monkeypatch))

    assert checked.verdict.problems == ()
    assert (checked.verdict.lost, checked.verdict.duplicated, checked.verdict.difference) == (0, 0, {})
    assert await gone_back(settings) == ([], {NEWEST - 1, NEWEST})
    assert await prepared_by(settings) == {NEWEST - 1, NEWEST}
