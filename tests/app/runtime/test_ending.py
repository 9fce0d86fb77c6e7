"""What is given up ends, also where a library takes the cancellation for one of its own."""

from __future__ import annotations

import asyncio

import pytest

from billtide.app.runtime import ending


async def test_a_cancellation_that_is_swallowed_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that was just closing its client goes on uncancelled: a rebalance would wait for it for ever."""
    monkeypatch.setattr(ending, "CANCEL_AGAIN_SECONDS", 0.05)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1

    async def failed() -> None:
        raise ValueError

    tasks = {asyncio.ensure_future(stubborn()), asyncio.ensure_future(failed())}
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await ending.ended(tasks)

    assert swallowed == 3
    assert all(task.done() for task in tasks)
