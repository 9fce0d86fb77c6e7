"""Policies for the quantity and the price of time: how durations are rounded, and when work costs more or less."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .wire import DecimalText

MINUTES_OF_A_DAY: Final = 1440


class TimeRounding(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Billed time in whole units of so many minutes: the nearest (a tie goes up), the next up, or the next down.

    minimum_minutes: least time billed for an entry that bills any. factor_percent: share of the worked time that is
    billed, taken before rounding; a quantity that the entry itself calls billable is rounded without it.
    """

    unit_minutes: Annotated[int, msgspec.Meta(ge=1, le=MINUTES_OF_A_DAY)]
    mode: Literal["nearest", "up", "down"] = "nearest"
    minimum_minutes: Annotated[int, msgspec.Meta(ge=0, le=MINUTES_OF_A_DAY)] = 0
    factor_percent: DecimalText = "100"
