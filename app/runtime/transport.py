"""Slab transport: Faust's Kafka consumer, handing over what one fetch brought for one partition as one message.

What Faust's own consumer does and this one must not: it clears its queues after it seeks, so records fetched in
between are lost; it seeks to group offsets; it drops records below what it has read before. Here a partition is
fetched only while its gate is open. A task opens it after it has sought its position, under an epoch; a slab of an
older epoch is dropped, and what it held is fetched again, because every new epoch begins with a seek. The epoch is
that of the last seek when the records are taken, not when they were asked for: a fetch that waits since before the
seek may be the one that takes the first records after it. And each slab says where it begins and ends: one that does
not begin where the last one ended shows that a slab was lost on its way through Faust, and the task seeks again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage

from . import failpoints
from .absence import outlast
from .fetched import Fetched, Reached
from .group_consumer import GroupConsumer
from .placement import NamedRangeAssignor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence

    from faust.types import TP

    from .application import Application
    from .slab import TaskSlab
    from .tasks import Tasks

log = logging.getLogger(__name__)

FETCH_MAX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of one answer over all partitions, which bounds what a worker holds of records not yet asked for."""
CLOSE_SECONDS_MAX: Final = 5.0
"""How long the consumer may take to leave the group and close."""


def application_of(app: Any) -> Application:  # noqa: ANN401 - Faust knows it by its interface
    """Faust's application, by its real type."""
    return cast("Application", app)


class GatedListener(driver.ConsumerRebalanceListener):
    """Runs in the consumer thread. Nothing is fetched of a new partition before its task has sought its position."""

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401 - aiokafka's signature
        """Pause first, and set a position, so that no group offset is looked up and no record fetched."""
        consumer = self._thread._ensure_consumer()  # noqa: SLF001 - Faust's driver does the same
        for partition in assigned:
            consumer.seek(partition, 0)
        consumer.pause(*assigned)
        await super().on_partitions_assigned(assigned)


class SlabConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread with the group's consumer. Its methods are called from the worker's loop."""

    mundane_level = "debug"

    def _create_worker_consumer(self, transport: Any) -> GroupConsumer:  # noqa: ANN401, ARG002 - Faust's signature
        settings = application_of(self.app).settings
        self._assignor = self.placement = NamedRangeAssignor(settings.instance_id)
        self._gate_opened = asyncio.Event()
        self._handed: dict[Any, tuple[int, int]] = {}
        return GroupConsumer(
            **settings.connection(),
            partitions=settings.partitions,
            client_id=f"{settings.app_id}-worker",
            group_id=settings.app_id,
            group_instance_id=settings.instance_id or None,
            partition_assignment_strategy=[self.placement],
            enable_auto_commit=False,
            # A position outside the log is an error of the task, never a silent jump.
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=settings.fetch_bytes_max,
            fetch_max_bytes=FETCH_MAX_BYTES,
            fetch_max_wait_ms=settings.fetch_wait_milliseconds_max,
            session_timeout_ms=settings.session_timeout_milliseconds,
            heartbeat_interval_ms=settings.heartbeat_milliseconds,
            rebalance_timeout_ms=settings.rebalance_milliseconds_max,
            max_poll_interval_ms=settings.rebalance_milliseconds_max,
        )

    async def on_start(self) -> None:
        """Connect. A broker that went away since the topics were looked at is waited for as it is before."""
        failpoints.reach("connecting")
        consumer = self._consumer = self._create_consumer(loop=self.thread_loop)

        async def connect() -> None:
            if not self.should_stop:
                await consumer.start()

        await outlast(application_of(self.app).partition_tasks.shared, connect, self.sleep)

    async def on_thread_stop(self) -> None:
        """Leave the group and close, if the broker answers in time.

        Whatever happens must end here: what stops the worker waits a minute for a thread that ended by an error.
        """
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await super().on_thread_stop()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - aiokafka lets the cancelled out
            log.warning("the consumer did not close: %r; the group gives it up after its session", error)

    async def _there(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the work returns
        """Run a coroutine in the consumer thread's loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    async def fetch(self, partitions: Sequence[TP], timeout: float) -> dict[TP, Fetched]:  # noqa: ASYNC109 - a poll
        """Take what is fetched of `partitions`; wait up to `timeout` seconds for some, or until a gate opens."""
        return await self._there(self._fetch(partitions, timeout))  # type: ignore[no-any-return]

    def gate_opened(self) -> None:
        """End a wait in fetch(), so that a partition that may be fetched again is asked for at once."""
        self.thread_loop.call_soon_threadsafe(self._gate_opened.set)

    async def _fetch(self, partitions: Sequence[TP], timeout: float) -> dict[TP, Fetched]:  # noqa: ASYNC109
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001 - as Faust's driver does
        consumer.check()
        # The context tells the coordinator that the worker is alive, also while every gate is shut.
        with fetcher.asking():
            maximum = application_of(self.app).settings.slab_records_max
            if partitions and (found := await fetcher.fetched_records(partitions, 0, maximum)):
                return self._hand_over(found)
            waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._gate_opened.wait())]
            if partitions:
                waits.append(asyncio.ensure_future(fetcher.fetched_records(partitions, timeout, maximum)))
            try:
                await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Records are taken in one step at the end of the wait: cancelled before it, none is lost.
                for wait in waits:
                    wait.cancel()
                # Cancelled after it they are, but what was handed over tells where they were.
                taken = partitions and waits[-1].done() and not waits[-1].cancelled()
                fetched = self._hand_over(waits[-1].result()) if taken else {}
            # Cleared only here: a gate that opened before the wait began must end it at once.
            self._gate_opened.clear()
            return fetched

    def _hand_over(self, found: Mapping[Any, list[Any]]) -> dict[TP, Fetched]:
        """Note where each partition has got to, in the same step in which its records are taken."""
        state = self._ensure_consumer()._subscription.subscription.assignment  # noqa: SLF001
        fetched = {}
        for where, records in found.items():
            begin, epoch = self._handed[where]
            end = state.state_value(where).position
            self._handed[where] = end, epoch
            fetched[ensure_TP(where)] = Fetched(records, begin, end, epoch)
        return fetched

    async def bounds(self, partitions: Sequence[TP]) -> dict[TP, tuple[int, int]]:
        """First offset and end (last stable offset) of each partition."""

        async def ask() -> dict[TP, tuple[int, int]]:
            consumer = self._ensure_consumer()
            asked = [TopicPartition(*where) for where in partitions]
            first, end = await asyncio.gather(consumer.beginning_offsets(asked), consumer.end_offsets(asked))
            return {ensure_TP(where): (first[where], end[where]) for where in first}

        return await self._there(ask())  # type: ignore[no-any-return]

    async def seek_all(self, positions: Mapping[TP, int], epoch: int) -> bool:
        """Set positions and let them be fetched under an epoch; False when a partition is not ours any more."""

        async def do() -> bool:
            consumer = self._ensure_consumer()
            if not consumer.assignment().issuperset(positions):
                return False
            for where, offset in positions.items():
                consumer.seek(TopicPartition(*where), offset)
                self._handed[TopicPartition(*where)] = offset, epoch
            consumer.resume(*(TopicPartition(*where) for where in positions))
            return True

        return await self._there(do())  # type: ignore[no-any-return]

    async def reached(self) -> dict[TP, Reached]:
        """How far each assigned partition is read that has a position."""

        async def ask() -> dict[TP, Reached]:
            known, nowhere = self._ensure_consumer().known_positions(), (-1, -1)
            return {ensure_TP(where): Reached(at, *self._handed.get(where, nowhere)) for where, at in known.items()}

        return await self._there(ask())  # type: ignore[no-any-return]

    async def publish_positions(self, positions: Mapping[TP, int]) -> None:
        """Write group offsets, for lag tools only; a failure costs nothing and is tried again by the next."""

        async def do() -> None:
            consumer = self._ensure_consumer()
            mine = consumer.assignment()
            offsets = {
                TopicPartition(*where): OffsetAndMetadata(offset, "")
                for where, offset in positions.items()
                if where in mine
            }
            if offsets:
                await consumer.commit(offsets)

        try:
            await self._there(do())
        except KafkaError as error:
            log.debug("group offsets not written: %r", error)


