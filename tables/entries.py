"""Entries, found by their engagement when its terms change."""

from __future__ import annotations

from ..codecs.entry_state import EntryState
from .keys import engagement_of
from .table import Table


class Entries(Table[EntryState]):
    """Entries by kind, source, engagement and id. What belongs to an engagement is only known once somebody asks.

    Most tasks never ask: entries that are only added and approved cost nothing for it.
    """

    def __init__(self) -> None:
        """Start without entries."""
        super().__init__("entries", "e", EntryState)
        self._by_engagement: dict[bytes, set[bytes]] | None = None

    def put(self, key: bytes, value: EntryState) -> None:
        """Set an entry."""
        # Not through super(): this runs for every event.
        self._decoded[key] = self._changed[key] = value
        if self._by_engagement is not None:
            self._by_engagement.setdefault(engagement_of(key), set()).add(key)

    def of_engagement(self, engagement_id: str) -> list[bytes]:
        """Keys of the entries of an engagement, in an order that every replay has. The first call reads all keys."""
        if self._by_engagement is None:
            self._by_engagement = {}
            for key in (*self.bytes, *self.uncommitted()):
                self._by_engagement.setdefault(engagement_of(key), set()).add(key)
        return sorted(self._by_engagement.get(engagement_id.encode(), ()))
