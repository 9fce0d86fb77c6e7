"""Create the topology's topics, and check that those that exist are as the topology says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from . import clients
from .refusal import RefusedError
from .topology import TOPOLOGY

if TYPE_CHECKING:
    from .settings import Settings
    from .topology import Stream, Topology

HOUR_MILLISECONDS: Final = 3_600_000
READY_SECONDS_MAX: Final = 15.0
POLL_SECONDS: Final = 0.1
TOMBSTONES_KEPT: Final = "delete.retention.ms"
CONFIGS_CHECKED: Final = (
    "cleanup.policy",
    "max.message.bytes",
    "message.timestamp.type",
    "retention.ms",
    TOMBSTONES_KEPT,
)
AT_LEAST: Final = ("max.message.bytes", TOMBSTONES_KEPT)
"""Settings of which more is as good."""


class TopicsError(RefusedError):
    """The topics are not as the topology needs them; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a topic and the command or step that mends it. A worker does not start on an error."""

    topic: str
    severity: Literal["error", "warning"]
    problem: str
    mend: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.topic}: {self.problem}. {self.mend}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What Kafka says of a topic."""

    partitions: int
    replicas: int
    configs: dict[str, str]


def configs(stream: Stream, settings: Settings) -> dict[str, str]:
    """Settings of a stream's topic."""
    found = {}
    if not stream.compacted:  # before the policy: commands are run in this order, and nothing may be lost between
        hours = stream.retention_hours
        found["retention.ms"] = str(-1 if hours is None else hours * HOUR_MILLISECONDS)
    found |= {"cleanup.policy": stream.cleanup_policy, "max.message.bytes": str(settings.message_bytes_max)}
    if stream.ours:  # brokers refuse records of a worker whose clock is an hour ahead, unless they give the time
        found["message.timestamp.type"] = "LogAppendTime"
    if stream.role == "changelog":  # more than BILLTIDE_STANDBY_LAGGED_MILLISECONDS_MAX may be
        found[TOMBSTONES_KEPT] = str(24 * HOUR_MILLISECONDS)
    return found


async def create(settings: Settings, topology: Topology = TOPOLOGY) -> list[str]:
    """Create the topics that are missing; returns their names, once the brokers serve them."""
    admin = await _connected(settings)
    try:
        known = set(await admin.list_topics())
        missing = [stream for stream in topology.streams if settings.topic(stream.name) not in known]
        if not missing:
            return []
        response = await admin.create_topics([_new(stream, settings) for stream in missing])
        for name, code, *rest in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                reason = f"{error.__name__} {rest[0] if rest else ''}".strip()
                message = f"topic {name} cannot be created: {reason}; mend it, then run it again"
                raise TopicsError(message)
        names = [settings.topic(stream.name) for stream in missing]
        await _served(admin, names)
        return names
    finally:
        await admin.close()


async def check(settings: Settings, topology: Topology = TOPOLOGY) -> list[Finding]:
    """Compare each topic with the topology."""
    admin = await _connected(settings)
    try:
        found = await _describe(admin, [settings.topic(stream.name) for stream in topology.streams])
    finally:
        await admin.close()
    findings: list[Finding] = []
    for stream in topology.streams:
        topic = settings.topic(stream.name)
        findings += _compare(stream, settings, topic, found.get(topic))
    return findings


async def require(settings: Settings, topology: Topology = TOPOLOGY) -> list[Finding]:
    """Check, and raise TopicsError with every error found; returns the warnings."""
    findings = await check(settings, topology)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise TopicsError("the topics are not as they must be:\n" + "\n".join(f"  {error}" for error in errors))
    return findings


def _new(stream: Stream, settings: Settings) -> NewTopic:
    return NewTopic(
        settings.topic(stream.name),
        stream.partitions(settings.partitions),
        settings.replication_factor,
        topic_configs=configs(stream, settings),
    )


async def _connected(settings: Settings) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(**settings.connection(), client_id=f"{settings.app_id}-topics")
    await clients.start(admin, admin.close, settings)
    return admin


async def _served(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait until the metadata of new topics names a leader for each partition."""
    async with asyncio.timeout(READY_SECONDS_MAX):
        while True:
            described = await admin.describe_topics(names)
            if all(
                not topic["error_code"] and all(p["leader"] >= 0 for p in topic["partitions"]) for topic in described
            ):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _describe(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, _Found]:
    known = set(await admin.list_topics())
    names = [name for name in names if name in known]
    if not names:
        return {}
    described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    settings: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for resource in response.resources:
            settings[resource[3]] = {entry[0]: entry[1] for entry in resource[4] if entry[0] in CONFIGS_CHECKED}
    return {
        name: _Found(len(parts), min(len(part["replicas"]) for part in parts), settings[name])
        for name, parts in described.items()
    }


def _compare(stream: Stream, settings: Settings, topic: str, found: _Found | None) -> list[Finding]:
    """Findings on one topic."""
    if found is None:
        return [Finding(topic, "error", "it does not exist", "Run `billtide topics create`")]
    findings = []
    wanted = stream.partitions(settings.partitions)
    if found.partitions != wanted:
        findings.append(_partitions_finding(stream, topic, found.partitions, wanted))
    if found.replicas < settings.replication_factor:
        problem = f"it has {found.replicas} copies, BILLTIDE_REPLICATION_FACTOR is {settings.replication_factor}"
        findings.append(Finding(topic, "warning", problem, "Reassign it with kafka-reassign-partitions.sh"))
    for name, value in configs(stream, settings).items():
        actual = found.configs.get(name, "")
        if actual == value or (name in AT_LEAST and int(actual or 0) > int(value)):
            continue
        command = f"kafka-configs.sh --bootstrap-server {settings.kafka_bootstrap} --alter --topic {topic}"
        mend = f"Run `{command} --add-config {name}={value}`"
        severity: Any = "warning" if name in _warned_of(stream) else "error"
        findings.append(Finding(topic, severity, f"{name} is {actual or 'unset'}, it must be {value}", mend))
    return findings


def _warned_of(stream: Stream) -> tuple[str, ...]:
    """Settings without which a worker still does right: older topics have other times, operators keep less."""
    always = ("message.timestamp.type", TOMBSTONES_KEPT)
    return always if stream.role == "reference" else (*always, "retention.ms")


def _partitions_finding(stream: Stream, topic: str, actual: int, wanted: int) -> Finding:
    problem = f"it has {actual} partitions, it must have {wanted}"
    if stream.single:
        return Finding(topic, "error", problem, "Create it again with one partition")
    mend = f"Set BILLTIDE_PARTITIONS={actual} if all topics have as many; else create it again, since keys would move"
    return Finding(topic, "error", problem, mend)
