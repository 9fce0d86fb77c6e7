"""aiokafka's consumer of the group, with records left as they are read."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult


class AsRead(OrderedDict[Any, Any]):
    """What the fetcher has read and nobody has asked for yet. Its records stay as they were read.

    aiokafka makes a second object of each when it is handed over, at three times the cost of reading it; that one
    adds the topic, which a slab has once. Should aiokafka stop to ask, records arrive as its second objects.
    """

    def __setitem__(self, where: Any, result: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        """Take what is read of a partition, or the error."""
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = lambda _where, record: record  # noqa: SLF001
        super().__setitem__(where, result)


class GroupConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """The group's consumer."""

    async def start(self) -> None:
        """Connect, with records left as they are read."""
        await super().start()
        self._fetcher._records = AsRead()  # noqa: SLF001
