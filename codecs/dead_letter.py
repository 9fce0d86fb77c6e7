"""A dead letter: the record as it came, byte for byte, with headers that say where it stood and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .errors import UndecodableError

TYPE: Final = "billtide.dead-letter.v1"
PREFIX: Final = "billtide_dead_letter_"
FIELDS: Final = ("topic", "partition", "offset", "timestamp", "reason", "field", "problem", "fix")

Headers = tuple[tuple[str, bytes], ...]


def headers(
    topic: str,
    partition: int,
    offset: int,
    timestamp: int,
    original: Iterable[tuple[str, bytes]],
    error: UndecodableError,
) -> Headers:
    """Headers of the dead letter: the record's own, then ours under one prefix (timestamp in ms since 1970)."""
    facts = (topic, partition, offset, timestamp, error.reason, error.field, error.problem, error.fix)
    ours = tuple((PREFIX + name, str(fact).encode()) for name, fact in zip(FIELDS, facts, strict=True))
    return (*original, *ours)


def facts(record_headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Read our headers of a dead letter back: topic, partition, offset, reason and so on."""
    return {
        name.removeprefix(PREFIX): value.decode(errors="replace")
        for name, value in record_headers
        if name.startswith(PREFIX)
    }
