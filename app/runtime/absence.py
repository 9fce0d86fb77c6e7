"""A broker that is not there yet, or not any more, while a worker begins: waited for, told once, within a limit."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from aiokafka.errors import KafkaError

from ..clients import BrokerAbsentError, may_pass
from ..settings import variable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .shared import Shared

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)
CLIENT: Final = logging.getLogger("aiokafka")


async def outlast(
    shared: Shared,
    attempt: Callable[[], Awaitable[Answer]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Answer:
    """Try until a broker answers: a pod that ended instead would be started again and again.

    sleep: the pause between two tries. Raises what the attempt raised last when no broker answers in time, and at
    once what more time does not mend.
    """
    level = CLIENT.level
    CLIENT.setLevel(logging.CRITICAL)  # why no connection is made is said here, once
    try:
        return await _tried(shared, attempt, sleep)
    finally:
        CLIENT.setLevel(level)


async def _tried(
    shared: Shared, attempt: Callable[[], Awaitable[Answer]], sleep: Callable[[float], Awaitable[None]]
) -> Answer:
    limit = shared.settings.broker_wait_milliseconds_max
    began, tries = time.monotonic(), 0
    while True:
        try:
            answer = await attempt()
        except (BrokerAbsentError, KafkaError, OSError) as error:
            tries += 1
            pause = shared.pause_seconds(tries)
            if not may_pass(error) or time.monotonic() - began + pause > limit / 1000:
                raise
            if not shared.missing:
                shared.missing = f"waiting for Kafka at {shared.settings.kafka_bootstrap}"
                name = variable("broker_wait_milliseconds_max")
                log.warning("%s, for %.0f s at most (%s=%d)", shared.missing, limit / 1000, name, limit)
            await sleep(pause)
        else:
            if shared.missing:
                log.info("Kafka answers after %.1f s", time.monotonic() - began)
            shared.missing = ""
            return answer
