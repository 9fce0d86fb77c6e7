"""Send the sample week, and look first whether the topics belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from .. import records
from ..records import TopicError
from ..refusal import RefusedError
from .firm import in_order
from .reading import read_streams

if TYPE_CHECKING:
    from ..settings import Settings
    from .firm import Phase, Week


class ForeignDataError(RefusedError):
    """The topics hold engagements of somebody else: the demonstration's check would not be about its own data."""


async def send_phase(settings: Settings, phase: Phase) -> int:
    """Send the records of a phase with their own timestamps, in the order they came about; returns how many."""
    async with records.sender(settings) as producer:
        try:
            deliveries = [
                await producer.send(
                    settings.topic(stream),
                    key=sent.key,
                    value=sent.value,
                    headers=list(sent.headers),
                    timestamp_ms=sent.timestamp,
                )
                for stream, sent in in_order(phase)
            ]
            for delivery in deliveries:
                await delivery
        except KafkaError as error:
            message = f"the sample week cannot be sent: {error}; check the topics with `billtide topics check`"
            raise TopicError(message) from error
    return len(deliveries)


async def require_own(settings: Settings, week: Week) -> bool:
    """Whether the week was sent before. Raises ForeignDataError when engagements of other data are there."""
    own = {(sent.key, sent.value) for phase in week.phases for sent in phase.get("engagements", ())}
    found = False
    for record in (await read_streams(settings, ["engagements"]))["engagements"]:
        found = True
        if (record.key, record.value) not in own:
            topic, name = settings.topic("engagements"), (record.key or b"").decode(errors="replace")
            message = (
                f"{topic} holds engagement {name!r}, which is not of this sample week; use the seed it was made with, "
                "or set BILLTIDE_TOPIC_PREFIX and BILLTIDE_APP_ID to names of their own"
            )
            raise ForeignDataError(message)
    return found
