"""Send checked records stream by stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import records
from ..refusal import RefusedError
from .connection import run
from .output import counted

if TYPE_CHECKING:
    from ...agents.outbox import OutputRecord
    from ..settings import Settings


def check_sizes(settings: Settings, by_stream: dict[str, list[OutputRecord]]) -> None:
    """Refuse values no topic of ours takes, before the first is sent."""
    for stream, given in by_stream.items():
        for key, value, _ in given:
            if len(value or b"") > settings.message_bytes_max:
                name = (key or b"").decode(errors="replace")
                message = (
                    f"a value of {stream} with key {name!r} has {len(value or b'')} bytes, BILLTIDE_MESSAGE_BYTES_MAX "
                    f"is {settings.message_bytes_max}; shorten its notes, or raise the setting and the topic's limit"
                )
                raise RefusedError(message)


def send(settings: Settings, by_stream: dict[str, list[OutputRecord]]) -> dict[str, int]:
    """Send every stream's records in the order given; returns how many of each."""
    check_sizes(settings, by_stream)

    async def work() -> dict[str, int]:
        return {stream: await records.send(settings, stream, given) for stream, given in by_stream.items()}

    return run(settings, work())


def counts(by_stream: dict[str, list[OutputRecord]]) -> dict[str, int]:
    """Records of each stream."""
    return {stream: len(given) for stream, given in by_stream.items()}


def sentence(sent: dict[str, int], *, dry: bool) -> str:
    """What was sent, for people."""
    total = counted(sum(sent.values()), "record")
    parts = ", ".join(f"{stream} {count}" for stream, count in sent.items())
    return f"{total} {'checked, nothing sent (--dry-run)' if dry else 'sent'}{f': {parts}' if parts else ''}"
