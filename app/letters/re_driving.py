"""Corrections and re-drives: each record that is sent again leaves in one transaction with the record that tells of it.

All operators share one transactional id. So the start of a run ends what a killed run has left open and fences one that
still goes on; what was done is read only after that. A letter that `re-drives` tells of is passed over, therefore a
second run, two runs at once and a run after a kill send each letter once.
"""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from ...codecs import cloudevents, re_drive
from ...codecs.errors import UndecodableError
from ...codecs.re_drive import ReDrive
from ...codecs.wire import encode
from .. import clients
from ..audit.reading import opened
from ..records import TopicError
from ..refusal import RefusedError
from ..runtime import failpoints
from ..runtime.outgoing import partition_of
from ..topology import TOPOLOGY
from .history import RE_DRIVES, History
from .remedy import checked, sendable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterator, Sequence

    from aiokafka.structs import RecordMetadata

    from ...agents.outbox import OutputRecord
    from ..audit.reading import Topics
    from ..settings import Settings
    from .letter import Letter

LETTERS_MAX: Final = 500
"""Letters of one transaction."""
BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of one transaction, or one letter."""


class Signed(NamedTuple):
    """Who does it, and why."""

    by: str
    why: str


class Sendable(NamedTuple):
    """A letter, and the record that is to be sent for it."""

    letter: Letter
    record: OutputRecord


class Refused(NamedTuple):
    """A letter that would only come back, and what is wrong with it."""

    letter: Letter
    error: UndecodableError


@dataclass(slots=True)
class Result:
    """What becomes of the letters asked for. done: sent before; sendable: with the record; sent: what tells of it."""

    sendable: list[Sendable] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    done: list[ReDrive] = field(default_factory=list)
    sent: list[ReDrive] = field(default_factory=list)


def sorted_out(letters: Sequence[Letter], history: History) -> Result:
    """What would become of letters: sent, refused, or passed over since they were sent before."""
    result = Result()
    for letter in letters:
        sending = history.sending(letter.id)
        if sending is not None:
            result.done.append(sending)
            continue
        try:
            result.sendable.append(Sendable(letter, sendable(letter, history.correction(letter.id))))
        except UndecodableError as error:
            result.refused.append(Refused(letter, error))
    return result


async def re_drive_all(settings: Settings, letters: Sequence[Letter], signed: Signed) -> Result:
    """Send letters to their topics, each once in its life, however often and by however many it is asked."""
    result, history = Result(), History()
    async with opened(settings, (RE_DRIVES,)) as topics:
        for part in _parts(letters):
            async with _alone(settings, topics, history) as producer:
                found = sorted_out(part, history)
                if found.sendable:
                    result.sent += await _send(producer, settings, found.sendable, signed, history)
            result.sendable += found.sendable
            result.refused += found.refused
            result.done += found.done
    return result


async def correct(settings: Settings, letter: Letter, value: bytes, signed: Signed) -> ReDrive:
    """Keep a value to send instead of the letter's own. Raises UndecodableError, and RefusedError once it was sent."""
    checked(letter, value)
    history = History()
    async with opened(settings, (RE_DRIVES,)) as topics, _alone(settings, topics, history) as producer:
        if history.sending(letter.id) is not None:
            message = f"{letter.id} was re-driven already; send the object anew with a higher revision"
            raise RefusedError(message)
        told = ReDrive(
            letter=letter.id,
            number=len(history.of(letter.id)),
            action="corrected",
            by=signed.by,
            why=signed.why,
            value=value.decode(),
        )
        size = len(encode(told))
        if size > settings.message_bytes_max:
            message = f"the correction has {size} bytes, BILLTIDE_MESSAGE_BYTES_MAX is {settings.message_bytes_max}"
            raise RefusedError(message)
        await producer.begin_transaction()
        await (await _tell(producer, settings, told))
        await producer.commit_transaction()
    return told


def _parts(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Letters in parts that fit a transaction."""
    part: list[Letter] = []
    size = 0
    for letter in letters:
        own = len(letter.value or b"")
        if part and (len(part) == LETTERS_MAX or size + own > BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(letter)
        size += own
    if part:
        yield part


@asynccontextmanager
async def _alone(settings: Settings, topics: Topics, history: History) -> AsyncIterator[AIOKafkaProducer]:
    """Be the only one who re-drives, and know all that was done before. A producer serves one transaction.

    So no late answer to one commit can end the next (KIP-890). Raises RefusedError when another run took over.
    """
    producer = AIOKafkaProducer(
        **settings.connection(),
        client_id=f"{settings.app_id}-re-drive",
        transactional_id=f"{settings.app_id}-re-drive",
        transaction_timeout_ms=settings.transaction_timeout_milliseconds,
        max_request_size=settings.message_bytes_max,
    )
    await clients.start(producer, producer.stop, settings)
    try:
        async for batch in topics.to_end():
            history.take(batch.records)
        yield producer
    except (ProducerFenced, AssertionError) as error:
        # aiokafka asserts that a producer is not used after it was fenced, which may be noticed by a call later.
        if isinstance(error, AssertionError) and not producer._txn_manager.is_fatal_error():  # noqa: SLF001 - no public question
            raise
        message = "another re-drive began meanwhile and took over; run it again, what was sent is passed over"
        raise RefusedError(message) from error
    finally:
        with contextlib.suppress(Exception):  # after a failure: what is open is ended now, or by the next start
            if producer._txn_manager.is_in_transaction():  # noqa: SLF001 - no public question
                await producer.abort_transaction()
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer,
    settings: Settings,
    sendable_ones: Sequence[Sendable],
    signed: Signed,
    history: History,
) -> list[ReDrive]:
    """Send records with what tells of them, in one transaction."""
    for stream in {letter.stream for letter, _ in sendable_ones}:
        await _check_partitions(producer, settings, stream)
    await producer.begin_transaction()
    deliveries = []
    for letter, (key, value, headers) in sendable_ones:
        where = partition_of(key or b"", TOPOLOGY.stream(letter.stream).partitions(settings.partitions))
        topic = settings.topic(letter.stream)
        deliveries.append(await producer.send(topic, value, key, where, headers=list(headers)))
    told = []
    for (letter, _), delivery in zip(sendable_ones, deliveries, strict=True):
        at = await delivery
        told.append(
            ReDrive(
                letter=letter.id,
                number=len(history.of(letter.id)),
                action="re_driven",
                by=signed.by,
                why=signed.why,
                stream=letter.stream,
                partition=at.partition,
                offset=at.offset,
            )
        )
    for delivery in [await _tell(producer, settings, one) for one in told]:
        await delivery
    failpoints.reach("sent")
    await producer.commit_transaction()
    return told


async def _tell(producer: AIOKafkaProducer, settings: Settings, told: ReDrive) -> asyncio.Future[RecordMetadata]:
    """Send what tells of a deed; its acknowledgement is to be awaited."""
    headers = cloudevents.headers(re_drive.TYPE, f"{told.letter}:{told.number}")
    topic, key = settings.topic(RE_DRIVES), told.letter.encode()
    sent: asyncio.Future[RecordMetadata] = await producer.send(topic, encode(told), key, headers=headers)
    return sent


async def _check_partitions(producer: AIOKafkaProducer, settings: Settings, stream: str) -> None:
    """Refuse to send where a key would lie in another partition than its engagement's."""
    topic = settings.topic(stream)
    there = len(await producer.partitions_for(topic))
    if there != TOPOLOGY.stream(stream).partitions(settings.partitions):
        message = f"topic {topic} has {there} partitions; set BILLTIDE_PARTITIONS to that of all inputs"
        raise TopicError(message)
