"""aiokafka's fetcher, which can be closed also while it waits after a fetch that failed.

aiokafka 0.14 ends a fetch that is cancelled quietly, except in that wait: then the cancellation leaves close(), the
rest of it is left out, and whoever follows a topic for ever ends as if somebody had cancelled him.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher


class _Fetcher(Fetcher):  # type: ignore[misc]  # aiokafka has no types
    async def _proc_fetch_request(self, *args: Any) -> Any:  # noqa: ANN401 - aiokafka's signature
        try:
            return await super()._proc_fetch_request(*args)
        except asyncio.CancelledError:
            return False  # as it does where it handles this: only close() and a lost assignment cancel it


def mend() -> None:
    """Let every consumer of this process fetch like this."""
    consumer.Fetcher = _Fetcher
