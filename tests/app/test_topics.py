"""Topics are created as the topology says, and a worker refuses those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from billtide.app import topics
from billtide.app.clients import BrokerAbsentError
from billtide.app.settings import Settings, load
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    from billtide.app.broker import Broker


@pytest.fixture
def settings(broker: Broker, topic_prefix: str) -> Settings:
    """Settings with topics of their own."""
    return load(kafka_bootstrap=broker.bootstrap, topic_prefix=topic_prefix, partitions=3)


async def _make(settings: Settings, name: str, partitions: int, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    wanted = {name.replace("_", "."): value for name, value in configs.items()}
    await admin.create_topics([NewTopic(settings.topic(name), partitions, 1, topic_configs=wanted)])
    await admin.close()


@pytest.mark.kafka
async def test_created_topics_pass_the_check(settings: Settings) -> None:
    """What create makes, check accepts; a second create makes nothing."""
    made = await topics.create(settings)
    assert sorted(made) == sorted(settings.topic(stream.name) for stream in TOPOLOGY.streams)
    assert await topics.create(settings) == []
    assert await topics.check(settings) == []
    assert await topics.require(settings) == []


@pytest.mark.kafka
async def test_a_missing_topic_is_an_error_with_its_mend(settings: Settings) -> None:
    """Nothing is created behind the operator's back."""
    findings = await topics.check(settings)
    assert {finding.severity for finding in findings} == {"error"}
    assert len(findings) == len(TOPOLOGY.streams)
    with pytest.raises(topics.TopicsError, match="billtide topics create"):
        await topics.require(settings)


@pytest.mark.kafka
async def test_wrong_partitions_and_policies_are_errors(settings: Settings) -> None:
    """Each says what is, what must be, and the command that mends it."""
    await _make(settings, "billing", 5, max_message_bytes="1000000", retention_ms="-1")
    await _make(settings, "resources", 1, cleanup_policy="delete", max_message_bytes="8388608")
    await topics.create(settings)
    found = {finding.problem: finding for finding in await topics.check(settings)}

    assert sorted(found) == [
        "cleanup.policy is delete, it must be compact",
        "it has 5 partitions, it must have 3",
        "max.message.bytes is 1000000, it must be 8388608",
        "message.timestamp.type is CreateTime, it must be LogAppendTime",
    ]
    mend = found["cleanup.policy is delete, it must be compact"].mend
    assert f"--alter --topic {settings.topic('resources')} --add-config cleanup.policy=compact" in mend


@pytest.mark.kafka
async def test_another_retention_is_only_a_warning(settings: Settings) -> None:
    """Operators may keep records for less than ever; a worker starts."""
    kept = {"retention_ms": "86400000", "message_timestamp_type": "LogAppendTime"}
    await _make(settings, "billing", 3, max_message_bytes="8388608", **kept)
    await topics.create(settings)
    [warning] = await topics.require(settings)

    assert warning.severity == "warning"
    assert "retention.ms is 86400000" in warning.problem


@pytest.mark.kafka
async def test_a_topic_of_ours_with_the_senders_time_is_a_warning(settings: Settings) -> None:
    """Topics made by older versions work until a worker's clock is an hour ahead; the mend is a command."""
    await _make(settings, "state-changelog", 3, cleanup_policy="compact", max_message_bytes="8388608")
    await topics.create(settings)
    [warning] = await topics.require(settings)

    assert warning.severity == "warning"
    assert warning.problem == "message.timestamp.type is CreateTime, it must be LogAppendTime"
    assert warning.mend.endswith("--add-config message.timestamp.type=LogAppendTime`")


@pytest.mark.kafka
async def test_a_changelog_that_forgets_deletions_soon_is_a_warning(settings: Settings) -> None:
    """A warm copy that lacked records for longer than deletions are kept would keep what was deleted."""
    kept = {"cleanup_policy": "compact", "message_timestamp_type": "LogAppendTime", "delete_retention_ms": "60000"}
    await _make(settings, "state-changelog", 3, max_message_bytes="8388608", **kept)
    await topics.create(settings)
    [warning] = await topics.require(settings)

    assert warning.severity == "warning"
    assert warning.problem == "delete.retention.ms is 60000, it must be 86400000"


@pytest.mark.kafka
async def test_rate_cards_that_would_be_lost_are_an_error(settings: Settings) -> None:
    """Compacted, or kept for less than ever, the topic could lose what the first content of a version was."""
    await _make(
        settings, "rate-cards", 1, cleanup_policy="compact", retention_ms="86400000", max_message_bytes="8388608"
    )
    await topics.create(settings)
    found = await topics.check(settings)

    assert [(finding.severity, finding.problem) for finding in found] == [
        ("error", "retention.ms is 86400000, it must be -1"),
        ("error", "cleanup.policy is compact, it must be delete"),
    ]


async def test_no_broker_is_one_sentence() -> None:
    """The message says where nobody answers and what to set."""
    with pytest.raises(BrokerAbsentError, match=r"no Kafka at 127\.0\.0\.1:1;"):
        await topics.check(load(kafka_bootstrap="127.0.0.1:1"))
