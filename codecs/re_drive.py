"""What an operator did with a dead letter: corrected its value, or sent the record to its topic again; who and why.

A re-drive leaves in one Kafka transaction with the record it tells of, so a letter that is told of here was sent, and
one that is not was not. The latest correction of a letter counts.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .wire import Id, OptionalId, Wire, decoder

TYPE: Final = "billtide.re-drive.v1"
HEADER: Final = "billtide_re_driven_from"
"""Header of a record that was sent again: the letter it comes from, stream:partition:offset of its record."""
NO_OFFSET: Final = -1
"""Offset of a correction, which sends nothing."""
WHY_CHARACTERS_MAX: Final = 2_000

LetterId = Annotated[
    str, msgspec.Meta(min_length=1, max_length=300, description="Where its record stood: stream:partition:offset")
]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=WHY_CHARACTERS_MAX, description="Why it was done, in words")]


class ReDrive(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One thing done with a dead letter. Key is the letter; the record's timestamp says when.

    number: 0, 1, 2, ... for each letter; by: who did it; value: of `corrected`, what to send instead, JSON as text;
    stream, partition, offset: of `re_driven`, where the record stands now.
    """

    letter: LetterId
    number: int
    action: Literal["corrected", "re_driven"]
    by: Id
    why: Why
    value: str | None = None
    stream: OptionalId = ""
    partition: int = 0
    offset: int = NO_OFFSET


decode: Final = decoder(ReDrive)