class SlabConsumer(driver.Consumer):
    """Faust's consumer, slab by slab."""

    RebalanceListener = GatedListener
    mundane_level = "debug"
    _subscribed: frozenset[str] = frozenset()

    @property
    def tasks(self) -> Tasks:
        """The partition tasks of this worker."""
        return application_of(self.app).partition_tasks

    @property
    def thread(self) -> SlabConsumerThread:
        """The consumer thread, by its real type."""
        return cast("SlabConsumerThread", self._thread)

    def _new_consumer_thread(self) -> SlabConsumerThread:
        return SlabConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Subscribe once. Faust asks again 45 s after each assignment, which would rebalance the group for nothing."""
        wanted = frozenset(topics)
        if wanted != self._subscribed:
            self._subscribed = wanted
            await super().subscribe(wanted)

    async def perform_seek(self) -> None:
        """Do nothing where Faust seeks to group offsets: each task seeks the positions its state holds."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing where Faust warns of idle partitions: ours are shut on purpose while a task restores."""

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - Faust's signature
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for message in self._slabs():
                    await self.callback(message)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _slabs(self) -> AsyncIterator[ConsumerMessage]:
        """Fetch once; give each partition's records as one message."""
        try:
            found = await self.thread.fetch(self.tasks.open_partitions(), 1.0)
        except OffsetOutOfRangeError as error:
            self.tasks.out_of_range({ensure_TP(where): offset for where, offset in error.args[0].items()})
            return
        except KafkaError as error:  # what ends the worker is none: see GroupConsumer.check()
            log.warning("nothing was fetched: %r; tried again", error)
            await asyncio.sleep(self.tasks.shared.pause_seconds(1))
            return
        for where, fetched in found.items():
            slab = self.tasks.admit(where, fetched)
            if slab is not None:
                yield self._message(where, slab)

    def _message(self, where: TP, slab: TaskSlab) -> ConsumerMessage:
        last: Any = slab.records[-1]
        value: Any = slab
        return ConsumerMessage(
            where.topic,
            where.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            value,
            None,
            0,
            0,
            where,
            generation_id=self.app.consumer_generation_id,
        )


class SlabTransport(driver.Transport):
    """Faust's Kafka transport with the slab consumer."""

    Consumer = SlabConsumer
