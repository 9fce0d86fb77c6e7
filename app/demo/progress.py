"""How far the workers are: positions read from the changelog as it grows, and the wait for their ends."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.records import Position
from ...tables.table import Table
from ..topology import TOPOLOGY
from .reading import at_end, places, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiokafka import AIOKafkaConsumer

    from ..settings import Settings

STALLED_SECONDS: Final = 60.0
"""Without any progress for this long the wait is given up; longer than a worker's session and its restart."""
QUIET_SECONDS: Final = 1.5
"""All is done when the positions are at the ends and nothing was committed for this long."""
POLL_MILLISECONDS: Final = 200
POLL_RECORDS: Final = 20_000
OWN_INPUT: Final = "assignment-forecasts"
"""The stream that tasks write for each other and read back."""

Place = tuple[str, int]
"""A stream and a partition."""


class StalledError(RuntimeError):
    """The workers do not go on; the message names where they stand and what to look at."""


class Lag(NamedTuple):
    """One partition that is not done. offset: the next record to apply; end: where the topic ends."""

    stream: str
    partition: int
    offset: int
    end: int


class Progress:
    """Positions of every task as committed. seen: changelog records read so far, to tell when all is quiet."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        """Follow with an assigned consumer."""
        self.positions: Final[dict[Place, Position]] = {}
        self.seen = 0
        self._settings: Final = settings
        self._consumer: Final = consumer
        self._table: Final = Table("positions", "p", Position)
        self._own_ends: Final[dict[Place, int]] = {}
        self._changelog: Final = settings.topic(TOPOLOGY.changelog.name)

    async def poll(self) -> bool:
        """Read what was committed since; whether there was anything."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS)
        for where, found in batches.items():
            self.seen += len(found)
            if where.topic != self._changelog:
                self._own_ends[OWN_INPUT, where.partition] = found[-1].offset + 1
                continue
            for record in found:
                if record.key[:1] == b"p":
                    self.positions[record.key[1:].decode(), where.partition] = self._table.decode(record.value)
        return bool(batches)

    async def catch_up(self) -> None:
        """Read all that is committed now."""
        ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
        while not await at_end(self._consumer, ends):
            await self.poll()

    async def ends(self) -> dict[Place, int]:
        """Where the inputs from outside end now."""
        found: dict[Place, int] = {}
        for stream in TOPOLOGY.inputs:
            if stream.role == "input":
                ends = await self._consumer.end_offsets(places(self._settings, stream.name))
                found |= {(stream.name, where.partition): end for where, end in ends.items()}
        return found

    def lags(self, ends: dict[Place, int]) -> list[Lag]:
        """Partitions that are not applied to their end."""
        nothing = Position()
        return [
            Lag(*place, self.positions.get(place, nothing).offset, end)
            for place, end in (ends | self._own_ends).items()
            if self.positions.get(place, nothing).offset < end
        ]

    def outcomes(self) -> dict[str, int]:
        """What became of all records so far, over all inputs (M5)."""
        names = ("applied", "duplicate", "stale", "held", "dead_lettered")
        return {name: sum(getattr(position, name) for position in self.positions.values()) for name in names}

    async def processed(self, alive: Callable[[], str]) -> float:
        """Wait until every input is applied to its end and nothing more is committed; gives when that began.

        `alive` raises when a worker has ended, and names the logs to look at. Raises StalledError.
        """
        ends = await self.ends()
        moved = time.monotonic()
        while True:
            lags = self.lags(ends)
            if await self.poll():
                moved = time.monotonic()
                continue
            if not lags and time.monotonic() - moved > QUIET_SECONDS:
                return moved
            logs = alive()
            if time.monotonic() - moved > STALLED_SECONDS:
                raise StalledError(f"{self._where(lags)} for {STALLED_SECONDS:.0f} s; look at {logs}")

    def _where(self, lags: list[Lag]) -> str:
        first, *others = lags
        topic = self._settings.topic(first.stream)
        more = f", and {len(others)} more partitions wait," if others else ""
        return f"{topic} partition {first.partition} stands at offset {first.offset} of {first.end}{more}"


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[Progress]:
    """Follow the changelog and the tasks' own stream from their start."""
    async with reader(settings, (TOPOLOGY.changelog.name, OWN_INPUT)) as consumer:
        yield Progress(settings, consumer)
