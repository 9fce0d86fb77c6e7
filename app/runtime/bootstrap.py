"""aiokafka's first connection of a client, closed also when the one who waits for it is cancelled.

A client asks any broker for the cluster's layout over a connection of its own. aiokafka 0.14 closes it after the
answer and after an error, but forgets it, open, when it is cancelled between the two: a task that is given up while
it connects would leave a socket behind, and an error in the log when the collector finds it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import client
from aiokafka.conn import AIOKafkaConnection, create_conn


class _FirstConnection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    async def send(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        try:
            return await super().send(*args, **named)
        except asyncio.CancelledError:
            self.close()
            raise


async def _create_conn(*args: Any, **named: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's signature
    """Connect. Only the first connection has nobody to tell of its end: the client keeps all others."""
    connection = await create_conn(*args, **named)
    if "on_close" not in named:
        connection.__class__ = _FirstConnection
    return connection


def mend() -> None:
    """Let every client of this process connect like this."""
    client.create_conn = _create_conn
