"""What the brokers let us do: read, write and describe each topic, join the group, own transactional ids.

Brokers tell everybody their own rights, so that no right to read the list of rights is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    TransactionalIdAuthorizationFailed,
)

from ..topology import TOPOLOGY
from .line import Line, judged
from .rights import GroupRightsRequest, RightsRequest

if TYPE_CHECKING:
    from ..topology import Stream
    from .view import View

READ: Final = 3
WRITE: Final = 4
DESCRIBE: Final = 8
DESCRIBE_CONFIGS: Final = 10
NAMES: Final = {READ: "Read", WRITE: "Write", DESCRIBE: "Describe", DESCRIBE_CONFIGS: "DescribeConfigs"}
REFUSED: Final = 29
"""Kafka's error for a topic one may not even describe."""
GROUP_NEEDS: Final = (READ, DESCRIBE)


def needs(stream: Stream) -> tuple[int, ...]:
    """What a worker does with a stream's topic: it reads inputs, references and its changelog, and writes its own."""
    reads = bool(stream.agent) or stream.role in {"reference", "changelog"}
    writes = stream.role in {"output", "changelog"}
    return (*((READ,) if reads else ()), *((WRITE,) if writes else ()), DESCRIBE, DESCRIBE_CONFIGS)


def missing(allowed: int, needed: tuple[int, ...]) -> list[str]:
    """Names of the operations that are needed and not allowed. allowed: a bit for each, as Kafka counts them."""
    return [NAMES[one] for one in needed if not allowed >> one & 1]


async def check_topics(view: View) -> list[Line]:
    """Whether this user may do with each topic what a worker does."""
    streams = {view.settings.topic(stream.name): stream for stream in TOPOLOGY.streams}
    answer = await view.admin._send_request(RightsRequest(list(streams)))  # noqa: SLF001 - aiokafka has no request for it
    problems = []
    for topic in answer.to_object()["topics"]:
        allowed = 0 if topic["error_code"] == REFUSED else topic["allowed"]
        if topic["error_code"] not in {0, REFUSED}:
            continue  # it does not exist, which the check of topics says
        lacking = missing(allowed, needs(streams[topic["topic"]]))
        if lacking:
            found = f"topic {topic['topic']}: {_user(view)} may not {', '.join(lacking)}"
            problems.append(Line("fail", found, _grant(view, lacking, f"--topic {topic['topic']}")))
    return judged(problems, f"{_user(view)} may read and write the topics as a worker does")


async def check_group(view: View) -> list[Line]:
    """Whether this user may join the group."""
    group = view.settings.app_id
    grant = f"--group {group}"
    try:
        coordinator = await view.admin.find_coordinator(group)
        answer = await view.admin._send_request(GroupRightsRequest(group), coordinator)  # noqa: SLF001 - as above
        (described,) = answer.to_object()["groups"]
        refused = described["error_code"] == GroupAuthorizationFailedError.errno
        allowed = 0 if refused else described["authorized_operations"]
    except GroupAuthorizationFailedError:
        allowed = 0
    except GroupCoordinatorNotAvailableError:
        return [Line("ok", f"group {group}: not seen yet, since no group was ever made on these brokers")]
    lacking = missing(allowed, GROUP_NEEDS)
    if lacking:
        return [
            Line("fail", f"group {group}: {_user(view)} may not {', '.join(lacking)}", _grant(view, lacking, grant))
        ]
    return [Line("ok", f"{_user(view)} may join group {group}")]


async def check_transactions(view: View) -> list[Line]:
    """Whether this user may own transactional ids of ours; tried with one of the doctor's own, which fences nobody."""
    settings = view.settings
    producer = AIOKafkaProducer(
        **settings.connection(),
        transactional_id=f"{settings.app_id}-doctor",
        transaction_timeout_ms=settings.transaction_timeout_milliseconds,
    )
    try:
        await producer.start()
    except TransactionalIdAuthorizationFailed:
        grant = f"--transactional-id {settings.app_id}- --resource-pattern-type prefixed"
        found = f"transactional ids {settings.app_id}-…: {_user(view)} may not Write"
        return [Line("fail", found, _grant(view, ["Write", "Describe"], grant))]
    finally:
        await producer.stop()
    return [Line("ok", f"{_user(view)} may begin transactions, and their coordinator answers")]


def _user(view: View) -> str:
    return f"user {view.settings.kafka_username}" if view.settings.kafka_username else "this client"


def _grant(view: View, operations: list[str], resource: str) -> str:
    asked = " ".join(f"--operation {name}" for name in operations)
    user = view.settings.kafka_username or "NAME"
    command = f"kafka-acls.sh --bootstrap-server {view.settings.kafka_bootstrap} --add"
    return f"Run `{command} --allow-principal User:{user} {asked} {resource}`"
