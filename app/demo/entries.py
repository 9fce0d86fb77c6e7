"""What people enter in the sample week: time and expenses, most of it on Friday afternoon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...codecs.decimals import RATE_PLACES, format_plain, parse_scaled
from ...codecs.time_entry import TimeEntry
from .courses import Line, take
from .crossings import needs_day, says_day
from .deals import BILLED_BY_TIME, LATE_ROLE, Post
from .fees import excluded
from .happenings import FORGOTTEN, FRIDAY, MONDAY, WEEKEND, WORKDAYS, Happening, chance, moment, often
from .offices import LATE_CURRENCY, PER_HUNDRED_EURO, UNQUOTED_CURRENCY, amount_text
from .spending import an_expense

if TYPE_CHECKING:
    import datetime as dt
    import random
    from collections.abc import Iterator, Sequence

    from ...codecs.approval import ApprovalLevel
    from ...codecs.approvers import Approver
    from ...codecs.engagement import Engagement
    from ...codecs.expense import Expense
    from ...codecs.wire import Unit

QUANTITIES: Final[tuple[tuple[int, Unit, tuple[str, ...]], ...]] = (
    (84, "hour", ("8", "7.5", "4", "2.25", "6", "1.5", "3", "0.5", "5.75")),
    (9, "minute", ("30", "45", "90", "125", "20")),
    (7, "day", ("1", "0.5", "0.25")),
)
"""Share in percent, unit, and quantities entered in it."""
ENTRIES_A_DAY: Final = (2, 2, 3, 3, 3)
EXPENSES: Final = 1_400
RARE: Final = ((LATE_CURRENCY, 14), (UNQUOTED_CURRENCY, 4))
"""Currencies of spend without an exchange rate at first, with the number of expenses in them."""
NEVER_SOLD: Final = ("E-9001", "E-9001", "E-9002")
"""Engagements that are booked on and never arrive."""
_MORNING, _NOON, _PEAK, _EVENING = 8 * 60, 12 * 60, 16 * 60, 19 * 60  # minutes of the day
FORGETFUL: Final = "7"
"""How the ids of entries end that do not say the day of submission where it is asked for."""
FRIDAY_PERCENT: Final = 80


def time_entries(seed: int, posts: Sequence[Post], sold: Sequence[Engagement]) -> Iterator[Happening]:
    """Every time entry of the week on its course, and the decisions about it."""
    rng = chance(seed, "time entries")
    of_person: dict[str, list[Post]] = {}
    for post in posts:
        of_person.setdefault(post.person.resource.id, []).append(post)
    number = 0
    for places in of_person.values():
        days = [day for day in WORKDAYS for _ in range(rng.choice(ENTRIES_A_DAY))]
        days += [rng.choice(FORGOTTEN)] if often(rng, 30) else []
        days += [rng.choice(WEEKEND)] if often(rng, 15) else []
        for day in days:
            number += 1
            yield from _on_course(rng, _time_entry(rng, number, rng.choice(places), day), sold, _handed_in(rng, day))
    for unsold in NEVER_SOLD:
        number += 1
        post = rng.choice(posts)
        entry = _time_entry(rng, number, post, FRIDAY, unsold)
        yield from _on_course(rng, entry, sold, _handed_in(rng, FRIDAY))


def _time_entry(rng: random.Random, number: int, post: Post, day: dt.date, engagement_id: str = "") -> TimeEntry:
    _, unit, quantities = rng.choices(QUANTITIES, [share for share, _, _ in QUANTITIES])[0]
    billed = post.terms.contract_type in BILLED_BY_TIME
    rare = often(rng, 2)
    names_assignment = not engagement_id and (post.late or often(rng, 50))
    own_rate = billed and not engagement_id and often(rng, 3)
    quantity = rng.choice(quantities)
    return TimeEntry(
        source="psa",
        id=f"T-{number:06}",
        revision=1,
        engagement_id=engagement_id or post.terms.id,
        resource_id=post.person.resource.id,
        work_date=day,
        quantity=quantity,
        unit=unit,
        status="submitted",
        billable=often(rng, 96),
        role=LATE_ROLE if billed and rare else "principal" if often(rng, 4) else "",
        item="workshop" if not rare and often(rng, 5) else "",
        task_id=f"task-{rng.randint(1, 6)}" if often(rng, 40) else "",
        assignment_id=post.assignment.id if names_assignment else "",
        rate=amount_text(rng.randint(150, 250) * 100, post.terms.currency) if own_rate else None,
        billable_quantity=_billable(rng, quantity) if often(rng, 8) else None,
        work_type=rng.choice(("overtime", "travel", "training")) if often(rng, 20) else "",
        progress_excluded=excluded(rng),
    )


def _billable(rng: random.Random, quantity: str) -> str:
    """What the customer pays for instead of the worked quantity: nothing, a part, or more."""
    worked = parse_scaled(quantity, RATE_PLACES, "$.quantity")
    return format_plain(worked * rng.choice((0, 2, 3, 5)) // 4, RATE_PLACES)


def expenses(seed: int, posts: Sequence[Post], sold: Sequence[Engagement]) -> Iterator[Happening]:
    """Every expense of the week on its course, and the decisions about it."""
    rng = chance(seed, "expenses")
    rare = [currency for currency, count in RARE for _ in range(count)]
    for number in range(1, EXPENSES + 1):
        post = rng.choice(posts)
        home = post.person.entity.currency
        abroad = rng.choice(list(PER_HUNDRED_EURO)) if often(rng, 30) else home
        # Not on the places of the firm's calendar: a closed month would hide the missing exchange rate.
        currency = rare[number - 1] if number <= len(rare) else abroad
        day = rng.choice(WORKDAYS if number <= len(rare) or often(rng, 95) else FORGOTTEN)
        yield from _on_course(rng, an_expense(rng, number, post, day, currency), sold, _handed_in(rng, day))


def _on_course(rng: random.Random, first: TimeEntry | Expense, sold: Sequence[Engagement], at: int) -> list[Happening]:
    terms = next((terms for terms in sold if terms.id == first.engagement_id), None)
    levels: tuple[ApprovalLevel, ...] = ()
    approvers: tuple[Approver, ...] = ()
    dated = terms is not None and needs_day(terms)
    says = terms is not None and says_day(terms) and not first.id.endswith(FORGETFUL)
    if terms is not None:
        asked = (*terms.policies.approval_levels, *(each.level for each in terms.policies.approval_thresholds))
        levels, approvers = tuple(dict.fromkeys(asked)), terms.policies.approvers
    elsewhere = rng.choice([other.id for other in sold if other.id != first.engagement_id])
    return take(Line(first, levels, approvers, at, elsewhere, rng, dated, says))


def _handed_in(rng: random.Random, day: dt.date) -> int:
    """Most people hand in on Friday afternoon what they did in the week; some every evening."""
    millisecond = rng.randrange(60_000)
    if day < MONDAY or often(rng, FRIDAY_PERCENT):
        return moment(FRIDAY, int(rng.triangular(_NOON + 60, _EVENING, _PEAK)), millisecond)
    return moment(day, rng.randint(_PEAK, _EVENING), millisecond)
