"""A client that is given up while it connects leaves nothing open."""

from __future__ import annotations

import asyncio
from types import MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import client as aiokafka_client
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from billtide.app.runtime import connections

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


async def test_a_connection_made_while_its_client_is_closed_is_closed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked for it is told that there is none; the socket does not outlive the loop."""
    made: list[AIOKafkaConnection] = []
    create = connections.create_conn
    client = AIOKafkaClient(bootstrap_servers=broker.bootstrap)
    await client.bootstrap()

    async def closing(*args: Any, **named: Any) -> AIOKafkaConnection:
        made.append(await create(*args, **named))
        await client.close()
        return made[-1]

    monkeypatch.setattr(connections, "create_conn", closing)
    node = next(iter(client.cluster.brokers())).nodeId

    assert await client._get_conn(node) is None
    assert not made[0].connected()


@pytest.mark.parametrize("first", [True, False])
async def test_a_send_on_what_a_reset_has_closed_is_a_connection_that_is_broken(broker: Broker, *, first: bool) -> None:
    """uvloop raises an error of its own there, which would end what fetches records for ever."""
    host, _, port = broker.bootstrap.rpartition(":")
    owner = SimpleNamespace(_sync_task=True)
    named = {} if first else {"on_close": MethodType(lambda *_: None, owner)}
    connection = await aiokafka_client.create_conn(host, int(port), client_id="test", **named)
    writer = connection._writer

    def closed(_: bytes) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")

    connection._writer = SimpleNamespace(write=closed, close=writer.close)
    with pytest.raises(KafkaConnectionError, match="the handler is closed"):
        await connection.send(MetadataRequest([]))

    assert not connection.connected()
