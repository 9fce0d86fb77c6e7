"""A wire between workers and one broker that can be cut, in both directions or one, slowed down and reset.

The broker advertises the proxy's port on a listener of its own, so that clients cannot go round it. What is held while
the wire is cut arrives when it is mended, as TCP sends again what was not acknowledged: the end
of a transaction, too. A program of ours, not toxiproxy: nothing has to be installed beside Python, and toxiproxy's
`timeout` drops what it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Final, Literal

from billtide.app.broker_config import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

Way = Literal["there", "back"]
"""From workers to the broker, and from the broker to workers."""
WAYS: Final[tuple[Way, ...]] = ("there", "back")
CHUNK_BYTES: Final = 64 * 1024
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
START_SECONDS_MAX: Final = 5.0


class Proxy:
    """Listens on `port` and forwards to a port of this machine, in a thread with a loop of its own."""

    def __init__(self, port: int, target: int) -> None:
        """Listen; connections are made as clients come, and refused like the broker's while that is away."""
        self.port: Final = port
        self._target: Final = target
        self._loop: Final = asyncio.new_event_loop()
        self._chance: Final = random.Random(port)
        self._seconds = 0.0
        self._flows: Final = {way: asyncio.Event() for way in WAYS}
        self._writers: Final[set[asyncio.StreamWriter]] = set()
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._thread: Final = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_SECONDS_MAX)

    def cut(self, *ways: Way) -> None:
        """Hold what goes these ways from now on; without any, both."""
        self._there(lambda: [self._flows[way].clear() for way in ways or WAYS])

    def mend(self) -> None:
        """Let everything through again at full speed, what was held first."""
        self._seconds = 0.0
        self._there(lambda: [flow.set() for flow in self._flows.values()])

    def slow(self, seconds: float) -> None:
        """Delay each chunk of 64 KiB by so many seconds, half of it more or less."""
        self._seconds = seconds

    def reset(self) -> None:
        """End every connection with a reset."""
        self._there(self._reset)

    def close(self) -> None:
        """End everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(START_SECONDS_MAX)
        self._there(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """End all connections, those too that are being accepted; their sockets must not outlive the loop."""
        for listening in self._server.sockets:
            self._loop.remove_reader(listening)  # close() would have it fail on clients that it has just let in
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0)  # one that has not begun would not close its end
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # cancelled before its last bytes were taken
        self._server.close()
        await asyncio.sleep(0)

    def _there(self, work: Callable[[], Any]) -> None:
        self._loop.call_soon_threadsafe(work)

    def _reset(self) -> None:
        for writer in self._writers:
            with contextlib.suppress(OSError):  # it has just ended
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()

    async def _listen(self) -> None:
        for flow in self._flows.values():
            flow.set()
        self._server = await asyncio.start_server(self._accepted, HOST, self.port)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin one connection of a client. No coroutine: nothing may lie between it and being ended by close()."""
        task = self._loop.create_task(self._forwarded(reader, writer))
        self._tasks.add(task)  # the loop itself refers to it weakly
        task.add_done_callback(self._tasks.discard)

    async def _forwarded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._writers.add(writer)
        pumps: list[asyncio.Task[None]] = []
        try:
            answers, requests = await asyncio.open_connection(HOST, self._target)
            ends.add(requests)
            self._writers.add(requests)
            pumps = [
                self._loop.create_task(self._pump(reader, requests, "there")),
                self._loop.create_task(self._pump(answers, writer, "back")),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except OSError:  # the broker is away
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            for one in ends:
                one.close()
            await asyncio.gather(*pumps, *(one.wait_closed() for one in ends), return_exceptions=True)
            self._writers.difference_update(ends)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self._seconds:
                    await asyncio.sleep(self._seconds * self._chance.uniform(0.5, 1.5))
                await self._flows[way].wait()
                writer.write(chunk)
                await writer.drain()
            await self._flows[way].wait()
