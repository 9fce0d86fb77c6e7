"""Rights, on a broker that asks for them: what is missing is named for each topic, and the mends that are told mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from billtide.app import broker as brokers
from billtide.app import broker_docker, broker_local, topics
from billtide.app.broker_config import HOST, free_port
from billtide.app.doctor import access
from billtide.app.doctor.view import View
from billtide.app.settings import Settings, load
from billtide.app.topology import TOPOLOGY

from ..secured import PASSWORD, USER, secured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from billtide.app.doctor.line import Line

pytestmark = pytest.mark.kafka

OPERATIONS = {name: number for number, name in access.NAMES.items()}
TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5
LITERAL, PREFIXED = 3, 4
ALLOW, DENY = 3, 2
RESOURCES = {"topic": TOPIC, "group": GROUP, "transactional-id": TRANSACTIONAL_ID}
MEND = re.compile(r"--allow-principal User:(\S+) (.*) --(topic|group|transactional-id) (\S+?)( --resource-pattern-type prefixed)?`$")  # fmt: skip


@pytest.fixture
def clerk(tmp_path: Path, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Settings, Settings]]:
    """Settings of somebody who may do everything on a broker of its own, and of somebody who may nothing yet."""
    port = free_port()
    monkeypatch.delenv(brokers.BOOTSTRAP_VARIABLE, raising=False)
    monkeypatch.setattr(broker_docker, "engine_runs", lambda: False)
    monkeypatch.setattr(broker_local, "properties", secured(port))
    running = brokers.start(tmp_path / "kafka")
    everything = load(kafka_bootstrap=running.bootstrap, topic_prefix=topic_prefix, partitions=2)
    nothing = load(
        kafka_bootstrap=f"{HOST}:{port}",
        topic_prefix=topic_prefix,
        partitions=2,
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="PLAIN",
        kafka_username=USER,
        kafka_password=PASSWORD,
    )
    yield everything, nothing
    brokers.discard(running)


async def rights(settings: Settings) -> list[Line]:
    """What the checks of rights say."""
    admin = AIOKafkaAdminClient(**settings.connection())
    await admin.start()
    try:
        view = View(settings, admin)
        checks = (access.check_topics, access.check_group, access.check_transactions)
        return [line for check in checks for line in await check(view)]
    finally:
        await admin.close()


async def rule(settings: Settings, resource: int, name: str, pattern: int, operations: list[str], kind: int) -> None:
    """Allow or deny operations, as `kafka-acls.sh --add` does."""
    admin = AIOKafkaAdminClient(**settings.connection())
    await admin.start()
    try:
        for operation in operations:
            asked = CreateAclsRequest(resource, name, pattern, f"User:{USER}", "*", OPERATIONS[operation], kind)
            answer = await admin._send_to_controller(asked)
            assert [one[0] for one in answer.creation_responses] == [0]
    finally:
        await admin.close()


async def test_what_is_missing_is_named_and_its_mend_mends_it(clerk: tuple[Settings, Settings]) -> None:
    """Nothing is allowed at first; after each mend that is told everything is; one right taken away is found."""
    everything, nothing = clerk
    await topics.create(everything)
    before = await rights(nothing)
    for line in before:
        told = MEND.search(line.mend)
        assert told, line
        assert told[1] == USER
        operations = re.findall(r"--operation (\w+)", told[2])
        await rule(everything, RESOURCES[told[3]], told[4], PREFIXED if told[5] else LITERAL, operations, ALLOW)
    after = await rights(nothing)
    billing = nothing.topic("billing")
    await rule(everything, TOPIC, billing, LITERAL, ["Write"], DENY)
    taken = await rights(nothing)

    assert [line.verdict for line in before] == ["fail"] * (len(TOPOLOGY.streams) + 2)
    assert {f"topic {nothing.topic(stream.name)}" for stream in TOPOLOGY.streams} < {line.found.split(":")[0] for line in before}  # fmt: skip
    assert [line.verdict for line in after] == ["ok"] * 3
    assert [line.found for line in taken if line.verdict == "fail"] == [f"topic {billing}: user {USER} may not Write"]
