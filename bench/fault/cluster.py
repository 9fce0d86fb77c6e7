"""Brokers of this machine, one or three, each behind a proxy: what a run needs to cut wires and to kill replicas.

Three nodes keep three copies of everything and acknowledge what two have. Workers reach them through the proxies, the
driver directly, so that what it sends and reads is not held up by the faults of the run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from billtide.app import broker_local
from billtide.app.broker_config import BASE_PROPERTIES, HOST, BrokerUnavailable, becomes_free, free_port

from .proxy import Proxy

if TYPE_CHECKING:
    from pathlib import Path

Side = Literal["LEFT", "RIGHT"]
"""Workers are on one of two sides, so that some can be cut off and the others not."""
SIDES: Final[tuple[Side, ...]] = ("LEFT", "RIGHT")
HEAP: Final = ("-Xmx384m", "-Xms128m")
READY_SECONDS_MAX: Final = 90.0
POLL_SECONDS: Final = 0.2
CLIENT_MILLISECONDS: Final = 3_000
TRANSACTION: Final = 1
"""Kind of coordinator, as FindCoordinator has it."""


class Node:
    """One broker: its ports, its proxy, its process."""

    def __init__(self, number: int, directory: Path) -> None:
        """Take ports; start() runs it."""
        self.number: Final = number
        self.directory: Final = directory
        self.port, self.controller, *wired = _ports(2 + 2 * len(SIDES))
        self._wired: Final = dict(zip(SIDES, wired[::2], strict=True))
        self.wires: Final = {
            side: Proxy(wire, self._wired[side]) for side, wire in zip(SIDES, wired[1::2], strict=True)
        }
        self.pid = 0

    @property
    def listened(self) -> tuple[int, ...]:
        """Ports it listens on."""
        return self.port, self.controller, *self._wired.values()

    def properties(self, voters: str, nodes: int) -> dict[str, str]:
        """Server properties of this node of a cluster."""
        copies, enough = str(nodes), str(nodes // 2 + 1)
        listeners = {"INSIDE": self.port, **self._wired, "CONTROLLER": self.controller}
        told = {"INSIDE": self.port} | {side: proxy.port for side, proxy in self.wires.items()}
        return BASE_PROPERTIES | {
            "node.id": str(self.number),
            "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in listeners.items()),
            "advertised.listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in told.items()),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "inter.broker.listener.name": "INSIDE",
            "controller.quorum.voters": voters,
            "log.dirs": str(self.directory / "data"),
            "default.replication.factor": copies,
            "min.insync.replicas": enough,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "replica.lag.time.max.ms": "4000",
        }


class Cluster:
    """One broker, or three with three copies. bootstrap: for the driver; workers get there by the wires of a side."""

    def __init__(self, directory: Path, nodes: int) -> None:
        """Take ports for so many nodes."""
        self.directory: Final = directory
        self.nodes: Final = [Node(at + 1, directory / f"node-{at + 1}") for at in range(nodes)]
        self.bootstrap: Final = ",".join(f"{HOST}:{node.port}" for node in self.nodes)
        self._id: Final = broker_local.cluster_id()
        self._voters: Final = ",".join(f"{node.number}@{HOST}:{node.controller}" for node in self.nodes)

    def proxies(self, side: Side) -> list[Proxy]:
        """The wires of a side to all nodes."""
        return [node.wires[side] for node in self.nodes]

    def wired(self, side: Side) -> str:
        """Bootstrap addresses for workers of a side."""
        return ",".join(f"{HOST}:{proxy.port}" for proxy in self.proxies(side))

    def launch(self, node: Node) -> None:
        """Run a node; it need not serve yet."""
        for port in node.listened:
            becomes_free(port)
        node.pid = broker_local.run(
            node.directory, node.properties(self._voters, len(self.nodes)), cluster=self._id, heap=HEAP
        )

    def kill(self, node: Node) -> None:
        """SIGKILL."""
        broker_local.kill(node.pid, node.directory)

    def end(self, node: Node) -> None:
        """Shut a node down in order: it hands its leaders over first."""
        broker_local.stop(node.pid, node.directory)

    def pause(self, node: Node) -> None:
        """SIGSTOP."""
        os.kill(node.pid, signal.SIGSTOP)

    def go_on(self, node: Node) -> None:
        """SIGCONT."""
        os.kill(node.pid, signal.SIGCONT)

    async def whole(self) -> None:
        """Return when all nodes serve, and each copy of each partition is in step. Raises BrokerUnavailable."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not await self._is_whole():
            if time.monotonic() > deadline:
                message = f"the brokers of {self.directory} are not in step after {READY_SECONDS_MAX:.0f} s"
                raise BrokerUnavailable(message)
            await asyncio.sleep(POLL_SECONDS)

    async def leader(self, topic: str, partition: int) -> Node:
        """The node that leads a partition now."""
        async with _Asking(self.bootstrap) as admin:
            (described,) = await admin.describe_topics([topic])
        found = next(part["leader"] for part in described["partitions"] if part["partition"] == partition)
        return self._node(found)

    async def coordinator(self, name: str, kind: int = 0) -> Node:
        """The node that coordinates a group, or with kind TRANSACTION a transactional id."""
        async with _Asking(self.bootstrap) as admin:
            return self._node(await admin.find_coordinator(name, kind))

    def discard(self) -> None:
        """Kill all nodes, close the proxies, delete the data."""
        for node in self.nodes:
            if node.pid and broker_local.is_running(node.pid, node.directory):
                self.kill(node)
        for node in self.nodes:
            for proxy in node.wires.values():
                proxy.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _node(self, number: int) -> Node:
        return self.nodes[number - 1]

    async def _is_whole(self) -> bool:
        """Whether each node says so: one that has lost the others does not know it while there is no controller."""
        return all([await self._says_whole(node) for node in self.nodes])

    async def _says_whole(self, node: Node) -> bool:
        try:
            async with asyncio.timeout(CLIENT_MILLISECONDS / 1000), _Asking(f"{HOST}:{node.port}") as admin:
                if len((await admin.describe_cluster())["brokers"]) < len(self.nodes):
                    return False
                topics = await admin.describe_topics()
        except (KafkaError, OSError, TimeoutError):
            return False
        parts = [part for topic in topics for part in topic["partitions"]]
        return all(part["leader"] > 0 and len(part["isr"]) == len(part["replicas"]) for part in parts)


def start(directory: Path, nodes: int) -> Cluster:
    """Run a new cluster; returns when it serves."""
    cluster = Cluster(directory, nodes)
    try:
        for node in cluster.nodes:
            cluster.launch(node)
        asyncio.run(cluster.whole())
    except BaseException:
        cluster.discard()
        raise
    return cluster


class _Asking:
    """An admin client for a few questions."""

    def __init__(self, bootstrap: str) -> None:
        self._admin: Final = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=CLIENT_MILLISECONDS)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._admin.start()
        except BaseException:
            await self._admin.close()
            raise
        return self._admin

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()


def _ports(count: int) -> tuple[int, ...]:
    """Free ports."""
    taken: tuple[int, ...] = ()
    for _ in range(count):
        taken = (*taken, free_port(*taken))
    return taken
