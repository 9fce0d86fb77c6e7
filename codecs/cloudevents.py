"""CloudEvents 1.0 on Kafka, binary mode: the headers around a record, written and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .errors import UndecodableError

SOURCE: Final = b"billtide"
_CONTENT_TYPE: Final = ("content-type", b"application/json")
_SPEC: Final = ("ce_specversion", b"1.0")
_SOURCE: Final = ("ce_source", SOURCE)

Headers = list[tuple[str, bytes]]


def headers(event_type: str, event_id: str) -> Headers:
    """Headers of one event of ours. Its time is the record's timestamp, its subject the record's key."""
    return [_SPEC, ("ce_id", event_id.encode()), _SOURCE, ("ce_type", event_type.encode()), _CONTENT_TYPE]


def check_type(record_headers: Sequence[tuple[str, bytes]], expected: str) -> None:
    """Refuse a record whose ce_type names another shape; records without CloudEvents headers pass."""
    for name, value in record_headers:
        if name == "ce_type" and value != expected.encode():
            raise UndecodableError(
                "wrong_type",
                "ce_type",
                f"the header says {(value or b'').decode(errors='replace')[:80]!r}",
                f"send {expected!r} here, or drop the header",
            )
