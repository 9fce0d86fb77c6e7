"""The audit: what became of each record that changed an entry, in a chain of hashes for each task.

hash = SHA-256(hash of the record before + the record's own JSON without its hash), the first record's from 32 zero
bytes. So nobody can change, drop, add or reorder a record without changing every hash after it. The hash is the last
field and everything before it is hashed byte for byte: a value that is right in meaning but not in bytes is broken too.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from .wire import Id, Wire, decoder, encode

TYPE: Final = "billtide.audit.v1"
GENESIS: Final = bytes(32)
"""What stands for the hash before the first record."""
NO_OFFSET: Final = -1
"""Offset of a row that no input record brought about, but reference data."""
_SEAL: Final = b',"hash":"'
_SEAL_BYTES: Final = len(_SEAL) + 64 + len(b'"}')

Hash = Annotated[str, msgspec.Meta(max_length=64, description="SHA-256 in hexadecimal, of the record before and this")]
AuditOutcome = Literal["applied", "held", "woken"]


class AuditRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one input record, or one wake, brought about.

    offset: of the input record, -1 for a wake by reference data; timestamp: the record's, milliseconds since 1970;
    kind, source, id, revision: what the record is about (for an approval, the entry it decides); events: ids on
    billing, accruals, revenue and exceptions, in this order. An outcome `held` means that something still waits.
    """

    offset: int
    timestamp: int
    outcome: AuditOutcome
    kind: str
    source: str
    id: str
    revision: int
    engagement_id: str
    events: tuple[str, ...] = ()


class AuditRecord(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Rows of one task, in the order of work. Key is the task, its partition of every topic.

    sequence: 0, 1, 2, ... for each task; stream: the input the rows' offsets belong to, `reference` for wakes;
    reference: the next offset of each reference stream, as it was known to the rules.
    """

    task: int
    sequence: int
    stream: Id
    rows: tuple[AuditRow, ...]
    reference: dict[str, int] = {}  # noqa: RUF012 - msgspec copies it
    hash: Hash = ""


decode: Final = decoder(AuditRecord)


def sealed(record: AuditRecord, previous: bytes) -> tuple[bytes, bytes]:
    """Value of a record that carries no hash yet, and its hash (32 bytes). previous: hash of the one before."""
    body = encode(record)
    digest = hashlib.sha256(previous + body).digest()
    return _closed(body, digest), digest


def hash_of(value: bytes, previous: bytes) -> tuple[bytes, bool]:
    """The hash (32 bytes) a value must have after `previous`, and whether it has it, to the byte."""
    body = value[:-_SEAL_BYTES] + b"}"
    digest = hashlib.sha256(previous + body).digest()
    return digest, value == _closed(body, digest)


def event_id(task: int, sequence: int) -> str:
    """CloudEvents id of a record."""
    return f"{task}:{sequence}"


def _closed(body: bytes, digest: bytes) -> bytes:
    return b"".join((body[:-1], _SEAL, digest.hex().encode(), b'"}'))
