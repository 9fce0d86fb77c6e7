"""Where a task begins to read its inputs: at the positions in its state, which must lie within the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ...codecs.records import Position
from .failures import PositionOutsideLogError

if TYPE_CHECKING:
    from faust.types import TP

    from ...tables.state import TaskState
    from .shared import Shared

log = logging.getLogger(__name__)


async def starting_positions(shared: Shared, state: TaskState, inputs: dict[str, TP]) -> dict[TP, int]:
    """Positions of all inputs.

    A new task begins each stream with its first record; where that is not offset 0, the position is part of the state
    from then on. A stream whose next record is gone raises PositionOutsideLogError, unless the setting `lost_records`
    accepts the gap.
    """
    bounds = await shared.thread.bounds(list(inputs.values()))
    new = not state.positions.bytes
    found: dict[TP, int] = {}
    for stream, where in inputs.items():
        first, end = bounds[where]
        positions = state.positions
        key = positions.key(stream)
        position = positions.get(key)
        if position is None:
            position = Position(first if new else 0)
            if position.offset:
                positions.put(key, position)
        offset = position.offset
        if not first <= offset <= end:
            problem = outside(where, offset, first, end)
            if shared.settings.lost_records == "refuse":
                raise PositionOutsideLogError(problem)
            log.warning("%s; accepted by BILLTIDE_LOST_RECORDS", problem)
            offset = position.offset = first
            positions.put(key, position)
        found[where] = offset
    return found


def outside(where: TP, offset: int, first: int, end: int) -> str:
    """Say what is missing and what can be done about it."""
    if offset < first:
        missing = f"retention has removed offsets {offset} to {first - 1}"
    else:
        missing = "the topic was created anew or truncated"
    return (
        f"{where.topic} partition {where.partition}: the state's next offset is {offset}, the log holds {first} to "
        f"{end - 1}: {missing}. Send the missing records again, then start once with BILLTIDE_LOST_RECORDS=accept"
    )
