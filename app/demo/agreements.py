"""What the firm's contracts agree about time and approval: how it is rounded, what it costs, who has to approve it.

Most choices go by the number of the engagement, so that each is there whatever the seed; as each goes by another
remainder of it, they meet in many ways.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from ...codecs.approvers import ApprovalThreshold, Approver, Delegate
from ...codecs.engagement import Policies
from ...codecs.time_policies import Discount, MultiplierChange, Multipliers, TimeRounding
from .answers import WRITTEN_OFF
from .fees import BY_DAYS
from .happenings import often
from .offices import amount_text
from .reviews import review_above

if TYPE_CHECKING:
    import random

    from ...codecs.approval import ApprovalLevel
    from ...codecs.engagement import EngagementRate
    from .offices import Entity

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
DATED_DISCOUNTS: Final = {
    7: (Discount(percent="20", effective_from=dt.date(2025, 11, 6)),),
    0: (Discount(percent="10", effective_from=dt.date(2025, 10, 1), effective_to=dt.date(2025, 11, 4)),),
}
"""By the last digit of the engagement's number, for some time only."""
MULTIPLIER_CHANGES: Final = {
    2: (MultiplierChange(effective_from=dt.date(2025, 11, 4), multipliers=MULTIPLIERS[5]),),
    4: (
        MultiplierChange(
            effective_from=dt.date(2025, 11, 6), multipliers=Multipliers(by_work_type={"overtime": "1.75"})
        ),
    ),
    9: (MultiplierChange(effective_from=dt.date(2025, 11, 7)),),
}
"""By the last digit of the engagement's number: from a date on, others or none."""
HALF_DAYS: Final = 6
"""Last digit of the engagements whose day rates are billed by half days; they have such rates."""
LIMITED: Final = (6, 8)
"""Last digits of the engagements whose own rates have a least and a most charge."""


CLOSED_PERIODS: Final[tuple[Literal["hold", "next_open_period"], ...]] = ("hold", "next_open_period")
ADJUSTED: Final = 1
"""Of the engagement's number modulo three: corrections are lines of the difference there."""
THRESHOLDS: Final[dict[int, tuple[tuple[ApprovalLevel, int, Literal["price", "cost"]], ...]]] = {
    3: (("finance", 80_000, "price"),),
    5: (("project", 40_000, "cost"), ("finance", 150_000, "price")),
    6: (("manager", 10_000, "price"),),
}
"""By the engagement's number modulo seven: levels by amount, in euro cents, of price or cost."""
AUTO_APPROVED: Final = 4
"""Of the engagement's number modulo nine: small entries need no decision there."""
AUTO_APPROVED_CENTS: Final = 30_000
AT_PERIOD_END: Final = 8
"""Of the engagement's number modulo eleven: what is done is posted on the last day of its period there."""
ROLLED_OVER: Final = 5
"""Of the engagement's number modulo six: work in progress is reversed and accrued again in the next period there."""
TOLD_APART: Final = 2
"""Of the engagement's number modulo five: the figures tell margin by practice and region of the people there."""
SUMMED: Final = (33, 35, 39, 42)
"""T&M engagements whose lines are rounded as the sum of a month; their corrections are reversed and rebilled."""
SUM_CLOSES: Final = SUMMED[0]
"""The one whose month closes after the week, so that its rounding is billed then."""
NAMED: Final = 6
"""Of the engagement's number modulo eight: those whose terms name who decides."""
APPROVERS: Final = (
    Approver(approver_id="R-0001", level="manager"),
    Approver(
        approver_id="R-0002",
        level="manager",
        valid_from=dt.date(2025, 11, 3),
        valid_to=dt.date(2025, 11, 6),
        delegates=(Delegate(approver_id="R-0003"),),
    ),
    Approver(approver_id="R-0004", level="project", valid_from=dt.date(2025, 11, 1)),
    Approver(
        approver_id="R-0005",
        level="finance",
        delegates=(Delegate(approver_id="R-0006", valid_from=dt.date(2025, 11, 7), valid_to=dt.date(2025, 11, 30)),),
    ),
)


def policies(rng: random.Random, number: int, currency: str, entity: Entity) -> Policies:
    """Policies of the engagement with this number, sold by this legal entity."""
    digit = number % 10
    closed = rng.choice(CLOSED_PERIODS)
    return Policies(
        rounding=rng.choice(ROUNDINGS),
        accrue_at="approval" if often(rng, 15) else "submission",
        closed_period="hold" if number in BY_DAYS else "next_open_period" if entity.closes else closed,
        approval_levels=rng.choice(LEVELS),
        hours_per_day=rng.choice(("8", "8", "7.5")),
        time_rounding=TIME_ROUNDINGS.get(digit),
        day_rounding="half_day" if digit == HALF_DAYS else "exact",
        multipliers=MULTIPLIERS.get(digit),
        multiplier_changes=MULTIPLIER_CHANGES.get(digit, ()),
        approval_thresholds=tuple(
            ApprovalThreshold(level=level, amount=amount_text(euro_cents, currency), of=of)
            for level, euro_cents, of in THRESHOLDS.get(number % 7, ())
        ),
        auto_approve_under=amount_text(AUTO_APPROVED_CENTS, currency) if number % 9 == AUTO_APPROVED else None,
        approvers=APPROVERS if number % 8 == NAMED else (),
        accounting_date="period_end" if number % 11 == AT_PERIOD_END else "work_date",
        work_in_progress="reverse_next_period" if number % 6 == ROLLED_OVER else "until_billed",
        margin="by_practice_and_region" if number % 5 == TOLD_APART else "total",
        correction="adjust" if number % 3 == ADJUSTED else "reverse_and_rebill",
        review_above=review_above(number, currency),
        credit="write_off" if number in WRITTEN_OFF else "rebill",
        rounding_place="invoice" if number in SUMMED else "line",
    )


def has_own_rates(rng: random.Random, number: int) -> bool:
    """Whether rates were agreed for this engagement alone."""
    return number % 10 in (HALF_DAYS, *LIMITED) or often(rng, 20)


def limited(number: int, least: str, most: str, rate: EngagementRate) -> EngagementRate:
    """A rate with the least and the most that an entry is billed, where that is agreed; amounts as text."""
    if number % 10 not in LIMITED:
        return rate
    return msgspec.structs.replace(rate, minimum_charge=least, maximum_charge=most)
