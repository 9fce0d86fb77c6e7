"""A dead letter: the record as it came, byte for byte, with headers that say where it stood and what is wrong.

What would make it larger than a topic takes is left out and named in a header; the input's topic has it, at the place
the headers say. Else one record of rubbish would hold up its partition for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from .errors import UndecodableError

TYPE: Final = "billtide.dead-letter.v1"
PREFIX: Final = "billtide_dead_letter_"
FIELDS: Final = ("topic", "partition", "offset", "timestamp", "reason", "field", "problem", "fix")
LEFT_OUT: Final = PREFIX + "left_out"
"""Header that names what of the record is not in its dead letter, with the bytes it has; absent when all of it is."""
BYTES_MAX: Final = 900 * 1024
"""Key, value and headers a dead letter takes over. With ours it stays below 1 MiB, the least a topic may be set to."""
FACT_CHARACTERS_MAX: Final = 2_000
"""Of each of our headers: a problem may quote the record."""

Headers = tuple[tuple[str, bytes], ...]


class Kept(NamedTuple):
    """What a dead letter holds of its record. headers: the record's own, and that of what was left out."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def kept(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Kept:
    """All of a record when it fits; else without its value, then without its headers, then without its key."""
    own = tuple(headers)
    sizes = {
        "value": len(value or b""),
        "headers": sum(len(name.encode()) + len(content or b"") for name, content in own),
        "key": len(key or b""),
    }
    left_out: list[str] = []
    for part in sizes:
        if sum(sizes[other] for other in sizes if other not in left_out) <= BYTES_MAX:
            break
        left_out.append(part)
    if not left_out:
        return Kept(key, value, own)
    said = ", ".join(f"{part} of {sizes[part]} bytes" for part in left_out)
    return Kept(
        None if "key" in left_out else key,
        None if "value" in left_out else value,
        (*(() if "headers" in left_out else own), (LEFT_OUT, said.encode())),
    )


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
    texts = [str(fact)[:FACT_CHARACTERS_MAX].encode() for fact in facts]
    ours = tuple((PREFIX + name, text) for name, text in zip(FIELDS, texts, strict=True))
    return (*original, *ours)


def facts(record_headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Read our headers of a dead letter back: topic, partition, offset, reason and so on."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in record_headers
        if name.startswith(PREFIX)
    }
