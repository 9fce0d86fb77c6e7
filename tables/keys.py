"""Keys of records that one system sent about one engagement: a table's tag, kind, source, engagement, id."""

from __future__ import annotations

from typing import Any, Final

from .table import MEND, Table, UnreadableStateError

SEPARATOR: Final = "\x1f"
"""Between the parts of a key; no identifier holds it."""
SEPARATORS: Final = 3
"""So many are in a key; there are more where a part of it holds one."""
SEPARATOR_BYTES: Final = SEPARATOR.encode()


def key_of(tag: str, kind: str, source: str, engagement_id: str, name: str) -> bytes:
    """Key of a record in the table with this tag; `agents/keys.py: record_key` checks the parts of a new one."""
    return f"{tag}{kind}\x1f{source}\x1f{engagement_id}\x1f{name}".encode()


def of_engagement(table: Table[Any], engagement_id: str) -> list[bytes]:
    """Keys of an engagement's records in a table, in their order. Reads all keys: for what is rare."""
    wanted = engagement_id.encode()
    return sorted(key for key in {*table.bytes, *table.uncommitted()} if engagement_of(key) == wanted)


def engagement_of(key: bytes) -> bytes:
    """Engagement id in a key. Raises UnreadableStateError where a key of the changelog has none."""
    try:
        return key.split(SEPARATOR_BYTES, SEPARATORS)[2]
    except IndexError:
        raise UnreadableStateError(f"the changelog has the key {key[:80]!r}, which no worker makes; {MEND}") from None
