"""Changelog records, keys and values, as nobody writes them; and record batches, which must read as they were made."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED

from billtide.app.doctor.tasks import TaskSeen
from billtide.app.holds import Asked, Present, waiting
from billtide.app.runtime.header_names import mend
from billtide.app.runtime.record_batch import RecordBatch, varint
from billtide.tables.state import TaskState
from billtide.tables.table import UnreadableStateError

from .mutation import PIECES, mutated
from .record_inputs import firm
from .verdict import check_sentence

if TYPE_CHECKING:
    from random import Random

    from aiokafka.consumer.fetcher import PartitionRecords


class Changed(NamedTuple):
    """A changelog record, as a consumer hands it over."""

    key: bytes | None
    value: bytes | None
    timestamp: int = 0


@cache
def _good() -> list[Changed]:
    found: list[Changed] = []
    for kept in firm().tables:
        found += [Changed(key, value) for key, value in list(kept.items())[:40]]
    return found


def changelog(chance: Random) -> None:
    """Restore a state from a few records, one of them odd, and read all of it, as workers and commands do."""
    good = _good()
    records = chance.choices(good, k=chance.choice((1, 2, 4)))
    odd = chance.choice(records)
    key, value = odd.key, odd.value
    kind = chance.randrange(10)
    if kind < 6:
        value = mutated(chance, value or b"")
    elif kind < 9:
        key = mutated(chance, key or b"")
    else:
        key, value = chance.choice(((None, value), (key, None), (key, b""), (b"", value), (b"\xff", None)))
    records[records.index(odd)] = Changed(key, value)
    for read in (_restored, _seen):
        try:
            read(records)
        except UnreadableStateError as error:
            check_sentence(error)


def _restored(records: list[Changed]) -> None:
    state = TaskState()
    state.restore(records)  # type: ignore[arg-type]  # a record without a key must be refused, too
    state.restored()
    state.entries.of_engagement("E-1")
    waiting(Present(0, state, {}), Asked(reason="rate_missing"))
    for table in state.tables:
        for key in list(table.bytes):
            table.get(key)


def _seen(records: list[Changed]) -> None:
    seen = TaskSeen(0)
    seen.take(records)
    seen.holds()
    seen.position("time-entries")


def batches(chance: Random) -> None:
    """Records of any size, with any headers: a worker finds what was put into the batch, which keeps its limit."""
    names = [(chance.choice(PIECES)[:300], chance.choice(PIECES)) for _ in range(chance.randrange(4))]
    block = bytearray(varint(len(names)))
    for name, content in names:
        block += varint(len(name)) + name + varint(len(content)) + content
    own = names[-1][1] if names else b""
    before = bytes(block.removesuffix(varint(len(own)) + own)) if names else b""
    given = [
        (
            own,
            chance.choice((None, b"", chance.choice(PIECES))),
            chance.choice((None, b"", chance.randbytes(chance.choice((1, 63, 64, 9_000))))),
        )
        for _ in range(chance.choice((1, 2, 40)))
    ]
    limit = chance.choice((1, 100, 10_000, 1_000_000))
    batch = RecordBatch(limit, 5)
    taken = batch.fill(given, before, b"")
    read = [(record.key, record.value, list(record.headers)) for record in _reader(batch)]
    told = [(name.decode(errors="backslashreplace"), content) for name, content in names]
    assert read == [(key, value, told) for _, key, value in given[:taken]]
    assert taken == 1 or batch.size() <= limit + 100


def _reader(batch: RecordBatch) -> PartitionRecords:
    """A fetch of one batch, as the worker's consumer reads it."""
    raw = batch._build()  # noqa: SLF001 - what the producer sends
    mend()
    where = TopicPartition("time-entries", 0)
    return fetcher.PartitionRecords(where, fetcher.MemoryRecords(raw), [], 0, None, None, True, READ_COMMITTED)  # noqa: FBT003 - aiokafka's signature
