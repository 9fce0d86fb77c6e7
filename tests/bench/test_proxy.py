"""The wire between workers and a broker does what its name says: only then a run without damage shows something."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fault.proxy import Proxy, Way

from billtide.app.broker_config import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHORT_SECONDS = 0.2
LONG_SECONDS = 5.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Proxy, Streams, list[bytes]]]:
    """A proxy before an echo, a connection through it, and what has arrived there."""
    arrived: list[bytes] = []
    ended = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            while chunk := await reader.read(100):
                arrived.append(chunk)
                writer.write(chunk)
        writer.close()
        ended.set()

    target, port = free_port(), free_port()
    server = await asyncio.start_server(echo, HOST, target)
    proxy = Proxy(port, target)
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield proxy, (reader, writer), arrived
    finally:
        writer.close()
        await asyncio.to_thread(proxy.close)
        server.close()
        await asyncio.wait_for(ended.wait(), LONG_SECONDS)


@pytest.mark.parametrize(
    ("ways", "there"),
    [
        pytest.param((), [], id="cut: nothing arrives"),
        pytest.param(("there",), [], id="there: nothing arrives"),
        pytest.param(("back",), [b"a"], id="back: it arrives, and no answer comes"),
    ],
)
def test_a_cut_wire_holds_what_it_carries_until_it_is_mended(ways: tuple[Way, ...], there: list[bytes]) -> None:
    """Nothing is lost by a cut: the requests of a worker taken for dead come late, as they do in a network."""

    async def tried() -> None:
        async with wired() as (proxy, (reader, writer), arrived):
            proxy.cut(*ways)
            await asyncio.sleep(SHORT_SECONDS)
            writer.write(b"a")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), SHORT_SECONDS)
            assert arrived == there
            proxy.mend()
            assert await asyncio.wait_for(reader.read(1), LONG_SECONDS) == b"a"

    asyncio.run(tried())


def test_a_reset_ends_connections_as_a_reset() -> None:
    """The client sees a connection reset, not an end in order."""

    async def tried() -> None:
        async with wired() as (proxy, (reader, writer), _):
            writer.write(b"a")
            await reader.read(1)
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(1), LONG_SECONDS)

    asyncio.run(tried())


def test_a_slow_wire_delays_both_ways() -> None:
    """Each chunk takes its time, there and back, until it is mended."""

    async def tried() -> None:
        async with wired() as (proxy, (reader, writer), _):
            clock = asyncio.get_running_loop().time
            for seconds, least in ((SHORT_SECONDS, SHORT_SECONDS), (0.0, 0.0)):
                proxy.slow(seconds) if seconds else proxy.mend()
                began = clock()
                writer.write(b"a")
                await reader.read(1)
                assert clock() - began >= least
            assert clock() - began < SHORT_SECONDS

    asyncio.run(tried())


def test_a_wire_that_is_closed_while_clients_come_leaves_nothing_open() -> None:
    """Clients that are being let in at that moment are ended too, and the collector finds no socket."""
    ended = threading.Event()

    def clients(port: int) -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), SHORT_SECONDS) as client:
                client.sendall(b"a")

    with warnings.catch_warnings(record=True) as found, ThreadPoolExecutor() as pool:
        warnings.simplefilter("always")
        for milliseconds in range(20):
            target, port = free_port(), free_port()
            with socket.create_server((HOST, target)):
                wire = Proxy(port, target)
                ended.clear()
                pool.submit(clients, port)
                pool.submit(clients, port)
                time.sleep(milliseconds / 1000)
                wire.close()
                ended.set()
        gc.collect()
    assert [warning.message for warning in found] == []
