"""A record whose header's name is no UTF-8 is read like any other, wherever it stands, and stops no worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher

from billtide.app.runtime import header_names
from billtide.app.runtime.record_batch import RecordBatch, varint

if TYPE_CHECKING:
    from .conftest import StartWorker, Topics, Until

BROKEN = b"a\xffb"
READ = "a\\xffb"
HEADERS = {"sound": varint(1) + varint(1) + b"h", "broken": varint(1) + varint(len(BROKEN)) + BROKEN}


def batch(*kinds: str, compressible: bool = False) -> RecordBatch:
    """A batch with a record of each kind, not in a transaction."""
    made = RecordBatch(100_000, 5)
    made._attributes = 0
    for kind in kinds:
        made.fill([(b"own", b"E-1", kind.encode() * (50 if compressible else 1))], HEADERS[kind], b"")
    made.close()
    return made


def fetched(*batches: RecordBatch, start: int = 0, cut: int = 0) -> list[tuple[int, str, bytes]]:
    """Offset, first header's name and value of what a consumer reads of batches that follow each other."""
    raw, offset = b"", 0
    for one in batches:
        raw += offset.to_bytes(8, "big") + one._build()[8:]
        offset += one.record_count()
    records: Any = header_names._Kept(raw[: len(raw) - cut])
    assert records.has_next()
    where = TopicPartition("time-entries", 0)
    read = header_names._Records(where, records, [], start, None, None, True, fetcher.READ_COMMITTED)
    found = [(one.offset, one.headers[0][0], one.value) for one in read]
    assert read.next_fetch_offset == (found[-1][0] + 1 if found else start)
    return found


@pytest.mark.parametrize(
    ("batches", "start", "names"),
    [
        pytest.param(["sound sound"], 0, {0: "h", 1: "h"}, id="none"),
        pytest.param(["broken"], 0, {0: READ}, id="alone"),
        pytest.param(["sound broken sound"], 0, {0: "h", 1: READ, 2: "h"}, id="in the midst of a batch"),
        pytest.param(["sound", "broken", "sound"], 0, {0: "h", 1: READ, 2: "h"}, id="a batch among others"),
        pytest.param(["broken", "sound broken"], 0, {0: READ, 1: "h", 2: READ}, id="two of them"),
        pytest.param(["sound broken sound"], 2, {2: "h"}, id="before the first offset asked for"),
    ],
)
@pytest.mark.parametrize("compressible", [False, True])
def test_each_record_is_read_once(batches: list[str], start: int, names: dict[int, str], *, compressible: bool) -> None:
    """All of them in their order, none twice; a byte that is no UTF-8 is written out."""
    read = fetched(*(batch(*kinds.split(), compressible=compressible) for kinds in batches), start=start)

    assert {offset: name for offset, name, _ in read} == names
    assert [offset for offset, _, _ in read] == sorted(names)
    kinds = " ".join(batches).split()
    assert [value for _, _, value in read] == [kinds[at].encode() * (50 if compressible else 1) for at in sorted(names)]


def test_a_batch_that_is_cut_off_is_fetched_again() -> None:
    """What a fetch has no room for is not read, broken or not."""
    assert [offset for offset, _, _ in fetched(batch("broken"), batch("broken"), cut=3)] == [0]


@pytest.mark.kafka
async def test_such_a_record_stops_no_worker(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """It is applied, and so is all around it.

    If this fails, aiokafka reads records in another way: mend runtime/header_names.py.
    """
    topic = kafka.settings.topic("time-entries")
    async with AIOKafkaProducer(bootstrap_servers=kafka.settings.kafka_bootstrap) as producer:
        await (await producer.send_batch(batch("sound", "broken"), topic, partition=0))
    await kafka.send("time-entries", [(f"E-{number}", f"r{number}") for number in range(40)])
    async with worker() as running:
        await until(lambda: running.value("record_outcomes_total") == 42)

    assert (await kafka.outputs())["broken"] == 1
