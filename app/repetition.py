"""A log filter for libraries that say the same for every try: once a while, with how often it was said meanwhile."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 10.0
"""How long the same is not said again."""
REMEMBERED_MAX: Final = 1_000


class Unrepeated(logging.Filter):
    """Lets a message of a library pass once in SECONDS. Two are the same when logger, level and wording are.

    Without its broker a worker tries some hundred times a second, and aiokafka tells of each try.
    """

    def __init__(self, library: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Filter what a library's loggers say; clock: seconds."""
        super().__init__()
        self._library: Final = library
        self._clock: Final = clock
        self._said: Final[dict[tuple[str, int, str], tuple[float, int]]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to say it; the first one after a pause tells how many were left out."""
        if record.name.partition(".")[0] != self._library:
            return True
        same, now = (record.name, record.levelno, str(record.msg)), self._clock()
        since, left_out = self._said.get(same, (now - SECONDS, 0))
        if now - since < SECONDS:
            self._said[same] = since, left_out + 1
            return False
        if len(self._said) >= REMEMBERED_MAX:
            self._said.clear()
        self._said[same] = now, 0
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} times more within {now - since:.0f} s)"
            record.args = ()
        return True
