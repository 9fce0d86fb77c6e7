"""aiokafka's fetcher, which can be closed also while it waits after a fetch that failed, and says when it has ended.

aiokafka 0.14 ends a fetch that is cancelled quietly, except in that wait: then the cancellation leaves close(), the
rest of it is left out, and whoever follows a topic for ever ends as if somebody had cancelled him.

Its routine that fetches is looked at by nobody: ended by an error, it leaves a reader that is given nothing for ever.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Fetcher(Fetcher):  # type: ignore[misc]  # aiokafka has no types
    async def _proc_fetch_request(self, *args: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        try:
            return await super()._proc_fetch_request(*args)
        except asyncio.CancelledError:
            return False  # as it does where it handles this: only close() and a lost assignment cancel it

    async def fetched_records(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        routine = self.error_future
        if routine.done() and not routine.cancelled():
            routine.result()  # raises what has ended it
        return await super().fetched_records(*args, **named)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While somebody asks for records, a member of a group is alive; aiokafka's forgets the end after an error."""
        asked = self._subscriptions.fetch_context()
        asked.__enter__()
        try:
            yield
        finally:
            asked.__exit__(None, None, None)


def mend() -> None:
    """Let every consumer of this process fetch like this."""
    consumer.Fetcher = _Fetcher
