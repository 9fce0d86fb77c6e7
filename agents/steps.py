"""Long lists worked off in short steps, so that whoever walks them can let other work run in between."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

LOOKED_AT_MAX: Final = 5_000
"""Keys one step looks at; with all that is asked of an entry it takes from 3 to 50 ms."""
GIVEN_MAX: Final = 1_000
"""Keys one step gives."""


def in_order(
    keys: Sequence[bytes], wanted: Callable[[bytes], bool] | None, order: Callable[[bytes], Any] | None = None
) -> Iterator[list[bytes]]:
    """Keys that are wanted, all of them for None, sorted by `order` or as they are; some steps give none.

    Parts are sorted and then merged, so that no step is longer than others. What `wanted` and `order` read must
    outlast the walk.
    """
    runs = []
    for at in range(0, len(keys), LOOKED_AT_MAX):
        if at:
            yield []
        part = keys[at : at + LOOKED_AT_MAX]
        runs.append(sorted(part if wanted is None else filter(wanted, part), key=order))
    merged = heapq.merge(*runs, key=order)
    while given := list(islice(merged, GIVEN_MAX)):
        yield given
