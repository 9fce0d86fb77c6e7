"""Keys of records that one system sent about one engagement: a table's tag, kind, source, engagement, id."""

from __future__ import annotations

from typing import Final

SEPARATOR: Final = "\x1f"
"""Between the parts of a key; no identifier holds it."""
SEPARATORS: Final = 3
"""So many are in a key; there are more where a part of it holds one."""
SEPARATOR_BYTES: Final = SEPARATOR.encode()


def key_of(tag: str, kind: str, source: str, engagement_id: str, name: str) -> bytes:
    """Key of a record in the table with this tag; `agents/keys.py: record_key` checks the parts of a new one."""
    return f"{tag}{kind}\x1f{source}\x1f{engagement_id}\x1f{name}".encode()


def engagement_of(key: bytes) -> bytes:
    """Engagement id in a key."""
    return key.split(SEPARATOR_BYTES, SEPARATORS)[2]
