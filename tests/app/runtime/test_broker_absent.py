"""A worker that finds no broker at its start waits for one, says so once, is not ready, and goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from billtide.app.broker_config import free_port

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .conftest import Process, Topics

pytestmark = pytest.mark.kafka

WAITS = "waiting for Kafka at "
BEGUN = "metrics and health on "


def told(process: Process, beginning: str) -> list[dict[str, Any]]:
    """Lines of a worker's log whose sentence begins like this."""
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"].startswith(beginning)]


async def health(process: Process, page: str) -> tuple[int, dict[str, Any]]:
    """Status and body of a health page."""
    (begun,) = told(process, BEGUN)
    async with aiohttp.ClientSession() as session, session.get(f"{begun['address']}{page}") as answer:
        return answer.status, await answer.json()


@contextlib.asynccontextmanager
async def opened(port: int, bootstrap: str) -> AsyncIterator[None]:
    """Let a port lead to the broker from now on."""
    host, _, there = bootstrap.rpartition(":")
    wires: list[StreamWriter] = []
    ends: list[asyncio.Task[None]] = []

    async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection(host, int(there))
        wires.extend((writer, broker_writer))
        ways = (pass_on(reader, broker_writer), pass_on(broker_reader, writer))
        ends.extend(asyncio.ensure_future(way) for way in ways)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for wire in wires:
            wire.close()
        await asyncio.gather(*ends, *(wire.wait_closed() for wire in wires), return_exceptions=True)


async def test_a_worker_begins_when_the_broker_comes(
    kafka: Topics, process: Callable[..., Process], until: Callable[[Callable[[], Any]], Awaitable[None]]
) -> None:
    """Until then it lives, is not ready and says for what it waits; that stands in the log once, however long."""
    port = free_port()
    waiting = process(KAFKA_BOOTSTRAP=f"127.0.0.1:{port}", RETRY_MILLISECONDS_MAX="200", LOG_LEVEL="INFO")
    await until(lambda: told(waiting, WAITS))
    await asyncio.sleep(1.0)  # five tries more

    assert await health(waiting, "/livez") == (200, {"status": "live"})
    reasons = [f"{WAITS}127.0.0.1:{port}"]
    assert await health(waiting, "/readyz") == (503, {"status": "not ready", "reasons": reasons})
    assert (await health(waiting, "/startupz"))[0] == 503
    (line,) = told(waiting, WAITS)
    assert line["event"] == f"{reasons[0]}, for 300 s at most (BILLTIDE_BROKER_WAIT_MILLISECONDS_MAX=300000)"
    async with opened(port, kafka.settings.kafka_bootstrap):
        await until(waiting.has_tasks)
    assert len(told(waiting, WAITS)) == 1
    assert len(told(waiting, BEGUN)) == 1


async def test_a_worker_that_waits_ends_when_it_is_asked_to(
    process: Callable[..., Process], until: Callable[[Callable[[], Any]], Awaitable[None]]
) -> None:
    """SIGTERM ends the wait with 0: nothing is begun."""
    waiting = process(KAFKA_BOOTSTRAP="127.0.0.1:1")
    await until(lambda: told(waiting, WAITS))

    assert await asyncio.to_thread(waiting.end, signal.SIGTERM) == 0
