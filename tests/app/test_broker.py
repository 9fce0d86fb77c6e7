"""The broker, against real Kafka processes: start, crash, restart, adopt, stop, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from billtide.app import broker as brokers
from billtide.app import broker_config, broker_docker, broker_local

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kafka
PROBE = "import sys, pathlib; from billtide.app import broker; {}"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory whose broker is gone after the test, also when the run names a broker."""
    monkeypatch.delenv(brokers.BOOTSTRAP_VARIABLE, raising=False)
    data_dir = tmp_path / "kafka"
    yield data_dir
    if left := brokers.find(data_dir):
        brokers.discard(left)


async def create(bootstrap: str, topic: str) -> None:
    """Create a topic with one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def topics(bootstrap: str) -> set[str]:
    """Names of all topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


def elsewhere(code: str, *arguments: str) -> str:
    """Run a line of Python in another process; gives what it printed."""
    command = [sys.executable, "-c", PROBE.format(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout.strip()


def test_a_broker_serves_topics_and_transactions(broker: brokers.Broker, topic_prefix: str) -> None:
    """The shared broker takes a topic and a committed transaction: its internal topics work with one copy."""

    async def commit() -> int:
        await create(broker.bootstrap, f"{topic_prefix}time")
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=f"{topic_prefix}0")
        await producer.start()
        try:
            async with producer.transaction():
                return (await producer.send_and_wait(f"{topic_prefix}time", b"x")).offset
        finally:
            await producer.stop()

    assert asyncio.run(commit()) == 0


async def test_start_works_inside_a_running_loop(broker: brokers.Broker) -> None:
    """An async test may start a broker: the ready check brings its own loop."""
    again = brokers.start(broker.data_dir)
    assert again == broker or broker.kind == "given"


def test_a_killed_broker_comes_back_with_its_topics(own: Path) -> None:
    """kill -9, a stale state file, then a start on the same directory: same port, same topics."""
    first = brokers.start(own)
    asyncio.run(create(first.bootstrap, "kept"))
    brokers.kill(first)
    assert (own / brokers.STATE_FILE).exists()
    assert brokers.find(own) is None, "a stale state file was taken for a broker"
    second = brokers.start(own)
    assert (second.bootstrap, second.pid) != (first.bootstrap, first.pid)
    assert second.bootstrap == first.bootstrap
    assert "kept" in asyncio.run(topics(second.bootstrap))


def test_a_stopped_broker_starts_again_on_a_given_port(own: Path) -> None:
    """An orderly stop leaves no state file; the data and the asked-for port serve the next start."""
    first = brokers.start(own)
    asyncio.run(create(first.bootstrap, "kept"))
    brokers.stop(first)
    assert not (own / brokers.STATE_FILE).exists()
    second = brokers.start(own, port=first.port)
    assert second.bootstrap == first.bootstrap
    assert "kept" in asyncio.run(topics(second.bootstrap))
    with pytest.raises(brokers.BrokerUnavailable, match="stop it first"):
        brokers.start(own, port=first.port + 1)


def test_another_process_finds_and_stops_the_broker(own: Path) -> None:
    """`up` in one process, `down` in another: the state file is all they share."""
    bootstrap = elsewhere("print(broker.start(pathlib.Path(sys.argv[1])).bootstrap)", str(own))
    found = brokers.find(own)
    assert found is not None
    assert found.bootstrap == bootstrap
    elsewhere("broker.stop(broker.find(pathlib.Path(sys.argv[1])))", str(own))
    assert brokers.find(own) is None
    assert not broker_config.accepts(bootstrap)


def test_a_process_id_used_again_is_no_broker(own: Path) -> None:
    """A state file that names a living process of somebody else is stale, and that process is left alone."""
    own.mkdir()
    state = {"bootstrap": "127.0.0.1:20001", "kind": "local", "pid": os.getpid(), "container": None}
    (own / brokers.STATE_FILE).write_text(json.dumps(state))
    assert brokers.find(own) is None
    brokers.kill(brokers.Broker("127.0.0.1:20001", "local", own, pid=os.getpid()))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_an_unreadable_state_file_is_named(tmp_path: Path, content: str) -> None:
    """A damaged state file gives an error with the file and the way out."""
    (tmp_path / brokers.STATE_FILE).write_text(content)
    with pytest.raises(brokers.BrokerUnavailable, match=r"broker\.json cannot be read .* delete the file"):
        brokers.find(tmp_path)


def test_neither_docker_nor_java_says_what_to_install(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing on PATH the error names the variable, Docker, Java and Maven."""
    monkeypatch.setenv("PATH", str(own))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(brokers.BrokerUnavailable) as caught:
        brokers.start(own)
    for word in (brokers.BOOTSTRAP_VARIABLE, "Docker", "Java 17", "Maven"):
        assert word in str(caught.value)


def test_an_old_java_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java that Kafka 4 cannot run on is named with its version."""
    own.mkdir()
    old = own / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}:/usr/bin:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(brokers.BrokerUnavailable, match=r"11\.0\.2.*needs Java 17"):
        broker_local.java()


def test_jars_without_maven_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache and no Maven: the error says so and leaves no half cache behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(brokers.BrokerUnavailable, match="Maven"):
        broker_local.jars()
    assert not list((tmp_path / "billtide").glob("*.jar"))


def test_two_processes_fetch_the_jars_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once on an empty cache end with one whole directory and no scratch beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    line = "from billtide.app import broker_local; print(broker_local.jars())"
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(elsewhere, [line, line])
    assert first == second
    assert [entry.name for entry in (tmp_path / "billtide").iterdir() if entry.is_dir()] == ["kafka-4.1.0"]
    assert {"kafka_2.13-4.1.0.jar", "log4j-slf4j-impl-2.24.3.jar"} <= {jar.name for jar in Path(first).iterdir()}


def test_a_given_broker_is_used_and_never_stopped(
    broker: brokers.Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment names a broker: it is taken as it is, and stop leaves it running."""
    monkeypatch.setenv(brokers.BOOTSTRAP_VARIABLE, broker.bootstrap)
    given = brokers.start(tmp_path)
    assert (given.bootstrap, given.kind) == (broker.bootstrap, "given")
    brokers.stop(given)
    brokers.discard(given)
    assert broker_config.accepts(broker.bootstrap)


@pytest.mark.parametrize(("value", "says"), [("nonsense", "not host:port"), ("127.0.0.1:1", "does not answer")])
def test_a_wrong_given_broker_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    """A bootstrap list that is malformed or dead is an error at once, not a wait."""
    monkeypatch.setenv(brokers.BOOTSTRAP_VARIABLE, value)
    with pytest.raises(brokers.BrokerUnavailable, match=says):
        brokers.start(tmp_path)


def test_a_taken_port_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port another server holds gives an error, not a broker somewhere else."""
    monkeypatch.setattr(broker_config, "PORT_WAIT_SECONDS", 0.2)
    with socket.create_server((broker_config.HOST, broker_config.free_port())) as server:
        port = server.getsockname()[1]
        with pytest.raises(brokers.BrokerUnavailable, match=f"port {port} .* is taken"):
            brokers.start(own, port=port)


def test_the_container_listens_on_loopback_only(tmp_path: Path) -> None:
    """The docker command pins the image, publishes 127.0.0.1 and advertises what clients can reach."""
    command = " ".join(broker_docker.run_command(tmp_path, 20_123))
    assert "--publish 127.0.0.1:20123:20123" in command
    assert "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:20123" in command
    assert command.endswith("apache/kafka:4.1.0")
