"""Dead letters and what was done with them, read from their topics while workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audit.reading import opened
from ..refusal import RefusedError
from .history import RE_DRIVES, History
from .letter import DEAD_LETTERS, STREAMS, letter_of

if TYPE_CHECKING:
    from ..settings import Settings
    from .letter import Letter


async def read(settings: Settings) -> tuple[dict[str, Letter], History]:
    """All letters by id, in the order of their partitions, and what was done with them."""
    letters: dict[str, Letter] = {}
    history = History()
    async with opened(settings, (DEAD_LETTERS, RE_DRIVES)) as topics:
        async for batch in topics.to_end():
            if batch.stream == RE_DRIVES:
                history.take(batch.records)
            else:
                found = (letter_of(record, settings) for record in batch.records)
                letters |= {letter.id: letter for letter in found}
    return letters, history


async def whole(settings: Settings, letter: Letter) -> Letter:
    """A letter with what was left out of it, read where its record stands. Raises RefusedError when it is gone."""
    if not letter.left_out or letter.stream not in STREAMS:
        return letter
    async with opened(settings, (letter.stream,)) as topics:
        record = await topics.record(settings.topic(letter.stream), letter.partition, letter.offset)
    if record is None:
        message = (
            f"{letter.id} lacks its {letter.left_out}, and the topic no longer keeps its record; "
            f"send the object anew, or give its value: `billtide dead-letters fix {letter.id} --value FILE`"
        )
        raise RefusedError(message)
    return letter._replace(key=record.key, value=record.value, headers=tuple(record.headers), left_out="")
