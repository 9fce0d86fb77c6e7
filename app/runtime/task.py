"""A partition task: its state, its lock, its producer, and the way from being assigned to being active.

    assigned -> fencing -> restoring -> ready -> active
                   ^                               |  any error, or an unknown outcome
                   +-------- failed <--------------+

Activation in this order, or a record is lost or applied twice: InitProducerId fences the former owner and settles
its transaction; then the changelog is read to its end; then the inputs are sought at the positions that state holds;
then the gate opens. A rebalance shuts the gate and begins a new epoch; state and producer stay, because whoever owned
the task in between has fenced this producer, so that its next transaction fails and the task starts anew.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal

from faust.types import TP

from ...agents.context import Contexts
from . import failpoints, quiet
from .changelog import restore
from .ending import ended
from .failures import OUTCOMES, PositionOutsideLogError, reason_of
from .positions import starting_positions
from .transaction import TaskProducer
from .wakes import Wakes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from ...agents.work import Record, Work
    from ...tables.state import TaskState
    from .outgoing import Outgoing
    from .shared import Shared

log = logging.getLogger(__name__)

_EPOCHS: Final = itertools.count(1)
"""One sequence for all tasks: an epoch of a task that is gone is never that of the next task of its partition."""

Phase = Literal["assigned", "fencing", "restoring", "ready", "active", "failed", "closed"]


class PartitionTask:
    """Partition `partition` of every input. lock: held while its state is read or changed, its commit included.

    epoch rises whenever fetching must begin anew from the state's positions; waiting: slabs of a stream that are
    fetched and not yet done; stopped: inputs that bring too many bad records, each with which limit they exceed.
    """

    def __init__(self, shared: Shared, partition: int) -> None:
        """Make a task that waits for start()."""
        self.shared: Final = shared
        self.partition: Final = partition
        self.lock: Final = asyncio.Lock()
        self.waiting: Final[Counter[str]] = Counter()
        self.wakes: Final = Wakes(self)
        self.epoch = next(_EPOCHS)
        self.phase: Phase = "assigned"
        self.problem = ""
        self.state: TaskState | None = None
        self.contexts = Contexts()
        self.producer: TaskProducer | None = None
        self.restore_remaining = 0
        topic = shared.settings.topic
        self.stopped: Final[dict[str, str]] = {}
        self.inputs: Final = {stream.name: TP(topic(stream.name), partition) for stream in shared.topology.inputs}
        self._ends: dict[str, int] = {}
        self._failures = 0
        self._failed_stream = ""
        self._fenced = False
        self._wanted = asyncio.Event()
        self._background: Final[set[asyncio.Task[Any]]] = set()
        self._closing: Final[set[asyncio.Task[None]]] = set()

    def start(self) -> None:
        """Begin to activate, and to activate again whenever that is needed."""
        self._wanted.set()
        self.in_background(self._stay_active())
        self.in_background(self.wakes.run())

    def resume(self) -> None:
        """Seek and open again: the group has settled."""
        self._wanted.set()

    def shut(self) -> None:
        """Shut the gate: nothing fetched so far reaches the state any more."""
        self.epoch = next(_EPOCHS)
        self.waiting.clear()
        if self.phase == "active":
            self.phase = "ready"

    async def drained(self) -> None:
        """Return when the slab in hand, if any, is committed or thrown away."""
        async with self.lock:
            pass

    async def close(self) -> None:
        """Give the task up: stop its work, close its producer, forget its state."""
        self.shut()
        self.phase = "closed"
        await ended(set(self._background))
        producer, self.producer, self.state = self.producer, None, None
        if producer is not None:
            self._let_go(producer)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a task of its own that is not lost to the collector."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def commit(self, work: Work, outgoing: Outgoing, decided_seconds: float, where: TP) -> None:
        """Send all of a work, whose outbox is `outgoing`, in one transaction. Call it locked.

        On an error producer and memory are thrown away.
        """
        started = time.perf_counter()
        state, producer, metrics = work.state, self.producer, self.shared.metrics
        if producer is None or state is not self.state:
            return
        try:
            work.finish()
            self.wakes.carry(state)
            changes = state.changes()
            batches = outgoing.close(changes)
            encoded = time.perf_counter()
            failpoints.reach("encoded")
            await producer.write(batches)
            failpoints.reach("committed")
            state.commit(changes)
        except Exception as error:  # noqa: BLE001 - whatever it was, the outcome is read from the changelog
            if state is self.state:
                self.failed(error, "transaction", work.stream, where, work.records)
            return
        if self._failed_stream in {work.stream, ""}:
            self._failures, self._failed_stream = 0, ""
        metrics.committed(work, outgoing.counts, decided_seconds, encoded - started, time.perf_counter() - encoded)

    def continues(self, stream: str, begin: int, end: int) -> bool:
        """Whether a slab begins where the last one of its stream ended; if not, one was lost, and all is sought again.

        Call it locked, for a slab of this epoch, and once.
        """
        if self._ends[stream] == begin:
            self._ends[stream] = end
            return True
        log.warning(
            "task %d: %s goes on at %d, not at %d; sought again", self.partition, stream, begin, self._ends[stream]
        )
        self.shared.metrics.slabs_lost.inc()
        self.shut()
        self.resume()
        return False

    def has_all(self, stream: str, handed: int, epoch: int) -> bool:
        """Whether what was fetched up to `handed` under an epoch is committed. Call it locked."""
        return self.phase == "active" and epoch == self.epoch and self._ends[stream] == handed

    def stop_input(self, stream: str, problem: str) -> None:
        """Take nothing more of an input, until a worker with other limits has the task. Call it locked.

        What is fetched of it already is thrown away by the new epoch; the other inputs go on.
        """
        if stream not in self.stopped:
            self.stopped[stream] = problem
            log.error(
                "task %d takes nothing more of %s: %s; mend its sender, or raise the limit and start again",
                self.partition,
                stream,
                problem,
            )
        self.shut()
        self.resume()

    def slab_done(self, stream: str, epoch: int) -> None:
        """Count a slab out; its partition may be fetched again when it was shut for back-pressure."""
        if epoch == self.epoch and self.waiting[stream] > 0:
            self.waiting[stream] -= 1
            self.shared.gate_opened()

    def failed(self, error: BaseException, stage: str, stream: str, where: TP, records: Sequence[Record]) -> None:
        """Throw memory and producer away and activate again: the slab's records come back from the log."""
        reason = reason_of(error, stage)
        self.shared.metrics.failed(reason)
        self.shared.metrics.transactions_aborted.labels(reason).inc()
        self._failed_stream, self._fenced = "" if stream == quiet.STREAM else stream, reason == "fenced"
        offset = records[0].offset if records else -1
        place = {"topic": where.topic, "partition": where.partition, "offset": offset, "records": len(records)}
        log.error("task %d: %s", self.partition, OUTCOMES[reason], extra=place, exc_info=error)
        self._discard(f"{OUTCOMES[reason]}: {error!r}")
        self._wanted.set()

    def _discard(self, problem: str) -> None:
        self.shut()
        self.phase, self.problem = "failed", problem
        self._failures += 1
        self.wakes.forget()
        producer, self.producer, self.state, self.contexts = self.producer, None, None, Contexts()
        if producer is not None:
            self._let_go(producer)

    def _let_go(self, producer: TaskProducer) -> None:
        """Close a producer while other things go on; its open transaction is aborted."""
        task = asyncio.ensure_future(producer.discard(abort=True))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _stay_active(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                if self.state is None:
                    await self._rebuild()
                await self._open()
            except PositionOutsideLogError as error:
                self.shared.metrics.failed("position")
                log.error("task %d: %s", self.partition, error)  # noqa: TRY400 - the sentence says it all
                self.phase, self.problem = "failed", str(error)
                await asyncio.sleep(self.shared.settings.retry_milliseconds_max / 1000)
                self._wanted.set()
            except Exception as error:
                reason = reason_of(error, "activation")
                self.shared.metrics.failed(reason)
                trace = error if reason == "unexpected" else None
                log.error("task %d: %s: %s", self.partition, OUTCOMES[reason], error, exc_info=trace)  # noqa: TRY400
                async with self.lock:
                    self._discard(str(error) or repr(error))
                self._wanted.set()

    async def _rebuild(self) -> None:
        """Fence, then restore. The slots bound how many tasks read their changelog at once."""
        if self._failures:
            await asyncio.sleep(self.shared.pause_seconds(self._failures))
        if self._fenced:
            # Fenced means somebody else was given the task. Unless the group says within two heartbeats that it is
            # ours, fencing back would only make the two throw each other's work away.
            await asyncio.sleep(2 * self.shared.settings.heartbeat_milliseconds / 1000)
            await self.shared.settled.wait()
            self._fenced = False
        standbys = self.shared.standbys
        warm = standbys.is_warm(self.partition)
        async with self.shared.warm_slots if warm else self.shared.restore_slots:
            self.phase = "fencing"
            producer = TaskProducer(self.shared.settings, self.shared.topology, self.partition)
            try:
                failpoints.reach("fencing")
                await producer.start()
                failpoints.reach("fenced")
                self.phase = "restoring"
                topic = self.shared.settings.topic(self.shared.topology.changelog.name)
                with standbys.taken(self.partition) as copy:
                    restored = await restore(self.shared.settings, topic, self.partition, self._tell_remaining, copy)
            except BaseException:
                await producer.discard(abort=False)
                raise
        failpoints.reach("restored")
        self.producer, self.contexts = producer, Contexts()
        self.state = restored.state
        self.phase = "ready"
        self.shared.metrics.restored(restored.records, restored.seconds)
        if restored.warm:
            self.shared.metrics.warm_restores.inc()
            log.info("task %d: goes on from a warm copy of %d records", self.partition, restored.warm)
        log.info("task %d: restored %d records in %.2f s", self.partition, restored.records, restored.seconds)

    async def _open(self) -> None:
        """Seek the inputs where the state says and let them be fetched, unless the group moved meanwhile."""
        await self.shared.references.caught_up()
        await self.shared.settled.wait()
        async with self.lock:
            self._wanted.clear()
            state = self.state
            if state is None:
                self._wanted.set()
                return
            self.shut()
            epoch = self.epoch
            wanted = await starting_positions(self.shared, state, self.inputs)
            if not await self.shared.thread.seek_all(wanted, epoch) or epoch != self.epoch:
                return  # The next assignment asks again.
            self._ends = {stream: wanted[where] for stream, where in self.inputs.items()}
            self.phase, self.problem = "active", ""
            failpoints.reach("opened")
            self.shared.gate_opened()
            self.wakes.activated(state)

    def _tell_remaining(self, offsets: int) -> None:
        self.restore_remaining = offsets
