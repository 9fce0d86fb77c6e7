"""The AsyncAPI 3.0 document: every topic with its key, headers, messages, and who sends or receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..codecs import cloudevents, dead_letter
from .settings import Settings
from .shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .topology import Stream, Topology

ASYNCAPI: Final = "3.0.0"
CONTRACT_VERSION: Final = "1.0.0"
"""Version of the wire contract, not of the software: its first number is schema_version."""
JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
BINDING: Final = "0.5.0"
DEFAULTS: Final = Settings.model_fields
DEAD_LETTER_ABOUT: Final = {
    "topic": "Topic the record came on",
    "partition": "Partition it came on",
    "offset": "Its offset there",
    "timestamp": "Its timestamp, milliseconds since 1970",
    "reason": "One word: empty, malformed, invalid_field, key_mismatch, wrong_type, unsupported_version",
    "field": "JSON path of the field, such as $.quantity; empty when the whole record is meant",
    "problem": "What is wrong",
    "fix": "How to mend it",
}
LEFT_OUT_ABOUT: Final = "What of the record is not here because it is too large, with its bytes; absent when all is"


def asyncapi(topology: Topology, file_name: Callable[[str], str]) -> dict[str, Any]:
    """The whole document; `file_name` gives the schema file of an event type."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "billtide",
            "version": CONTRACT_VERSION,
            "description": "Time and expenses in; billing, accrual and revenue events out, exactly once. "
            "Read outputs with isolation.level=read_committed. Topic names start with BILLTIDE_TOPIC_PREFIX.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {stream.name: _channel(stream) for stream in topology.streams},
        "operations": _operations(topology),
        "components": {
            "messages": {stream.name: _message(stream, file_name) for stream in topology.streams},
            "schemas": {"cloudevents-headers": _cloudevents_headers(), "dead-letter-headers": _dead_letter_headers()},
        },
    }


def _channel(stream: Stream) -> dict[str, Any]:
    partitions: int = DEFAULTS["partitions"].default
    configuration: dict[str, Any] = {"cleanup.policy": [stream.cleanup_policy]}
    if not stream.compacted:
        configuration["retention.ms"] = -1 if stream.retention_hours is None else stream.retention_hours * 3_600_000
    count = (
        "One partition."
        if stream.single
        else f"BILLTIDE_PARTITIONS partitions, {partitions} by default, as many as every input."
    )
    return {
        "address": DEFAULTS["topic_prefix"].default + stream.name,
        "title": stream.name,
        "description": f"{stream.about}. Key: {_key(stream)}. {count}{_place(stream)}",
        "messages": {stream.name: {"$ref": f"#/components/messages/{stream.name}"}},
        "bindings": {
            "kafka": {
                "partitions": stream.partitions(partitions),
                "topicConfiguration": configuration,
                "bindingVersion": BINDING,
            }
        },
    }


def _place(stream: Stream) -> str:
    """Which partition a record is on."""
    if stream.name in SHAPES and stream.key not in {"task", "billing event id"}:
        return "" if stream.single else " The partition is murmur2 of the key, as Kafka's own clients do."
    return " The partition is that of the task that wrote it."


def _key(stream: Stream) -> str:
    """The key rule of a stream; one without a shape of its own is described by the topology."""
    shape = SHAPES.get(stream.name)
    if shape is not None:
        return f"`{shape.key_text}`"
    return stream.key if stream.role == "changelog" else "that of the record as it came"


def _operations(topology: Topology) -> dict[str, Any]:
    """Receive what workers read, send what they write; a stream that is read back has both."""
    found = {}
    for stream in topology.streams:
        if stream.role in {"input", "reference", "changelog", "operator"} or stream.agent:
            found[f"receive-{stream.name}"] = _operation("receive", stream)
        if stream.role in {"output", "changelog", "operator"}:
            found[f"send-{stream.name}"] = _operation("send", stream)
    return found


def _operation(action: str, stream: Stream) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{stream.name}"},
        "messages": [{"$ref": f"#/channels/{stream.name}/messages/{stream.name}"}],
        "summary": stream.about,
    }


def _message(stream: Stream, file_name: Callable[[str], str]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": stream.event_type or stream.name,
        "title": stream.about,
        "bindings": {"kafka": {"key": {"type": "string", "description": _key(stream)}, "bindingVersion": BINDING}},
    }
    if stream.name in SHAPES:
        schema = {"$ref": f"./{file_name(stream.event_type)}"}
        message["contentType"] = "application/json"
        message["payload"] = {"schemaFormat": JSON_SCHEMA, "schema": schema}
        message["headers"] = {"$ref": "#/components/schemas/cloudevents-headers"}
    elif stream.role == "changelog":
        message["contentType"] = "application/octet-stream"
        message["summary"] = "Internal. A version byte, then msgpack; no value: the key is deleted."
    else:
        message["contentType"] = "application/octet-stream"
        message["summary"] = "The key, value and headers of the record as it came, and headers that say why it is here."
        message["headers"] = {"$ref": "#/components/schemas/dead-letter-headers"}
    return message


def _cloudevents_headers() -> dict[str, Any]:
    """CloudEvents 1.0, Kafka binding, binary mode. Outputs always carry them; inputs may leave them out."""
    ours = {name: value.decode() for name, value in cloudevents.headers("", "")}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in binary mode. Outputs always carry them. An input may come without; "
        "its ce_type is checked when it is there. The time is the record's timestamp, the subject its key.",
        "properties": {
            "ce_specversion": {"type": "string", "const": ours["ce_specversion"]},
            "ce_id": {"type": "string", "description": "Same cause, same id: what to deduplicate by"},
            "ce_source": {"type": "string", "description": f"`{ours['ce_source']}` on what billtide sends"},
            "ce_type": {"type": "string", "description": "Event type, such as billtide.billing.v1"},
            "content-type": {"type": "string", "const": ours["content-type"]},
        },
    }


def _dead_letter_headers() -> dict[str, Any]:
    """Headers of a dead letter: those the record came with, and ours."""
    names = [dead_letter.PREFIX + field for field in dead_letter.FIELDS]
    return {
        "type": "object",
        "description": f"The record's own headers, then these under `{dead_letter.PREFIX}`.",
        "properties": {
            name: {"type": "string", "description": DEAD_LETTER_ABOUT[field]}
            for name, field in zip(names, dead_letter.FIELDS, strict=True)
        }
        | {dead_letter.LEFT_OUT: {"type": "string", "description": LEFT_OUT_ABOUT}},
        "required": names,
    }
