"""What every broker we start shares: version, server properties, free ports, and the error that says what to do."""

from __future__ import annotations

import contextlib
import random
import socket
import time

KAFKA_VERSION = "4.1.0"
HOST = "127.0.0.1"
CONNECT_SECONDS = 2.0
# Below the kernel's ephemeral range on purpose: a client that retries a dead port inside that range can be given the
# very port it dials, connects to itself, and then keeps a restarted broker from binding it.
PORTS = range(20_000, 30_000)
PORT_TRIES = 200
PORT_WAIT_SECONDS = 5.0
POLL_SECONDS = 0.1

BASE_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # One node: every internal topic has one copy.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # After a crash the node waits for its former registration to expire: ready after 12 s with Kafka's 9 s, 5 s so.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Few partitions start faster than the 50 a cluster has.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # Topics are created by the product, so that a misspelt name is an error.
    "auto.create.topics.enable": "false",
}


class BrokerUnavailable(RuntimeError):  # noqa: N818 - names the state the caller is in
    """No Kafka broker could be found or started; the message says what to do."""


def properties(port: int, controller_port: int, bind: str, data: str) -> dict[str, str]:
    """Server properties of a single KRaft node that answers on HOST:port."""
    return BASE_PROPERTIES | {
        "listeners": f"PLAINTEXT://{bind}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": data,
    }


def port_is_free(port: int) -> bool:
    """Whether a server could listen on HOST:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: a closed port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def becomes_free(port: int) -> bool:
    """Wait a little for a port: the kernel frees that of a broker killed a moment ago with some delay."""
    deadline = time.monotonic() + PORT_WAIT_SECONDS
    while not port_is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_port(*taken: int) -> int:
    """A port of PORTS nobody listens on; random, so that two starts at once rarely meet."""
    for _ in range(PORT_TRIES):
        port = random.choice(PORTS)  # noqa: S311 - no secret
        if port not in taken and port_is_free(port):
            return port
    raise BrokerUnavailable(
        f"no free port between {PORTS.start} and {PORTS.stop - 1} on {HOST}; stop servers there, or pass a port"
    )


def accepts(bootstrap: str) -> bool:
    """Whether any host:port of a bootstrap list takes a TCP connection; true of TLS and SASL listeners too."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdigit():
            raise BrokerUnavailable(f"{address!r} in the bootstrap list is not host:port; write it like {HOST}:9092")
        with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            return True
    return False
