"""One transaction per slab: outputs, state changes and the input position leave together, or not at all.

The producer belongs to one task and to one life of it. Its start fences every earlier owner of the task and waits
until their open transaction is settled. After any error it is thrown away, with the task's memory: what became of
the transaction is read from the changelog by the next life. A commit is never sent twice by one producer. With the
old transaction protocol a first EndTxn that was only delayed could end the transaction after the next one, so when
its answer is lost the outcome is unknown (KIP-890).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, KafkaTimeoutError, ProducerFenced
from aiokafka.producer.sender import EndTxnHandler, Sender

from . import failpoints
from .outgoing import Destination, Outgoing

if TYPE_CHECKING:
    from ..settings import Settings
    from ..topology import Topology
    from .outgoing import Batch

log = logging.getLogger(__name__)

RETRY_BACKOFF_MILLISECONDS: Final = 20
"""Kafka 4.1 answers about 5 % of first produces of older transaction clients with a retriable error."""
DISCARD_SECONDS_MAX: Final = 3.0
"""How long a producer that is thrown away may take to abort and close. It is a courtesy to readers: the next life of
the task fences it, and a worker whose broker is gone must still end in time."""
ABANDON_SECONDS: Final = 0.05
ABANDON_TRIES_MAX: Final = 50


class OutcomeUnknownError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """The answer to a commit was lost. The transaction may be committed or not; only the log knows."""


class _EndOnce(EndTxnHandler):  # type: ignore[misc]  # aiokafka has no types
    """Ends a transaction with one request: a lost answer is an error, not a reason to send it again."""

    async def do(self, node_id: int) -> bool:
        request = self.create_request()
        try:
            failpoints.reach_soon("commit_sent")
            response = await self._sender.client.send(node_id, request, group=self.group)
            failpoints.reach("commit_answered")
        except KafkaError as error:
            raise OutcomeUnknownError(f"no answer to the end of the transaction: {error!r}") from error
        pause = self.handle_response(response)
        if pause is None:
            return True
        await asyncio.sleep(pause)
        return False


class _Sender(Sender):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's sender with `_EndOnce`; an unknown outcome ends the transaction's waiter and the producer."""

    async def _do_txn_commit(self, commit_result: object) -> None:
        await self._message_accumulator.flush_for_commit()
        transactions = self._txn_manager
        if transactions.is_empty_transaction():
            transactions.complete_transaction()
            return
        coordinator = await self._find_coordinator(CoordinationType.TRANSACTION, transactions.transactional_id)
        try:
            await _EndOnce(self, commit_result).do(coordinator)
        except OutcomeUnknownError as error:
            transactions.fatal_error(error)


