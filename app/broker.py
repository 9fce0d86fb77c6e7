"""Find or start a Kafka broker, and stop it again: one given by environment, else Docker, else Kafka's jars with Java.

A broker we start belongs to a data directory. `broker.json` there says how to reach it, so that another process can
stop it; a start on the same directory gives the running broker, or starts it again with its topics on its old port.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from . import broker_docker, broker_local
from .broker_config import HOST, BrokerUnavailable, accepts, becomes_free, free_port

__all__ = ["BOOTSTRAP_VARIABLE", "Broker", "BrokerUnavailable", "discard", "find", "kill", "start", "stop"]

BOOTSTRAP_VARIABLE = "BILLTIDE_KAFKA_BOOTSTRAP"
STATE_FILE = "broker.json"
READY_SECONDS = 90
POLL_SECONDS = 0.1
METADATA_MILLISECONDS = 2_000
START_TRIES = 3  # another process may take a free port between our look and the broker's bind
LOG_LINES = 15
_PORT_TAKEN = ("Address already in use", "port is already allocated")

Kind = Literal["given", "docker", "local"]


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that answers, and what is needed to stop it."""

    bootstrap: str
    kind: Kind
    data_dir: Path
    pid: int | None = None
    container: str | None = None

    @property
    def port(self) -> int:
        """Port of the first bootstrap address."""
        return int(self.bootstrap.split(",")[0].rpartition(":")[2])


def start(data_dir: Path, port: int | None = None) -> Broker:
    """Give a broker that answers: the named one, the one that runs on data_dir, or a new one there."""
    data_dir = data_dir.absolute()
    if given := os.environ.get(BOOTSTRAP_VARIABLE, "").strip():
        return _given(given, data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    with broker_local.turn(data_dir / "broker.lock"):
        last = _read_state(data_dir)
        if last is not None and _is_running(last):
            if port not in (None, last.port):
                raise BrokerUnavailable(f"a broker runs on {data_dir} at port {last.port}, not {port}; stop it first")
            _await_ready(last)
            return last
        return _start_new(data_dir, port, last)


def find(data_dir: Path) -> Broker | None:
    """The broker that runs on data_dir; None when none was started, or its process is gone."""
    last = _read_state(data_dir.absolute())
    return last if last is not None and _is_running(last) else None


def stop(broker: Broker) -> None:
    """Shut the broker down in order; its data stays. A given broker is not ours and goes on."""
    if broker.pid is not None:
        broker_local.stop(broker.pid, broker.data_dir)
    elif broker.container is not None:
        broker_docker.stop(broker.container)
    (broker.data_dir / STATE_FILE).unlink(missing_ok=True)


def kill(broker: Broker) -> None:
    """Kill the broker as a crash would; start() on its directory brings it back on the same port."""
    if broker.pid is not None:
        broker_local.kill(broker.pid, broker.data_dir)
    elif broker.container is not None:
        broker_docker.kill(broker.container)


def discard(broker: Broker) -> None:
    """Stop the broker and delete its data."""
    if broker.kind == "given":
        return
    kill(broker)
    if broker.kind == "docker":
        broker_docker.remove_data(broker.data_dir)
    shutil.rmtree(broker.data_dir, ignore_errors=True)


def _given(bootstrap: str, data_dir: Path) -> Broker:
    if not accepts(bootstrap):
        raise BrokerUnavailable(
            f"{BOOTSTRAP_VARIABLE}={bootstrap} does not answer; start it, or unset the variable for a local one"
        )
    return Broker(bootstrap, "given", data_dir)


def _start_new(data_dir: Path, port: int | None, last: Broker | None) -> Broker:
    # Data stays with the kind of broker that wrote it, also when a Docker engine turns up later.
    kind: Kind = "docker" if not broker_local.is_formatted(data_dir) and broker_docker.engine_runs() else "local"
    wanted = port if port is not None else last.port if last is not None else None
    if port is not None and not becomes_free(port):
        raise BrokerUnavailable(
            f"port {port} on {HOST} is taken; stop what listens there, or leave the port out to get a free one"
        )
    for tries_left in reversed(range(START_TRIES)):
        chosen = wanted if wanted is not None and becomes_free(wanted) else free_port()
        try:
            broker = _launch(data_dir, kind, chosen)
            _write_state(broker)
            _await_ready(broker)
        except BrokerUnavailable as error:
            lost_the_port = any(sign in str(error) for sign in _PORT_TAKEN)
            if port is not None or not lost_the_port or not tries_left:
                raise
        else:
            return broker
    raise AssertionError  # the last try returned or raised


def _launch(data_dir: Path, kind: Kind, port: int) -> Broker:
    bootstrap = f"{HOST}:{port}"
    if kind == "docker":
        return Broker(bootstrap, kind, data_dir, container=broker_docker.run(data_dir, port))
    return Broker(bootstrap, kind, data_dir, pid=broker_local.launch(data_dir, port, free_port(port)))


def _is_running(broker: Broker) -> bool:
    if broker.pid is not None:
        return broker_local.is_running(broker.pid, broker.data_dir)
    return broker.container is not None and broker_docker.is_running(broker.container)


def _await_ready(broker: Broker) -> None:
    """Return when the broker is listed in its own metadata: it then serves topics, groups and transactions."""
    deadline = time.monotonic() + READY_SECONDS
    while not (accepts(broker.bootstrap) and _lists_itself(broker.bootstrap)):
        ended = not _is_running(broker)
        if ended or time.monotonic() > deadline:
            what = "ended at once" if ended else f"did not answer within {READY_SECONDS} s"
            tail = _last_lines(broker)
            if not ended:
                kill(broker)
            raise BrokerUnavailable(f"the {broker.kind} broker of {broker.data_dir} {what}; its log ends with:\n{tail}")
        time.sleep(POLL_SECONDS)


def _last_lines(broker: Broker) -> str:
    if broker.container is not None:
        return broker_docker.last_lines(broker.container, LOG_LINES)
    return broker_local.last_lines(broker.data_dir, LOG_LINES)


def _lists_itself(bootstrap: str) -> bool:
    # In a thread of its own, so that start() also works where an event loop already runs.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _metadata_has_a_broker(bootstrap)).result()


async def _metadata_has_a_broker(bootstrap: str) -> bool:
    quiet = logging.getLogger("aiokafka")
    before, quiet.disabled = quiet.disabled, True  # a broker that is not up yet is no error here
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=METADATA_MILLISECONDS)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
        quiet.disabled = before


def _read_state(data_dir: Path) -> Broker | None:
    file = data_dir / STATE_FILE
    try:
        state = json.loads(file.read_text())
        return Broker(**(state | {"data_dir": data_dir}))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise BrokerUnavailable(
            f"{file} cannot be read ({error}); make sure that no broker uses {data_dir}, then delete the file"
        ) from error


def _write_state(broker: Broker) -> None:
    """Replace the state file in one step, so that no reader sees half of it."""
    state = asdict(broker) | {"data_dir": str(broker.data_dir)}
    whole = broker.data_dir / f"{STATE_FILE}.new"
    whole.write_text(json.dumps(state, indent=2) + "\n")
    whole.replace(broker.data_dir / STATE_FILE)
