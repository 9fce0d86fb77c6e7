"""Versions on the wire: whether this version reads what the senders write now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.wire import versions
from ..shapes import SHAPES
from ..topology import TOPOLOGY
from .line import Line, judged

if TYPE_CHECKING:
    from .view import View

TAIL: Final = 50
"""Latest records of each partition that are looked at."""
READ_MILLISECONDS: Final = 500


class _Versioned(msgspec.Struct):
    schema_version: int = 1


_version: Final = msgspec.json.Decoder(_Versioned).decode


async def check(view: View) -> list[Line]:
    """Look at the latest records of every input and reference topic; what is no JSON is a dead letter's matter."""
    streams = [stream for stream in TOPOLOGY.streams if stream.agent or stream.role == "reference"]
    places = await view.places(streams)
    readable = {view.settings.topic(stream.name): versions(SHAPES[stream.name].struct) for stream in streams}
    others: Counter[tuple[str, int]] = Counter()
    looked = 0
    if not places:
        return [Line("ok", "no topic to look at")]
    async with view.consumer() as consumer:
        first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        consumer.assign(places)
        for where in places:
            consumer.seek(where, max(first[where], end[where] - TAIL))
        while any([await consumer.position(where) < end[where] for where in places]):
            for where, records in (await consumer.getmany(timeout_ms=READ_MILLISECONDS)).items():
                looked += len(records)
                found = map(version, records)
                others.update((where.topic, one) for one in found if one not in readable[where.topic])
    mend = "Upgrade the workers, or have the sender write a version they read: it goes to dead-letters"
    problems = [
        Line("fail", f"{topic}: {count} of the latest records have schema_version {number}", mend)
        for (topic, number), count in sorted(others.items())
    ]
    return judged(problems, f"{looked} latest records, all of a schema_version that is read")


def version(record: object) -> int:
    """The version a record says it has; one that says none has the first."""
    value: bytes | None = getattr(record, "value", None)
    try:
        return _version(value or b"{}").schema_version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 1
