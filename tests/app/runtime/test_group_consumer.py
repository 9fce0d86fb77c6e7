"""Consumed records reach the agents as the client has read them, and a place in the group is one worker's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    KafkaError,
    UnknownMemberIdError,
)
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from billtide.app.runtime.group_consumer import (
    FENCED_INSTANCE_ID,
    AsRead,
    GroupConsumer,
    GroupLostError,
    InstanceTakenError,
    StaticCoordinator,
)
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


async def test_positions_after_a_rebalance() -> None:
    """Of what was assigned just now only what was sought has a position; of nothing assigned, nothing."""
    consumer: Any = GroupConsumer.__new__(GroupConsumer)
    consumer._closed = True  # nothing to close
    consumer._subscription = SubscriptionState()
    consumer._subscription.subscribe({WHERE.topic})
    assert consumer.known_positions() == {}

    consumer._subscription.assign_from_subscribed({WHERE, TopicPartition(WHERE.topic, 1)})
    consumer._subscription.seek(WHERE, 7)

    assert consumer.known_positions() == {WHERE: 7}


def coordinator(instance_id: str | None) -> Any:
    """A coordinator that has joined as member m-1 in generation 3, without a broker."""
    made: Any = StaticCoordinator.__new__(StaticCoordinator)
    made._group_instance_id, made._session_timeout_ms = instance_id, 6_000
    made.generation, made.member_id, made.coordinator_id = 3, "m-1", 1
    made.request_rejoin = lambda: None
    return made


@pytest.mark.parametrize(
    ("instance_id", "asked"),
    [
        pytest.param("worker-0", ["m-1", ""], id="static: as the former member, and anew once that is refused"),
        pytest.param(None, ["", ""], id="dynamic: anew"),
    ],
)
def test_who_a_member_that_is_unknown_joins_as(
    instance_id: str | None, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats go on while the drain before a join lasts, and each says unknown; the id is kept over all of them."""
    joined: list[str] = []

    async def join(self: Any, _: object) -> None:
        joined.append(self.member_id)
        self.reset_generation()  # as a join that is refused does

    monkeypatch.setattr(GroupCoordinator, "_do_rejoin_group", join)
    unknown = coordinator(instance_id)
    unknown.reset_generation()
    unknown.reset_generation()
    for _ in asked:
        asyncio.run(unknown._do_rejoin_group(None))

    assert joined == asked


@pytest.mark.parametrize(
    ("joined", "after"),
    [
        pytest.param(4, (4, "m-1"), id="the group has moved on meanwhile: nothing about this member"),
        pytest.param(3, (-1, ""), id="it has not: the member is out"),
    ],
)
def test_a_commit_that_is_answered_late(joined: int, after: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was stopped while the group moved syncs as who it is, not as nobody, who would be fenced."""
    made = coordinator("worker-0")
    made.group_id = "group"

    async def answered(*_: object) -> Any:
        made.generation = joined
        return SimpleNamespace(error_code=0, topics=[(WHERE.topic, [(WHERE.partition, IllegalGenerationError.errno)])])

    monkeypatch.setattr(GroupCoordinator, "_send_req", answered)
    with pytest.raises(IllegalGenerationError):
        asyncio.run(made._do_commit_offsets(None, {WHERE: OffsetAndMetadata(7, "")}))

    assert (made.generation, made.member_id) == after
    made.reset_generation()
    assert made.generation == -1


def test_a_worker_whose_place_is_taken_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the second time, in an error that no retry of the client swallows, with what mends it; at the first it joins anew."""

    async def refused(*_: object) -> Any:
        return SimpleNamespace(error_code=FENCED_INSTANCE_ID)

    monkeypatch.setattr(GroupCoordinator, "_send_req", refused)
    fenced = coordinator("worker-0")
    with pytest.raises(UnknownMemberIdError):
        asyncio.run(fenced._send_req(None))
    assert (fenced.generation, fenced.member_id, fenced._former) == (-1, "", "")
    with pytest.raises(InstanceTakenError, match="another worker has joined as 'worker-0'"):
        asyncio.run(fenced._send_req(None))
    assert not issubclass(InstanceTakenError, KafkaError)


async def test_heartbeats_go_on_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right withdrawn for a moment would end them for good, and the group give the worker up without its knowing."""

    async def refused(_: object) -> bool:
        raise GroupAuthorizationFailedError("group")

    monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", refused)

    assert await coordinator(None)._do_heartbeat() is False


def consumer(error: Exception | None, *, ended: bool = False, closed: bool = False) -> Any:
    """A consumer whose coordinator has run into an error: it waits for somebody to look, or has ended."""

    def check_errors() -> None:
        if error is not None:
            raise error

    coordinator = SimpleNamespace(
        check_errors=check_errors, _coordination_task=SimpleNamespace(done=lambda: ended), _group_instance_id=None
    )
    fetcher = SimpleNamespace(_closed=False)
    return SimpleNamespace(_closed=closed, _fetcher=fetcher, _coordinator=coordinator, _changed="")


def test_what_the_coordinator_runs_into_is_looked_at() -> None:
    """A refusal it can get over is let go of, so that it joins again; what ended it ends the worker."""
    taken = KafkaError("unexpected")
    taken.__cause__ = InstanceTakenError("taken")

    check = GroupConsumer.check
    check(consumer(None))
    check(consumer(IllegalGenerationError()))
    with pytest.raises(InstanceTakenError, match="taken"):
        check(consumer(taken, ended=True))
    with pytest.raises(GroupLostError, match="IllegalGeneration"):
        check(consumer(IllegalGenerationError(), ended=True))
    assert not issubclass(GroupLostError, KafkaError), "else it would be taken for a fetch to be tried again"
    with pytest.raises(ConsumerStoppedError):
        check(consumer(None, closed=True))
