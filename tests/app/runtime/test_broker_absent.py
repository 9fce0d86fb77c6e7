"""A worker that finds no broker at its start waits for one, says so once, is not ready, and goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from fault.proxy import Proxy

from billtide.app.broker_config import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

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


@contextlib.contextmanager
def opened(port: int, bootstrap: str) -> Iterator[None]:
    """Let a port lead to the broker for a while."""
    wire = Proxy(port, int(bootstrap.rpartition(":")[2]))
    try:
        yield
    finally:
        wire.close()


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
    with opened(port, kafka.settings.kafka_bootstrap):
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


@pytest.fixture
async def between(
    kafka: Topics, process: Callable[..., Process], until: Callable[[Callable[[], Any]], Awaitable[None]]
) -> tuple[Process, int]:
    """A worker whose broker went away after the look at its topics, before it connects to the group; and the port."""
    port = free_port()
    with opened(port, kafka.settings.kafka_bootstrap):
        worker = process(KAFKA_BOOTSTRAP=f"127.0.0.1:{port}", LOG_LEVEL="INFO", FAILPOINT="connecting:1:stop")
        await until(worker.is_stopped)
    worker.process.send_signal(signal.SIGCONT)
    await until(lambda: told(worker, WAITS))
    return worker, port


async def test_a_broker_that_goes_away_in_between_is_waited_for(
    between: tuple[Process, int], kafka: Topics, until: Callable[[Callable[[], Any]], Awaitable[None]]
) -> None:
    """The same wait, told in the same words, and tasks when the broker is back."""
    worker, port = between
    assert (await health(worker, "/readyz"))[0] == 503
    with opened(port, kafka.settings.kafka_bootstrap):
        await until(worker.has_tasks)
        assert await asyncio.to_thread(worker.end, signal.SIGTERM) == 0
    assert len(told(worker, WAITS)) == 1


async def test_that_wait_ends_when_the_worker_is_asked_to(between: tuple[Process, int]) -> None:
    """SIGTERM ends it with 0, though Faust waits for the consumer to begin."""
    assert await asyncio.to_thread(between[0].end, signal.SIGTERM) == 0
