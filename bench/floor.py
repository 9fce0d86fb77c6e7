"""The floor: what the same clients cost without Faust, state or rules. Consume, decode, produce in transactions.

Run by throughput.py with the topics in the environment; prints one JSON object.
"""

from __future__ import annotations

import asyncio
import os
import time

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from billtide.app.runtime import tuning
from billtide.app.settings import load
from billtide.codecs import time_entry

COUNT = int(os.environ["FLOOR_COUNT"])
TOPIC = os.environ["FLOOR_TOPIC"]
OUTPUT = os.environ["FLOOR_OUTPUT"]


async def run() -> dict[str, float]:
    """Read COUNT records and write one of the same size for each, a transaction a fetch and partition."""
    settings = load()
    consumer = AIOKafkaConsumer(
        **settings.connection(),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=settings.fetch_bytes_max,
    )
    producer = AIOKafkaProducer(
        **settings.connection(),
        transactional_id=f"{OUTPUT}-floor",
        linger_ms=0,
        max_batch_size=1 << 20,
        compression_type="zstd",
    )
    await consumer.start()
    await producer.start()
    partitions = [TopicPartition(TOPIC, number) for number in range(settings.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    seen, began, used = 0, 0.0, 0.0
    while seen < COUNT:
        for at, records in (await consumer.getmany(timeout_ms=100, max_records=settings.slab_records_max)).items():
            if not seen:
                began, used = time.monotonic(), time.process_time()
            await _write(producer, at.partition, records)
            seen += len(records)
    result = {"events": seen, "seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - used}
    await consumer.stop()
    await producer.stop()
    return result


async def _write(producer: AIOKafkaProducer, partition: int, records: list[ConsumerRecord]) -> None:
    await producer.begin_transaction()
    deliveries = []
    batch = producer.create_batch()
    for record in records:
        time_entry.decode(record.value)
        if batch.append(key=record.key, value=record.value, timestamp=None) is None:
            batch.close()
            deliveries.append(await producer.send_batch(batch, OUTPUT, partition=partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=None)
    batch.close()
    deliveries.append(await producer.send_batch(batch, OUTPUT, partition=partition))
    await asyncio.gather(*deliveries)
    await producer.commit_transaction()


if __name__ == "__main__":
    tuning.tune()
    print(msgspec.json.encode(uvloop.run(run())).decode())
