"""An event loop without a clock, files or sockets: time passes only when nothing else can happen.

So a pause of seconds costs nothing, the same seed gives the same order of everything, and a program in which nothing
can happen any more is told so instead of waiting for ever.
"""

from __future__ import annotations

import asyncio
import itertools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Coroutine

OWNER: ContextVar[Any] = ContextVar("owner", default=None)
"""The worker on whose behalf a task of the loop runs; None for the simulator itself."""


class NothingLeftError(RuntimeError):
    """Everybody waits for somebody else."""


class NumberedTask(asyncio.Task):  # type: ignore[type-arg]
    """A task that stands in sets by its number, not by its place in memory: sets of tasks then have one order."""

    _numbers = itertools.count()

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Number the task before the loop takes note of it."""
        task = super().__new__(cls)
        task.number = next(cls._numbers)
        return task

    def __hash__(self) -> int:
        return self.number


def _make(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **given: Any) -> NumberedTask:
    """Make a task and enter it with its owner, so that a crash ends all tasks of a worker at once."""
    task = NumberedTask(work, loop=loop, **given)
    context = given.get("context")
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.running.add(task)
        task.add_done_callback(owner.ended)
    return task


class _Selector:
    """Where a loop waits for files: there are none, so waiting is the passing of time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, seconds: float | None) -> list[Any]:
        if seconds is None:
            raise NothingLeftError("nothing can happen any more")
        self._loop.now += seconds
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """now: seconds since the start."""

    def __init__(self) -> None:
        """Start at zero."""
        super().__init__()
        self.now = 0.0
        self._selector = _Selector(self)
        self._clock_resolution = 1e-6
        self.set_task_factory(_make)
        NumberedTask._numbers = itertools.count()  # noqa: SLF001 - its own

    def time(self) -> float:
        """Seconds since the start."""
        return self.now

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody waits in another thread."""