class TaskProducer:
    """The transactional producer of one life of a task. Not reusable after an error.

    outgoing() builds what write() takes. write() begins, sends, awaits every acknowledgement and commits; it raises
    what Kafka refused, and OutcomeUnknownError when nobody can say what became of the commit.
    """

    def __init__(self, settings: Settings, topology: Topology, partition: int) -> None:
        """Name the producer after the task; start() connects."""
        self._settings: Final = settings
        self._partition: Final = partition
        self._outputs: Final = {
            s.name: Destination(settings.topic(s.name), s.keyed_by_engagement) for s in topology.outputs
        }
        self._changelog: Final = settings.topic(topology.changelog.name)
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Fence the former owner. Returns when its last transaction is settled and visible."""
        settings = self._settings
        producer = AIOKafkaProducer(
            **settings.connection() | {"request_timeout_ms": settings.delivery_milliseconds_max},
            client_id=f"{settings.app_id}-task-{self._partition}",
            transactional_id=f"{settings.app_id}-{self._partition}",
            transaction_timeout_ms=settings.transaction_timeout_milliseconds,
            max_request_size=settings.message_bytes_max,
            linger_ms=0,
            retry_backoff_ms=RETRY_BACKOFF_MILLISECONDS,
        )
        producer._sender.__class__ = _Sender  # noqa: SLF001 - the producer makes its sender itself
        self._producer = producer
        async with asyncio.timeout(settings.activation_milliseconds_max / 1000):
            await producer.start()
            for topic in (self._changelog, *(output.topic for output in self._outputs.values())):
                await producer.client._wait_on_metadata(topic)  # noqa: SLF001 - so that sending never waits for it

    async def write(self, batches: list[Batch]) -> None:
        """Send everything in one transaction and commit it."""
        producer = self._live()
        delivery, commit = self._settings.delivery_milliseconds_max, self._settings.commit_milliseconds_max
        try:
            async with asyncio.timeout(delivery / 1000):
                await producer.begin_transaction()
                await _send(producer, batches)
                failpoints.reach("sent")
        except TimeoutError as error:
            raise KafkaTimeoutError(f"not all records were acknowledged within {delivery} ms") from error
        try:
            async with asyncio.timeout(commit / 1000):
                await producer.commit_transaction()
        except TimeoutError as error:
            raise OutcomeUnknownError(f"the commit was not answered within {commit} ms") from error

    async def discard(self, *, abort: bool) -> None:
        """Close the producer. With abort an open transaction is ended now, so that readers need not wait for it."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(DISCARD_SECONDS_MAX):
                if abort and producer._txn_manager.is_in_transaction():  # noqa: SLF001 - no public question
                    with contextlib.suppress(Exception):
                        await producer.abort_transaction()
                await producer.stop()
        except Exception as error:  # noqa: BLE001 - it is thrown away; the next life fences it
            log.debug("producer of task %d did not close: %r", self._partition, error)
            await _abandon(producer)
        _retrieve(producer)

    def _live(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise ProducerFenced("the task's producer was discarded")
        return self._producer

    def outgoing(self) -> Outgoing:
        """An outbox for one transaction; write() takes its batches."""
        settings = self._settings
        return Outgoing(self._outputs, self._changelog, self._partition, settings.partitions, settings.batch_bytes_max)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End what a producer still does, without Kafka: else its tasks go on trying until a broker answers them."""
    sender = producer._sender.sender_task  # noqa: SLF001 - aiokafka only closes what it can flush
    for _ in range(ABANDON_TRIES_MAX):
        if sender is None or sender.done():
            break
        sender.cancel()  # When cancelled it awaits its requests; cancelled again, it cancels the one it awaits.
        await asyncio.wait({sender}, timeout=ABANDON_SECONDS)
    producer._message_accumulator.fail_all(ProducerFenced("the task's producer was discarded"))  # noqa: SLF001
    producer._closed = True  # noqa: SLF001 - else its __del__ warns
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DISCARD_SECONDS_MAX):
            await producer.client.close()


def _retrieve(producer: AIOKafkaProducer) -> None:
    """Look at the errors of what was not sent, which asyncio would else report as never retrieved."""
    unsent = [batch for batches in producer._message_accumulator._batches.values() for batch in batches]  # noqa: SLF001
    futures = [producer._txn_manager._transaction_waiter]  # noqa: SLF001 - no public question
    futures += [future for batch in unsent for future in (batch.future, batch._drain_waiter)]  # noqa: SLF001
    for future in futures:
        if future is not None and future.done() and not future.cancelled():
            future.exception()


async def _send(producer: AIOKafkaProducer, batches: list[Batch]) -> None:
    """Send batches and await every acknowledgement; raises the first refusal, so that the transaction is aborted."""
    futures: list[asyncio.Future[Any]] = []
    try:
        # All first batches are queued without a pause, so that one AddPartitionsToTxn names all partitions.
        for _, topic, partition, records in sorted(batches, key=lambda batch: batch.wave):
            futures.append(await producer.send_batch(records, topic, partition=partition))
            failpoints.reach("partly_sent")
    finally:
        results = await asyncio.gather(*futures, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
