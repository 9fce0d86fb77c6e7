"""A dead letter as it is found on its topic, and which letters somebody asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...codecs import dead_letter
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from ..settings import Settings

DEAD_LETTERS: Final = "dead-letters"
STREAMS: Final = frozenset(stream.name for stream in TOPOLOGY.streams)
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_FORMS: Final = {
    "topic": re.compile(r"[A-Za-z0-9._-]{1,249}"), "partition": _WHOLE, "offset": _WHOLE, "timestamp": _WHOLE
}  # fmt: skip
"""What workers write about where a record stood."""
UNTOLD: Final = "unknown"
"""Reason of a record on the topic that no worker has put there."""


class Letter(NamedTuple):
    """A record that was put aside. id: stream:partition:offset of where it stood before.

    stream: by the topology's name, or the topic when it is none of ours; timestamp: the record's; put_aside: when a
    worker gave it up; both ms since 1970. key, value and headers are the record's own; left_out: what of them is too
    large to be here.
    """

    id: str
    stream: str
    partition: int
    offset: int
    timestamp: int
    put_aside: int
    reason: str
    field: str
    problem: str
    fix: str
    left_out: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def parsed(self) -> Any:  # noqa: ANN401 - any JSON value
        """The value as JSON; None when it is none."""
        try:
            return msgspec.json.decode(self.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def engagements(self) -> set[str]:
        """Engagements it may belong to: by its key, and by its value, which may differ."""
        value = self.parsed
        found = {str(value.get("engagement_id", ""))} if isinstance(value, dict) else set()
        if self.stream in STREAMS and TOPOLOGY.stream(self.stream).key == "engagement id":
            found.add((self.key or b"").decode(errors="replace"))
        return found - {""}


class Filter(NamedTuple):
    """Which letters are asked for; what is empty asks for all. since: ms since 1970; field: a path, with all below."""

    reason: str = ""
    topic: str = ""
    engagement: str = ""
    field: str = ""
    since: int = 0

    def asks_for(self, letter: Letter) -> bool:
        """Whether a letter is one of them."""
        below = (f"{self.field}.", f"{self.field}[")
        return (
            self.reason in {"", letter.reason}
            and self.topic in {"", letter.stream}
            and (not self.field or letter.field == self.field or letter.field.startswith(below))
            and (not self.engagement or self.engagement in letter.engagements)
            and letter.put_aside >= self.since
        )


def letter_of(record: ConsumerRecord, settings: Settings) -> Letter:
    """Read a record of the dead-letter topic; one that no worker has put there is named by its own place."""
    facts = dead_letter.facts(record.headers)
    if not all(form.fullmatch(facts[name]) for name, form in _FORMS.items() if name in facts):
        facts = {}  # no worker writes such headers
    topic = facts.get("topic", settings.topic(DEAD_LETTERS))
    stream = stream_of(topic, settings)
    partition = int(facts.get("partition", record.partition))
    offset = int(facts.get("offset", record.offset))
    return Letter(
        id=f"{stream}:{partition}:{offset}",
        stream=stream,
        partition=partition,
        offset=offset,
        timestamp=int(facts.get("timestamp", record.timestamp)),
        put_aside=record.timestamp,
        reason=facts.get("reason", UNTOLD),
        field=facts.get("field", ""),
        problem=facts.get("problem", "no worker has put it here"),
        fix=facts.get("fix", "ask whoever writes to this topic"),
        left_out=facts.get("left_out", ""),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(dead_letter.PREFIX)),
    )


def stream_of(topic: str, settings: Settings) -> str:
    """The stream of a topic, or the topic itself when it is none of ours; a stream's own name is kept."""
    name = topic.removeprefix(settings.topic_prefix)
    return name if name in STREAMS else topic


def full_id(text: str, settings: Settings) -> str:
    """The id of a letter, also when it was given with the whole name of the topic."""
    topic, colon, place = text.partition(":")
    return f"{stream_of(topic, settings)}{colon}{place}"
