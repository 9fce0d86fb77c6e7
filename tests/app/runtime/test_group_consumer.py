"""Consumed records reach the agents as the client has read them."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from billtide.app.runtime.group_consumer import AsRead
from billtide.app.runtime.record_batch import RecordBatch

WHERE = TopicPartition("time-entries", 0)


def test_records_are_not_copied() -> None:
    """What is taken out has key, value and offset, and is no second object of the client's, which names its topic."""
    batch = RecordBatch(1_000)
    batch.fill([(b"", b"E-1", b"value")], b"", b"")
    read = PartitionRecords(WHERE, MemoryRecords(batch._build()), [], 0, None, None, True, READ_COMMITTED)
    state = SimpleNamespace(paused=False, position=0, consumed_to=lambda _: None)
    assignment = SimpleNamespace(active=True, state_value=lambda _: state)
    fetched = AsRead()
    fetched[WHERE] = FetchResult(WHERE, assignment=assignment, partition_records=read, backoff=0)
    (record,) = fetched[WHERE].getall()

    assert (record.offset, record.key, record.value) == (0, b"E-1", b"value")
    assert not hasattr(record, "topic")
