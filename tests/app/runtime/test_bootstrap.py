"""A client that is given up while it connects leaves nothing open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import client as aiokafka_client
from aiokafka.client import AIOKafkaClient

if TYPE_CHECKING:
    from aiokafka.conn import AIOKafkaConnection

    from billtide.app.broker import Broker

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("given_up", [True, False])
async def test_the_first_connection_is_closed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, *, given_up: bool
) -> None:
    """Whether the client is cancelled between its first question and the answer or not.

    If this fails, aiokafka makes its first connection in another way: mend runtime/bootstrap.py.
    """
    made: list[AIOKafkaConnection] = []
    connected = asyncio.Event()
    create = aiokafka_client.create_conn

    async def noted(*args: Any, **named: Any) -> AIOKafkaConnection:
        made.append(await create(*args, **named))
        connected.set()
        return made[-1]

    monkeypatch.setattr(aiokafka_client, "create_conn", noted)
    client = AIOKafkaClient(bootstrap_servers=broker.bootstrap)
    starting = asyncio.ensure_future(client.bootstrap())
    await connected.wait()
    assert made[0].connected()
    if given_up:
        starting.cancel()
    await asyncio.wait({starting})
    await client.close()

    assert starting.cancelled() is given_up
    assert not made[0].connected()
