"""Policies for the quantity and the price of time: how durations are rounded, and when work costs more or less."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from .wire import DecimalText

MINUTES_OF_A_DAY: Final = 1440

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class TimeRounding(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Billed time in whole units of so many minutes: the nearest (a tie goes up), the next up, or the next down.

    minimum_minutes: least time billed for an entry that bills any. factor_percent: share of the worked time that is
    billed, taken before rounding; a quantity that the entry itself calls billable is rounded without it.
    """

    unit_minutes: Annotated[int, msgspec.Meta(ge=1, le=MINUTES_OF_A_DAY)]
    mode: Literal["nearest", "up", "down"] = "nearest"
    minimum_minutes: Annotated[int, msgspec.Meta(ge=0, le=MINUTES_OF_A_DAY)] = 0
    factor_percent: DecimalText = "100"


class Discount(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A discount on the rates of work on dates from effective_from through effective_to, for ever without one."""

    percent: DecimalText
    effective_from: dt.date
    effective_to: dt.date | None = None


class Multipliers(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a rate is multiplied by, such as "1.15" for 15 % more: by the entry's work_type, at weekends, on holidays.

    Where several apply, the largest counts, or with `multiply` all of them, one after the other. Where none does, the
    rate stays as it is; so does a rate that the entry itself carries. holidays: days of the customer's or the legal
    entity's calendar, as agreed; weekend_days: days of every week.
    """

    by_work_type: dict[str, DecimalText] = {}
    weekend: DecimalText | None = None
    holiday: DecimalText | None = None
    weekend_days: tuple[Weekday, ...] = ("saturday", "sunday")
    holidays: tuple[dt.date, ...] = ()
    stacking: Literal["largest", "multiply"] = "largest"


class MultiplierChange(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Multipliers that take the place of the earlier ones for work from a date on; none end them."""

    effective_from: dt.date
    multipliers: Multipliers | None = None
