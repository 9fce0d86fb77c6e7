"""Keys of what comes in, checked: a record is where its engagement is, and its name can be told from any other."""

from __future__ import annotations

from ..codecs.errors import UndecodableError
from ..tables.keys import SEPARATOR_BYTES, SEPARATORS, key_of
from .work import Record


def check_key(record: Record, engagement_id: str) -> None:
    """Refuse a record whose key is not its engagement: it would meet another task's state."""
    if record.key != engagement_id.encode():
        shown = "absent" if record.key is None else repr(record.key[:80].decode(errors="replace"))
        raise UndecodableError(
            "key_mismatch",
            "key",
            f"the record's key is {shown}, its engagement {engagement_id!r}",
            "send the engagement id as the key",
        )


def record_key(tag: str, kind: str, source: str, engagement_id: str, entry_id: str) -> bytes:
    """Key of a record in the table with this tag; raises UndecodableError where the parts cannot be told apart."""
    key = key_of(tag, kind, source, engagement_id, entry_id)
    if ":" in source:
        raise UndecodableError(
            "invalid_field", "$.source", f"{source!r} holds a colon", "name the source system without one"
        )
    if key.count(SEPARATOR_BYTES) != SEPARATORS:
        raise UndecodableError(
            "invalid_field",
            "$.id",
            "a unit separator (0x1F) in an identifier",
            "send identifiers without control characters",
        )
    return key
