"""Batches are what aiokafka's own builder makes of the same records, byte for byte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from billtide.app.runtime.record_batch import (
    RECORDS_MAX,
    RecordBatch,
    around_id,
    before_last,
    header_block,
    varint,
)
from billtide.codecs import cloudevents

if TYPE_CHECKING:
    from collections.abc import Sequence

Given = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]

LIMIT = 1 << 20
NOW = 1_700_000_000_000


def theirs(records: Sequence[Given], producer: tuple[int, int, int]) -> bytes:
    """What aiokafka makes of them, uncompressed."""
    builder = DefaultRecordBatchBuilder(2, 0, 1, -1, -1, 0, LIMIT)
    for number, (key, value, headers) in enumerate(records):
        assert builder.append(number, NOW, key, value, headers) is not None
    builder.set_producer_state(*producer)
    return bytes(builder.build())


def ours(records: Sequence[Given], producer: tuple[int, int, int]) -> RecordBatch:
    """What we make of them."""
    batch = RecordBatch(LIMIT, NOW)
    for key, value, headers in records:
        before, last = before_last(headers)
        assert batch.fill([(last, key, value)], before, b"") == 1
    batch._set_producer_state(*producer)
    return batch


def read(raw: bytes) -> list[tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]]:
    """What a consumer reads: offset, timestamp, key, value, headers."""
    found, records = [], MemoryRecords(raw)
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        found += [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in batch]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_bytes_are_those_of_aiokafka(seed: int) -> None:
    """Random keys, values and headers, none of them compressible: the same bytes, checksum included."""
    chance = random.Random(seed)
    records: list[Given] = []
    for _ in range(chance.choice([1, 2, 130])):
        key = chance.choice([None, b"", chance.randbytes(chance.randint(1, 200))])
        value = chance.choice([None, b"", chance.randbytes(chance.choice([1, 63, 64, 8191, 8192, 20_000]))])
        headers = [(f"h{n}é", chance.choice([b"", chance.randbytes(70)])) for n in range(chance.randint(0, 3))]
        records.append((key, value, headers))
    if all(value is None or len(value) < 1_000 for _, value, _ in records):
        records = [(None, chance.randbytes(5_000), [])]
    producer = chance.randrange(2**40), chance.randrange(2**15), chance.randrange(2**31)
    assert ours(records, producer)._build() == theirs(records, producer)


def test_compressed_records_read_as_they_were() -> None:
    """A consumer finds every record, in order, with its headers; the batch is smaller than what is in it."""
    records: list[Given] = [(b"E-1", b"the same again " * 9, [("a", b"b")])] * 500
    batch = ours(records, (7, 3, 11))
    built = batch._build()
    assert [(key, value, list(headers)) for _, _, key, value, headers in read(built)] == records
    assert [offset for offset, *_ in read(built)] == list(range(500))
    assert len(built) == batch.size() < 5_000
    assert batch.record_count() == 500


def test_an_event_has_the_headers_cloudevents_says() -> None:
    """Encoded around the id or as a list, the headers are the same."""
    before, after = around_id("billtide.billing.v1")
    for name in ("psa:time:1:1:billing:0", "é" * 90, "x" * 200, "\x00id\x00"):
        encoded = name.encode()
        assert before + varint(len(encoded)) + encoded + after == header_block(
            cloudevents.headers("billtide.billing.v1", name)
        )


def test_a_full_batch_takes_no_more() -> None:
    """Bytes and records are bounded; what found no room is told by its index; one record always fits."""
    batch = RecordBatch(1_000)
    assert batch.fill([(b"", b"k", bytes(400))] * 5, b"", b"") == 2
    assert batch.fill([(b"", b"k", bytes(400))] * 5, b"", b"", 2) == 2
    assert RecordBatch(1_000).fill([(b"", b"k", bytes(4_000))] * 2, b"", b"") == 1
    assert RecordBatch(LIMIT).fill([(b"", None, b"")] * (RECORDS_MAX + 5), b"", b"") == RECORDS_MAX


def test_a_batch_sent_again_is_stamped_again() -> None:
    """After a retriable answer the producer may stamp it anew; records stay, the checksum follows."""
    batch = ours([(b"k", b"v" * 50, [])], (1, 0, 0))
    first = batch._build()
    batch._set_producer_state(1, 0, 5)
    assert batch._build() != first
    assert read(batch._build()) == read(first)


@pytest.mark.parametrize("number", [0, 1, 63, 64, 8_191, 8_192, 16_383, 16_384, 1_048_576, 2**31 - 1])
def test_varints_are_zigzag(number: int) -> None:
    """Seven bits a byte, lowest first, the sign in the lowest."""
    left, encoded = number * 2, []
    while left > 127:
        encoded.append(left % 128 + 128)
        left //= 128
    assert varint(number) == bytes([*encoded, left])
