"""What the firm's contracts agree about time: how it is rounded, what it costs more or less, who pays at least what.

Every choice goes by the number of the engagement, so that each is there whatever the seed, and none alone: the first
of them goes by the number, the next by its tenth, and so on.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from ...codecs.engagement import Policies
from ...codecs.time_policies import Multipliers, TimeRounding
from .happenings import often

if TYPE_CHECKING:
    import random

    from ...codecs.approval import ApprovalLevel
    from ...codecs.engagement import EngagementRate

LEVELS: Final[tuple[tuple[ApprovalLevel, ...], ...]] = (
    (),
    (),
    (),
    ("manager",),
    ("project", "manager"),
    ("manager", "finance"),
)
ROUNDINGS: Final = ("half_up", "half_up", "half_even", "up", "down")
TIME_ROUNDINGS: Final = {
    1: TimeRounding(unit_minutes=15, minimum_minutes=30),
    2: TimeRounding(unit_minutes=6, mode="up"),
    3: TimeRounding(unit_minutes=30, mode="down", factor_percent="90"),
    9: TimeRounding(unit_minutes=20, mode="up", factor_percent="112.5"),
}
"""By the last digit of the engagement's number."""
HOLIDAYS: Final = (dt.date(2025, 10, 31), dt.date(2025, 11, 1), dt.date(2025, 11, 5))
MULTIPLIERS: Final = {
    4: Multipliers(by_work_type={"overtime": "1.5", "travel": "0.5"}, weekend="1.75", holiday="2", holidays=HOLIDAYS),
    5: Multipliers(
        by_work_type={"overtime": "1.3333", "travel": "0"},
        weekend="1.15",
        holiday="1.25",
        weekend_days=("friday", "saturday"),
        holidays=HOLIDAYS,
        stacking="multiply",
    ),
    9: Multipliers(by_work_type={"overtime": "1.25"}),
}
"""By the last digit of the engagement's number."""
DISCOUNTS: Final = {5: "7.5", 7: "12.5", 8: "3.3333"}
"""By the last digit of the engagement's number, in percent."""
HALF_DAYS: Final = 6
"""Last digit of the engagements whose day rates are billed by half days; they have such rates."""
LIMITED: Final = (6, 8)
"""Last digits of the engagements whose own rates have a least and a most charge."""


def policies(rng: random.Random, number: int) -> Policies:
    """Policies of the engagement with this number."""
    digit = number % 10
    return Policies(
        rounding=rng.choice(ROUNDINGS),
        accrue_at="approval" if often(rng, 15) else "submission",
        closed_period=rng.choice(("hold", "next_open_period")),
        approval_levels=rng.choice(LEVELS),
        hours_per_day=rng.choice(("8", "8", "7.5")),
        time_rounding=TIME_ROUNDINGS.get(digit),
        day_rounding="half_day" if digit == HALF_DAYS else "exact",
        multipliers=MULTIPLIERS.get(digit),
    )


def has_own_rates(rng: random.Random, number: int) -> bool:
    """Whether rates were agreed for this engagement alone."""
    return number % 10 in (HALF_DAYS, *LIMITED) or often(rng, 20)


def limited(number: int, least: str, most: str, rate: EngagementRate) -> EngagementRate:
    """A rate with the least and the most that an entry is billed, where that is agreed; amounts as text."""
    if number % 10 not in LIMITED:
        return rate
    return msgspec.structs.replace(rate, minimum_charge=least, maximum_charge=most)
