"""Explain: read one entry's story from the topics. Needs no worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..refusal import RefusedError
from ..runtime.outgoing import partition_of
from .entry import asked
from .reading import opened
from .story import Story
from .verification import AUDIT, EVENTS

if TYPE_CHECKING:
    from ..settings import Settings


POSTINGS: Final = "posting-states"


class AmbiguousEntryError(RefusedError):
    """Several entries have the id that was asked for."""


async def explain(settings: Settings, text: str, engagement_id: str = "") -> Story:
    """Everything the topics hold about an entry; no steps when the audit does not tell of it.

    The engagement names the one partition to read; without it all of the audit is searched. Raises
    AmbiguousEntryError when an id alone is that of several entries.
    """
    story = Story(asked(text))
    partition = partition_of(engagement_id.encode(), settings.partitions) if engagement_id else None
    async with opened(settings, (AUDIT,), partition) as topics:
        async for batch in topics.to_end():
            story.take_audit(batch.partition, batch.records)
    if len(story.entries) > 1:
        names = ", ".join(sorted(map(str, story.entries)))
        message = f"{text!r} is the id of several entries: {names}; name one of them in full"
        raise AmbiguousEntryError(message)
    story.entry = next(iter(story.entries), story.entry)
    for number in sorted({step.partition for step in story.steps}):
        async with opened(settings, EVENTS, number) as topics:
            async for batch in topics.to_end():
                story.take_events(*batch)
        async with opened(settings, (POSTINGS,), number) as topics:
            async for batch in topics.to_end():
                story.take_postings(batch.records)
    steps = story.own_steps()
    if not steps:
        return story
    async with opened(settings, {step.stream for step in steps}) as topics:
        for step in steps:
            topic = settings.topic(step.stream)
            story.take_input(step, await topics.record(topic, step.partition, step.row.offset))
    return story
