"""Header names that are no UTF-8, read all the same.

Kafka's protocol calls a header's name UTF-8, and brokers do not check it. aiokafka 0.14 raises UnicodeDecodeError in
the midst of a fetch: one such record would end every worker that is given its partition, one after the other. Here its
batch is read once more, by aiokafka's reader in Python, and each byte that is none is written out. All others are read
as before, at the same cost.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_PLACE: Final = struct.Struct(">qi")
"""How a batch begins: its first offset, and the bytes that follow."""


class _Kept(MemoryRecords):  # type: ignore[misc]  # aiokafka has no types
    """What was fetched of a partition, with its bytes."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw: Final = raw


class _Text(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - a place or a part
        found = super().__getitem__(at)
        return _Text(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Text(self._buffer)


class _Again:
    """The whole batches of what was fetched that hold an offset, or come after it."""

    def __init__(self, raw: bytes, offset: int) -> None:
        self._batches: Final[deque[_Batch]] = deque()
        at = 0
        while at + _PLACE.size <= len(raw):
            end = at + _PLACE.size + _PLACE.unpack_from(raw, at)[1]
            if end > len(raw):  # cut off by the size of a fetch
                break
            batch = _Batch(raw[at:end])
            if batch.next_offset > offset:
                self._batches.append(batch)
            at = end

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> _Batch:
        return self._batches.popleft()


class _Records(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    _records: Any
    _records_iterator: Any

    def __next__(self) -> Any:  # noqa: ANN401 - a record, as aiokafka makes it
        # Not through super(): this runs for every record.
        try:
            return next(self._records_iterator)
        except StopIteration:
            self._records_iterator = None
            raise
        except UnicodeDecodeError:
            self._records = _Again(self._records.raw, self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return next(self)


def mend() -> None:
    """Let every consumer of this process read like this."""
    fetcher.MemoryRecords, fetcher.PartitionRecords = _Kept, _Records
