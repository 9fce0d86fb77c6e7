"""Run what talks to Kafka to its end; a failure on the way becomes a sentence, not a traceback."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from aiokafka.errors import KafkaError

from ..refusal import RefusedError
from ..runtime import header_names

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from ..settings import Settings

T = TypeVar("T")


def run(settings: Settings, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine. Raises RefusedError when Kafka fails in a way the work itself does not explain."""
    header_names.mend()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its retries are not the user's concern; the outcome is
    try:
        return asyncio.run(work)
    except (KafkaError, OSError, TimeoutError) as error:
        problem = str(error) or type(error).__name__
        message = (
            f"Kafka at {settings.kafka_bootstrap} failed: {problem}; look at the broker, then run the command again"
        )
        raise RefusedError(message) from error
