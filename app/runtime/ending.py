"""How background work is ended."""

from __future__ import annotations

import asyncio
from typing import Any, Final

CANCEL_AGAIN_SECONDS: Final = 10.0
"""How long what is given up may take to end before it is cancelled once more; closing a client takes less."""


async def ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended. Once may not do: while aiokafka closes something it takes that for its own."""
    left = tasks
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
