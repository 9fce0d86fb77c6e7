"""What makes a Faust topic carry slabs: a schema that decodes nothing, since a slab is no record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import faust
from faust.events import Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

QUEUE_MAX: Final = 1_024
"""Slabs a Faust queue could hold. Never reached: fetching stops at `slabs_waiting_max`, and Faust's own limit would
block the delivery to all partitions when one is full."""


class SlabSchema(faust.Schema[Any, Any]):
    """Hands the slab through as the event's value."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Event]]:  # noqa: ANN401 - Faust's signature
        """Make the function Faust calls for each message."""

        async def decode(message: Any, **_: Any) -> Event:  # noqa: ANN401 - Faust's signature
            return Event(app, None, message.value, [], message)

        return decode
