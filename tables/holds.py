"""Entries that wait, found by what they wait for and released in their order."""

from __future__ import annotations

from typing import TypeAlias

from ..codecs.entry_state import Hold
from .table import MEND, Table, UnreadableStateError

Place: TypeAlias = tuple[str, int, bytes]
"""Engagement, sequence and key of a hold: the order of release. The key tells those of one sequence apart."""


class Holds(Table[Hold]):
    """Holds by entry, with an index from what is waited on to the entries; keys differ from the entry's by tag."""

    def __init__(self) -> None:
        """Start without holds."""
        super().__init__("holds", "h", Hold)
        self._waiting: dict[str, dict[bytes, Place]] = {}

    def index(self) -> None:
        """Build the index from the restored records. Raises UnreadableStateError at one that no worker makes."""
        self._waiting.clear()
        for key, raw in self.bytes.items():
            self._enter(key, self.decode(raw))
            try:
                key.decode()
            except UnicodeDecodeError:
                raise UnreadableStateError(f"table holds: no worker makes the key {key[:80]!r}; {MEND}") from None

    def put(self, key: bytes, value: Hold) -> None:
        """Hold an entry, or change what it waits on."""
        self._leave(key)
        super().put(key, value)
        self._enter(key, value)

    def delete(self, key: bytes) -> None:
        """End a hold."""
        self._leave(key)
        super().delete(key)

    def waiting_on(self, what: str) -> list[bytes]:
        """Entry keys that wait on `what`, in the order of release: by engagement, then as they were held."""
        waiting = self._waiting.get(what)
        return sorted(waiting, key=waiting.__getitem__) if waiting else []

    def first_place(self, what: str, engagement_id: str) -> int:
        """The lowest sequence of an engagement's holds that wait on `what`, of which there is one at least."""
        return min(sequence for engagement, sequence, _ in self._waiting[what].values() if engagement == engagement_id)

    def places(self, what: str) -> dict[bytes, Place]:
        """Entry keys that wait on `what` now, each with its place in the order of release."""
        return dict(self._waiting.get(what, ()))

    def waited_on(self) -> list[str]:
        """Everything some entry waits on."""
        return [what for what, waiting in self._waiting.items() if waiting]

    def _enter(self, key: bytes, hold: Hold) -> None:
        self._waiting.setdefault(hold.waits_on, {})[key] = (hold.engagement_id, hold.sequence, key)

    def _leave(self, key: bytes) -> None:
        hold = self.get(key)
        if hold is not None:
            waiting = self._waiting[hold.waits_on]
            del waiting[key]
            if not waiting:
                del self._waiting[hold.waits_on]
