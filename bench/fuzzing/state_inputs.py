"""Changelog records, keys and values, as nobody writes them; and record batches, which must read as they were made."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch

from billtide.app.doctor.tasks import TaskSeen
from billtide.app.holds import Asked, Present, waiting
from billtide.app.runtime.record_batch import RecordBatch, before_last
from billtide.tables.state import TaskState
from billtide.tables.table import UnreadableStateError

from .mutation import PIECES, mutated, odd_text
from .record_inputs import firm
from .verdict import check_sentence

if TYPE_CHECKING:
    from random import Random


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
    """Records of any size, with any headers: a consumer finds what was put into the batch, which keeps its limit."""
    names = [
        (odd_text(chance).encode(errors="replace").decode(), chance.choice(PIECES)) for _ in range(chance.randrange(4))
    ]
    before, own = before_last(names)
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
    assert read == [(key, value, names) for _, key, value in given[:taken]]
    assert taken == 1 or batch.size() <= limit + 100


def _reader(batch: RecordBatch) -> DefaultRecordBatch:
    found = DefaultRecordBatch(bytearray(batch._build()))  # noqa: SLF001 - what the producer sends
    assert found.validate_crc()
    return found
