"""What a scenario's workers take in: a part of the sample firm's week, sent while the faults go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from billtide.app.demo import firm
from billtide.app.demo.feed import send_phase
from billtide.app.refusal import RefusedError

if TYPE_CHECKING:
    from billtide.app.demo.firm import Phase, Week
    from billtide.app.demo.happenings import Sent
    from billtide.app.settings import Settings

PART: Final = 3
"""One engagement in so many has its load sent: about 2,000 entries."""
SLICE_SECONDS: Final = 0.2


class Feed:
    """The week of one run. Masters go first, the load while faults go on, what is late at the end."""

    def __init__(self, settings: Settings, week: Week) -> None:
        """Know what to send."""
        self.settings: Final = settings
        self.week: Final = week
        self.load = list(firm.in_order(week.load))
        self._late_sent = self._again = False
        self._enough: Final = asyncio.Event()
        self._sending: asyncio.Future[None]

    async def masters(self) -> None:
        """Send reference data, terms and assignments."""
        await send_phase(self.settings, self.week.masters)

    def begin(self, seconds: float) -> None:
        """Send the load in slices that last about so long. Faults that take longer meet it once more: duplicates."""
        self._sending = asyncio.ensure_future(self._trickle(seconds))

    async def rest(self) -> None:
        """Send at once what is left of the load."""
        self._enough.set()
        await self._sending
        part, self.load = self.load, []
        if not self._again:
            await self._send(part)

    async def _trickle(self, seconds: float) -> None:
        size = max(1, int(len(self.load) * SLICE_SECONDS / seconds))
        sent: list[tuple[str, Sent]] = []
        while not self._enough.is_set():
            if not self.load:
                self.load, sent, self._again = sent, [], True
            part, self.load = self.load[:size], self.load[size:]
            sent += part
            await self._send(part)
            await asyncio.sleep(SLICE_SECONDS)

    async def late(self) -> None:
        """Send what the firm's systems send the Monday after; once."""
        if not self._late_sent:
            self._late_sent = True
            await send_phase(self.settings, self.week.late)

    async def _send(self, part: list[tuple[str, Sent]]) -> None:
        phase: Phase = {}
        for stream, sent in part:
            phase.setdefault(stream, []).append(sent)
        while phase:
            try:
                await send_phase(self.settings, phase)
            except RefusedError:  # no broker now: what was taken of it comes twice, as a firm's system would send it
                await asyncio.sleep(SLICE_SECONDS)
            else:
                return
