"""Which entry is meant: by its name, or read from the id of an event it brought about."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

KINDS: Final = ("time", "expense")
_NAME_PARTS: Final = 3
_EVENT_ID: Final = re.compile(r"([^:]+):(time|expense):(.+):\d+:[a-z_]+:\d+(?::\d+)?(?::[a-z_]+)?", re.DOTALL)


class Entry(NamedTuple):
    """A time entry or an expense. An empty kind and source stand for any."""

    kind: str
    source: str
    id: str

    def __str__(self) -> str:
        """As events name it: `psa:time:4711`."""
        return f"{self.source}:{self.kind}:{self.id}"

    def means(self, other: Entry) -> bool:
        """Whether `other` is this entry, or one that this leaves open."""
        return self.id == other.id and (not self.kind or self == other)


def asked(text: str) -> Entry:
    """Read `source:kind:id`, or an id alone."""
    parts = text.split(":", _NAME_PARTS - 1)
    if len(parts) == _NAME_PARTS and parts[1] in KINDS:
        return Entry(parts[1], parts[0], parts[2])
    return Entry("", "", text)


def entry_of(event_id: str) -> Entry | None:
    """The entry an event's id names; None for events of terms and assignments. A source holds no colon."""
    found = _EVENT_ID.fullmatch(event_id)
    return Entry(found[2], found[1], found[3]) if found else None
