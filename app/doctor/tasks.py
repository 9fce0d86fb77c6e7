"""What the changelog says of each task: positions, holds, and records this version cannot read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ...codecs.entry_state import Hold
from ...codecs.records import Position
from ...tables.state import TaskState
from ...tables.table import READABLE, Table
from ..audit.reading import opened
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..settings import Settings

_POSITIONS: Final = Table("positions", "p", Position)
_HOLDS: Final = Table("holds", "h", Hold)
KEPT: Final = tuple(ord(table.tag) for table in (_POSITIONS, _HOLDS))
"""Tags of the tables whose records are kept; of all others only the version is looked at."""
KNOWN: Final = frozenset(ord(table.tag) for table in TaskState().tables)


@dataclass
class TaskSeen:
    """A task. unreadable: keys of records of another version or of no table of ours; records: how many were read."""

    partition: int
    records: int = 0
    kept: dict[bytes, bytes] = field(default_factory=dict)
    unreadable: set[bytes] = field(default_factory=set)

    def take(self, records: Iterable[Any]) -> None:
        """Take in changelog records in their order."""
        for record in records:
            key, value = record.key, record.value
            self.records += 1
            if key and value is None:
                self.unreadable.discard(key)
                self.kept.pop(key, None)
            elif not key or not value or value[0] not in READABLE or key[0] not in KNOWN:
                self.unreadable.add(key or b"")
            else:
                self.unreadable.discard(key)
                if key[0] in KEPT:
                    self.kept[key] = value

    def position(self, stream: str) -> Position | None:
        """How far an input is applied; None when it was never read, or is unreadable."""
        raw = self.kept.get(_POSITIONS.key(stream))
        return None if raw is None else _POSITIONS.decode(raw)

    def holds(self) -> Counter[str]:
        """How many entries wait, by reason."""
        return Counter(_HOLDS.decode(raw).reason for key, raw in self.kept.items() if key[0] == ord(_HOLDS.tag))


async def tasks_seen(settings: Settings) -> list[TaskSeen]:
    """Read the whole changelog: committed records only, no group."""
    seen = {partition: TaskSeen(partition) for partition in range(settings.partitions)}
    async with opened(settings, (TOPOLOGY.changelog.name,)) as topics:
        async for batch in topics.to_end():
            seen[batch.partition].take(batch.records)
    return list(seen.values())
