"""Start a Kafka client, or say in one way for every command that no broker answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiokafka.errors import KafkaConnectionError, KafkaError

from .refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .settings import Settings


class BrokerAbsentError(RefusedError):
    """No broker answers where the settings say."""


class Client(Protocol):
    """A client of aiokafka; producers and consumers `stop`, admin clients `close`."""

    async def start(self) -> None:
        """Connect."""


async def start(client: Client, end: Callable[[], Awaitable[None]], settings: Settings) -> None:
    """Connect a client; `end` frees it when that fails. Raises BrokerAbsentError."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await end()
        # What aiokafka says of a failed connection is the addresses again, as Python objects.
        reason = "" if isinstance(error, KafkaConnectionError) else f": {error}"
        message = (
            f"no Kafka at {settings.kafka_bootstrap}{reason}; "
            "start one with `billtide up`, or set BILLTIDE_KAFKA_BOOTSTRAP"
        )
        raise BrokerAbsentError(message) from error


def may_pass(error: BaseException | None) -> bool:
    """Whether an error says no more than that no broker serves now."""
    if isinstance(error, BrokerAbsentError):
        return may_pass(error.__cause__)
    return isinstance(error, OSError) or (isinstance(error, KafkaError) and error.retriable)
