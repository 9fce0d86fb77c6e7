"""What a bench without a broker gives to agents and takes from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billtide.agents.outbox import OutputEvent, OutputRecord


class Record(NamedTuple):
    """A record in memory."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Forgetful:
    """An outbox that keeps nothing: the events are encoded, which is part of their cost."""

    def add(self, stream: str, event_type: str, events: Sequence[OutputEvent]) -> None:
        """Forget events."""

    def add_record(self, stream: str, record: OutputRecord) -> None:
        """Forget a record."""
