"""A table: a typed view over bytes, written to the changelog once per transaction however often it changed.

Values are changed in place and at once. That is safe because a task whose transaction fails is thrown away
with all its tables and restored from the changelog: nobody ever sees a change that was not committed.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import msgspec

VERSION: Final = b"\x02"
"""First byte of each changelog value: the version of the records this worker writes; msgpack follows.

It rises by one when any changelog record grows or says something new. A record may only grow at its end, by fields
with a default: so every worker reads what older ones wrote. What a newer one wrote it refuses, as it would write the
record back without its end.
"""
READABLE: Final = frozenset(range(1, VERSION[0] + 1))
"""Versions this worker reads: its own and all before."""

MEND: Final = "nothing of this task is applied or lost; look at who writes to the changelog, and restore its topic"
"""What to do about a record that no worker has written."""

V = TypeVar("V", bound=msgspec.Struct)


class UnreadableStateError(RuntimeError):
    """The changelog holds a record that this worker cannot read: the message names it and what to do."""


class UnknownVersionError(UnreadableStateError):
    """The changelog holds a record that a newer worker wrote. Upgrade this worker."""


class Table(Generic[V]):
    """Values of one shape by key. tag: one byte that opens each key in the changelog, so tables share it.

    Between commits the values touched are kept decoded; afterwards only their bytes are, which is what a
    million entries cost: keys and bytes in one dict.
    """

    def __init__(self, name: str, tag: str, record: type[V]) -> None:
        """Name the table for metrics; make its codec once."""
        self.name: Final = name
        self.tag: Final = tag
        self.bytes: Final[dict[bytes, bytes]] = {}
        self._decode = msgspec.msgpack.Decoder(record).decode
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._decoded: dict[bytes, V] = {}
        self._changed: dict[bytes, V | None] = {}

    def __len__(self) -> int:
        """Count the committed records."""
        return len(self.bytes)

    def key(self, identity: str) -> bytes:
        """Make the changelog key of an identity."""
        return (self.tag + identity).encode()

    def get(self, key: bytes) -> V | None:
        """Return the value as it is now, changes of this transaction included."""
        value = self._decoded.get(key)
        if value is not None:
            return value
        raw = self.bytes.get(key)
        if raw is None or key in self._changed:
            return None
        value = self._decoded[key] = self.decode(raw)
        return value

    def put(self, key: bytes, value: V) -> None:
        """Set a value; one changed in place must be put again, so that it reaches the changelog."""
        self._decoded[key] = self._changed[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a value; its tombstone reaches the changelog."""
        self._decoded.pop(key, None)
        self._changed[key] = None

    def uncommitted(self) -> list[bytes]:
        """Keys set or deleted in this transaction."""
        return list(self._changed)

    def decode(self, raw: bytes) -> V:
        """Read a changelog value."""
        if not raw or raw[0] not in READABLE:
            raise unknown_version(self.name, raw)
        try:
            return self._decode(raw[1:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableStateError(
                f"table {self.name}: a changelog record is not what workers write: {error}; {MEND}"
            ) from error

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """Encode what changed since the last commit: one record a key, None for a deletion."""
        encode_into, buffer = self._encode_into, bytearray(VERSION)
        changes: list[tuple[bytes, bytes | None]] = []
        for key, value in self._changed.items():
            if value is not None:
                encode_into(value, buffer, len(VERSION))
            changes.append((key, None if value is None else bytes(buffer)))
        return changes

    def commit(self, changes: list[tuple[bytes, bytes | None]]) -> None:
        """Keep the bytes of `changes`, which the changelog has taken, and forget the decoded values."""
        for key, raw in changes:
            if raw is None:
                self.bytes.pop(key, None)
            else:
                self.bytes[key] = raw
        self._changed.clear()
        self._decoded.clear()


def unknown_version(table: str, raw: bytes) -> UnknownVersionError:
    """What is said of a record of another version."""
    return UnknownVersionError(
        f"table {table}: a changelog record has version byte {raw[:1]!r}; this worker reads up to {VERSION!r}; "
        "nothing of this task is applied or lost: start workers of the version that wrote it, or a newer one"
    )
