"""A client that is given up while it connects leaves nothing open."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import client as aiokafka_client
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

if TYPE_CHECKING:
    from aiokafka.conn import AIOKafkaConnection

    from billtide.app.broker import Broker

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("given_up", [True, False])
async def test_the_first_connection_is_closed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, *, given_up: bool
) -> None:
    """Whether the client is cancelled between its first question and the answer or not.

    If this fails, aiokafka makes its first connection in another way: mend runtime/connections.py.
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


@pytest.mark.parametrize("first", [True, False])
async def test_a_send_on_what_a_reset_has_closed_is_a_connection_that_is_broken(broker: Broker, *, first: bool) -> None:
    """uvloop raises an error of its own there, which would end what fetches records for ever."""
    host, _, port = broker.bootstrap.rpartition(":")
    named = {} if first else {"on_close": lambda *_: None}
    connection = await aiokafka_client.create_conn(host, int(port), client_id="test", **named)
    writer = connection._writer

    def closed(_: bytes) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")

    connection._writer = SimpleNamespace(write=closed, close=writer.close)
    with pytest.raises(KafkaConnectionError, match="the handler is closed"):
        await connection.send(MetadataRequest([]))

    assert not connection.connected()
