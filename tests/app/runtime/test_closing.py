"""What closes when Kafka does not answer: the consumer's thread and a discarded producer end all the same, in time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import pytest
from faust.transport.drivers import aiokafka as driver

from billtide.app.runtime import transaction, transport
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY

SHORT_SECONDS: Final = 0.2
CANCELS: Final = 3


async def cancelled(_: object) -> None:
    """End as aiokafka's close does when its heartbeat was cancelled in the middle of a request."""
    raise asyncio.CancelledError


async def refused(_: object) -> None:
    """End as a close that Kafka refuses."""
    raise ConnectionError


async def silent(_: object) -> None:
    """Wait for an answer that does not come."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("close", [cancelled, refused, silent])
async def test_the_consumer_thread_ends_however_its_close_ends(close: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the worker waits a minute for a thread that is gone, or for ever for a broker."""
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_thread_stop", close)
    monkeypatch.setattr(transport, "CLOSE_SECONDS_MAX", SHORT_SECONDS)
    thread = object.__new__(transport.SlabConsumerThread)

    async with asyncio.timeout(10 * SHORT_SECONDS):
        await thread.on_thread_stop()


class Stubborn:
    """A producer whose broker is gone: it cannot flush, and its sender awaits one request after the other."""

    def __init__(self) -> None:
        self.failed: list[BaseException] = []
        self.closed = False
        self._sender = self._message_accumulator = self._txn_manager = self.client = self
        self.sender_task = asyncio.ensure_future(self._send())
        self._batches: dict[object, list[object]] = {}
        self._transaction_waiter = None
        self._closed = False

    async def _send(self) -> None:
        for _ in range(CANCELS):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    def is_in_transaction(self) -> bool:
        """It has one open."""
        return True

    async def abort_transaction(self) -> None:
        """Nobody answers."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """It cannot flush."""
        await asyncio.Event().wait()

    def fail_all(self, error: BaseException) -> None:
        """Fail what is not sent."""
        self.failed.append(error)

    async def close(self) -> None:
        """Close the connections."""
        self.closed = True


async def test_a_discarded_producer_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sender ends, what it has not sent fails, its connections close, soon after the limit; nothing is raised."""
    monkeypatch.setattr(transaction, "DISCARD_SECONDS_MAX", SHORT_SECONDS)
    producer = transaction.TaskProducer(Settings(), TOPOLOGY, 0)
    stubborn: Any = Stubborn()
    producer._producer = stubborn
    await asyncio.sleep(0)

    async with asyncio.timeout(10 * SHORT_SECONDS):
        await producer.discard(abort=True)

    assert stubborn.sender_task.done()
    assert len(stubborn.failed) == 1
    assert stubborn.closed
    assert stubborn._closed
