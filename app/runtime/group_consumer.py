"""aiokafka's consumer of the group: records left as they are read, and what its place in the group runs into."""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import ConsumerStoppedError, KafkaError, UnknownMemberIdError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import JoinGroupRequest

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

log = logging.getLogger(__name__)
CLIENT: Final = logging.getLogger("aiokafka.consumer.group_coordinator")
"""What aiokafka would repeat each tenth of a second is logged like its own."""

FENCED_INSTANCE_ID: Final = 82
"""Kafka's error code: a later member has joined under the same instance id. aiokafka 0.14 does not know it."""
AGAIN_SESSIONS: Final = 5
"""Fenced a second time within so many sessions, a worker has a rival: that fences back in less than one."""


class InstanceTakenError(RuntimeError):
    """Another worker has this one's place in the group. It must end: two would throw each other out for ever."""


class GroupLostError(RuntimeError):
    """The coordinator has ended: this worker is out of the group for ever, and must be started again."""


class PartitionsChangedError(RuntimeError):
    """An input has other partitions than tasks. The worker must end: keys are in other partitions than their state."""


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


_committing: ContextVar[int | None] = ContextVar("generation of a commit of offsets", default=None)


class StaticCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's coordinator, whose static member comes back under the member id it had.

    A heartbeat says of a member that was replaced what it says of one whose session is over: unknown. aiokafka then
    joins without an id, which replaces whoever has the place now, who does the same. Asked with the former id, Kafka
    tells the two apart: unknown again, then it joins anew, or fenced, then the place is somebody else's.

    A commit of offsets whose answer comes after the group has moved on says nothing of the member there is now.
    aiokafka forgets who it is all the same, even between joining and syncing: then it syncs as nobody, and Kafka takes
    it for a second worker in its place.

    Being fenced once need not mean that there is another worker: of two requests to join, of which the first was given
    up and arrived all the same, the one that is taken up last replaces the other (KAFKA-20985). So a fenced member
    joins anew. Of two workers that live, that fences the other, which joins anew too and fences this one for the
    second time: the former of the two ends.
    """

    member_id: str
    _former: str = JoinGroupRequest.UNKNOWN_MEMBER_ID
    _fenced_at: float = -math.inf

    def reset_generation(self) -> None:
        """Forget generation and member id; of a static member that had joined, keep the id for its next join."""
        if _committing.get() not in {None, self.generation}:
            return
        if self._group_instance_id is not None and self.generation != OffsetCommitRequest.DEFAULT_GENERATION_ID:
            self._former = self.member_id
        super().reset_generation()

    async def _do_commit_offsets(self, *args: Any) -> None:  # noqa: ANN401 - aiokafka's signature
        before = _committing.set(self.generation)
        try:
            await super()._do_commit_offsets(*args)
        finally:
            _committing.reset(before)

    async def _do_rejoin_group(self, subscription: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        if self.member_id == JoinGroupRequest.UNKNOWN_MEMBER_ID:
            self.member_id, self._former = self._former, JoinGroupRequest.UNKNOWN_MEMBER_ID
        return await super()._do_rejoin_group(subscription)

    async def _do_heartbeat(self) -> bool:
        """Go on after a refusal, such as a right withdrawn for a moment: without heartbeats the group gives it up."""
        try:
            return await super()._do_heartbeat()  # type: ignore[no-any-return]
        except KafkaError as error:
            CLIENT.warning("the group refused a heartbeat: %r; tried again", error)
            return False

    async def _send_req(self, request: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        response = await super()._send_req(request)
        if getattr(response, "error_code", 0) == FENCED_INSTANCE_ID:
            self._fenced()
        return response

    def _fenced(self) -> None:
        """Somebody else is, or was, in this worker's place. Raises what has it join anew, then InstanceTakenError."""
        before, self._fenced_at = self._fenced_at, time.monotonic()
        place = f"another worker has joined as {self._group_instance_id!r}, this worker's place in the group"
        if self._fenced_at - before < AGAIN_SESSIONS * self._session_timeout_ms / 1000:
            message = f"{place}; give each worker a BILLTIDE_INSTANCE_ID of its own, or none, and start this one again"
            log.error("%s", message)
            raise InstanceTakenError(message)
        log.warning("%s, or a request of its own came late; it joins anew, and ends if that happens again", place)
        self._former = JoinGroupRequest.UNKNOWN_MEMBER_ID
        super().reset_generation()
        raise UnknownMemberIdError


class GroupConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """The group's consumer. partitions: how many each of its topics must have, for as long as it lives."""

    def __init__(self, *, partitions: int, **named: Any) -> None:  # noqa: ANN401 - aiokafka's own
        """Make it; start() connects."""
        super().__init__(**named)
        self._partitions: Final = partitions
        self._changed = ""

    async def start(self) -> None:
        """Connect, with records left as they are read."""
        await super().start()
        self._client.cluster.add_listener(self._compare)
        self._fetcher._records = AsRead()  # noqa: SLF001
        self._coordinator.__class__ = StaticCoordinator  # the consumer makes its coordinator itself

    def check(self) -> None:
        """Look for what the coordinator has run into: it waits until somebody does, out of the group.

        What it gets over by joining again is logged. Raises ConsumerStoppedError, what ended the coordinator, and
        PartitionsChangedError.
        """
        if self._closed or self._fetcher._closed:  # noqa: SLF001 - as Faust's driver does
            raise ConsumerStoppedError
        if self._changed:
            log.error("%s", self._changed)
            raise PartitionsChangedError(self._changed)
        try:
            self._coordinator.check_errors()
        except KafkaError as error:
            if self._coordinator._coordination_task.done():  # noqa: SLF001 - no public question
                cause = error.__cause__ or error
                if isinstance(cause, KafkaError):
                    raise GroupLostError(repr(cause)) from cause
                raise cause from None
            log.warning("the group refused this worker: %r; it joins again", error)

    def known_positions(self) -> dict[TopicPartition, int]:
        """Where it reads on, without position()'s wait: after a rebalance nothing has a position until it is sought."""
        assignment = self._subscription.subscription.assignment if self.assignment() else None
        states = {} if assignment is None else {where: assignment.state_value(where) for where in assignment.tps}
        return {where: state.position for where, state in states.items() if state.has_valid_position}

    def _compare(self, cluster: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        """Look at what the brokers say of our topics, whenever they are asked."""
        for topic in sorted(self.subscription() or ()):
            count = len(cluster.partitions_for_topic(topic) or ())
            if count not in {0, self._partitions}:
                self._changed = (
                    f"{topic} has {count} partitions now, not {self._partitions}: its records reach other tasks than "
                    "those that have their state. Create it again with its records and as many partitions as before, "
                    "then start the workers again; `billtide topics check` tells when all is well"
                )
