"""aiokafka's connections, whose ends are what aiokafka expects them to be.

A client asks any broker for the cluster's layout over a connection of its own. aiokafka 0.14 closes it after the
answer and after an error, but forgets it, open, when it is cancelled between the two: a task that is given up while
it connects would leave a socket behind, and an error in the log when the collector finds it.

A connection that is made while its client is being closed is closed by nobody: close() looks at those there are.

A connection that was reset is closed by uvloop before aiokafka hears of it. What is sent in between raises an error
of uvloop's that aiokafka does not know (aio-libs/aiokafka#1038): it would end, unseen, what fetches records for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import client
from aiokafka.conn import AIOKafkaConnection, CloseReason, create_conn
from aiokafka.errors import KafkaConnectionError


class _Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    def send(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        try:
            return super().send(*args, **named)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection at {self.host}:{self.port} broken: {error}") from error


class _FirstConnection(_Connection):
    async def send(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        try:
            return await super().send(*args, **named)
        except asyncio.CancelledError:
            self.close()
            raise


async def _create_conn(*args: Any, **named: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's signature
    """Connect. Only the first connection has nobody to tell of its end: the client keeps all others.

    Raises KafkaConnectionError when the client was closed meanwhile.
    """
    connection = await create_conn(*args, **named)
    owner = getattr(named.get("on_close"), "__self__", None)
    connection.__class__ = _FirstConnection if owner is None else _Connection
    if owner is not None and owner._sync_task is None:  # noqa: SLF001 - close() has been by, and will not come again
        connection.close()
        raise KafkaConnectionError("the client was closed while it connected")
    return connection


def mend() -> None:
    """Let every client of this process connect like this."""
    client.create_conn = _create_conn
