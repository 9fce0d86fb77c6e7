"""A load that takes its time, so that whatever happens to the workers meanwhile meets records."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from billtide.app.demo import firm
from billtide.app.demo.feed import send_phase

if TYPE_CHECKING:
    from billtide.app.settings import Settings

SLICES: Final = 60
SLICE_SECONDS: Final = 0.2


async def send_slowly(settings: Settings, phase: firm.Phase) -> None:
    """Send a phase in slices, in its order, with a pause after each."""
    everything = list(firm.in_order(phase))
    size = -(-len(everything) // SLICES)
    for first in range(0, len(everything), size):
        part: firm.Phase = defaultdict(list)
        for stream, sent in everything[first : first + size]:
            part[stream].append(sent)
        await send_phase(settings, part)
        await asyncio.sleep(SLICE_SECONDS)
