"""Whether all of a task's state is in its changelog and can be read: nothing may be decided on a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ..topology import TOPOLOGY
from .failures import PositionOutsideLogError

if TYPE_CHECKING:
    from ..settings import Settings

POLL_MILLISECONDS: Final = 1_000
AUDIT: Final = TOPOLOGY.stream("audit")
"""Every transaction that posts anything writes there too."""
MEND: Final = (
    "Put the topic back from a copy; else create all topics anew, under another BILLTIDE_TOPIC_PREFIX, and send all "
    "inputs again"
)


class OpenTransactionError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """A foreign transaction on the changelog is open: committed records behind it cannot be read until it ends."""


async def bounds(settings: Settings, consumer: AIOKafkaConsumer, where: TopicPartition) -> tuple[int, int]:
    """First offset and end of a changelog partition for a consumer that reads what is committed.

    Raises PositionOutsideLogError when its beginning is gone, and OpenTransactionError when its end is hidden. Call it
    after the former owner is fenced: then no open transaction is ours.
    """
    written = await _written(settings, where)
    first = int((await consumer.beginning_offsets([where]))[where])
    end = int((await consumer.end_offsets([where]))[where])
    if end < written:
        raise OpenTransactionError(
            f"{where.topic} partition {where.partition}: a transaction of another producer is open at offset {end} of "
            f"{written} and hides what follows, which may be state; `billtide doctor` says how to end it"
        )
    if first:
        raise PositionOutsideLogError(f"{cut(where, first, end)}. {MEND}")
    return first, end


def cut(where: TopicPartition, first: int, end: int) -> str:
    """Say that a changelog does not begin at 0. Compaction leaves its start; Kafka deletes by other policies only."""
    return (
        f"{where.topic} partition {where.partition}: the state begins at offset 0, the log holds {first} to {end - 1}: "
        f"offsets 0 to {first - 1} were deleted while cleanup.policy was not compact alone"
    )


async def _written(settings: Settings, where: TopicPartition) -> int:
    """Where the log ends, records of open transactions included."""
    consumer = AIOKafkaConsumer(**settings.connection(), enable_auto_commit=False)
    try:
        await consumer.start()
        return int((await consumer.end_offsets([where]))[where])
    finally:
        await consumer.stop()


async def require_no_past(settings: Settings, consumer: AIOKafkaConsumer, where: TopicPartition) -> None:
    """See that a task without any state has written nothing yet, by its partition of the audit."""
    told = TopicPartition(settings.topic(AUDIT.name), where.partition)
    end = (await consumer.end_offsets([told]))[told]
    consumer.assign([told])
    consumer.seek(told, (await consumer.beginning_offsets([told]))[told])
    while await consumer.position(told) < end:
        found = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=1)
        if found:
            raise PositionOutsideLogError(
                f"{where.topic} partition {where.partition}: the log is empty, and {told.topic} tells at offset "
                f"{found[told][0].offset} of {end} of what the task has done: the topic was created anew. {MEND}"
            )
