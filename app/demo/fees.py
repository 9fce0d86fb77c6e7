"""Fees of the firm's engagements: by term, and fixed ones by every measure of progress, with their milestones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from ...codecs.engagement import Fee, FeeTerm, Milestone
from .balances import DRAWN_DOWN, drawn_down
from .happenings import NEXT_MONDAY, WORKDAYS, often
from .offices import amount_text

if TYPE_CHECKING:
    import random

    from ...codecs.engagement import ContractType, Engagement
    from ...codecs.time_entry import ProgressExcluded

BILLED_BY_TERM: Final = {"retainer", "subscription"}
NEW_ESTIMATE: Final = 73
"""Fixed fee whose expected cost is changed after the week."""
LOSS_FOUND, LOSS_AVERTED = 82, 80
"""Fixed fees that are found to end in a loss after the week, or not to."""
REACHED_LATE, TAKEN_BACK = 83, 84
"""Fixed fees of which a milestone is reached after the week, or was not reached after all."""
BY_DATES: Final = 96
"""Retainer whose terms have dates of their own."""
PAID_AHEAD: Final = 99
"""Subscription from the first day of the week's month, a quarter in advance: two thirds are deferred."""
BILLED_ANEW: Final = (91, 98, 100)
"""Retainers and subscription whose fee turns out another after the week, for terms that are billed as well."""
BY_DAYS: Final = (74, 85)
"""Fixed fees whose progress is measured by days. A month that closes moves nothing of theirs: they wait for it."""
ENDS: Final = dt.date(2026, 3, 31)
_WEDNESDAY: Final = WORKDAYS[2]
_OTHER_ESTIMATES: Final = {NEW_ESTIMATE: 6_000_000, LOSS_FOUND: 20_000_000}  # euro cents
_BEFORE: Final = dt.date(2025, 10, 20)  # in a month that most legal entities have closed
_EXCLUDED_PERCENT: Final = 6


def excluded(rng: random.Random) -> ProgressExcluded | None:
    """Why the cost of an entry is no progress, for the few of which it is not."""
    return rng.choice(("uninstalled", "waste")) if often(rng, _EXCLUDED_PERCENT) else None


def fee(rng: random.Random, number: int, kind: ContractType, currency: str) -> Fee | None:
    """The fee of the engagement with this number, if it is of a kind that has one."""
    if kind == "fixed_fee":
        return _fixed_fee(rng, number, currency)
    if kind in BILLED_BY_TERM:
        billed: Literal["advance", "arrears"] = "arrears" if often(rng, 30) else "advance"
        terms: tuple[Literal["month", "quarter", "year"], ...] = ("month", "month", "quarter")
        term = "year" if number % 6 == 0 else rng.choice(terms)
        agreed = Fee(amount=amount_text(rng.randint(5, 30) * 100_000, currency), term=term, billed=billed)
        if number in DRAWN_DOWN:
            return drawn_down(number, currency, agreed)
        if number == PAID_AHEAD:
            return msgspec.structs.replace(agreed, term="quarter", billed="advance")
        if number == BY_DATES:
            return msgspec.structs.replace(agreed, schedule=_three_terms(currency))
        return msgspec.structs.replace(agreed, billed_terms="rebill" if number in BILLED_ANEW else "keep")
    return None


def _fixed_fee(rng: random.Random, number: int, currency: str) -> Fee:
    euro_cents = rng.randint(30, 150) * 100_000
    plain = Fee(
        amount=amount_text(euro_cents, currency),
        estimated_cost=amount_text(euro_cents * rng.choice((10, 60, 70)) // 100, currency),
    )
    loss = amount_text(euro_cents * 130 // 100, currency)
    installed_later = amount_text(euro_cents // 50, currency)
    fields: dict[int, dict[str, Any]] = {
        72: {"progress": "hours_to_hours", "estimated_hours": "640.5", "estimated_cost": None},
        74: {"progress": "straight_line", "percent_places": 2},
        75: {"progress": "milestone", "milestones": _priced_alone(currency), "estimated_cost": None},
        76: {"milestones": _thirds()},
        77: {"percent_places": 0},
        78: {"uninstalled_cost": installed_later},
        LOSS_AVERTED: {"estimated_cost": loss},
        81: {"estimated_cost": loss, "loss_provision": "none"},
        LOSS_FOUND: {
            "progress": "hours_to_hours",
            "estimated_hours": "900",
            "milestones": _halves(euro_cents, currency),
        },
        REACHED_LATE: {"progress": "milestone", "milestones": _halves(euro_cents, currency)},
        TAKEN_BACK: {"milestones": _thirds()},
        85: {"progress": "straight_line", "milestones": _halves(euro_cents, currency)},
    }
    return msgspec.structs.replace(plain, **fields.get(number, {}))


def _three_terms(currency: str) -> tuple[FeeTerm, ...]:
    """Terms with dates of their own: one costs something else, and between two of them nothing is paid for."""
    return (
        FeeTerm(start_date=dt.date(2025, 11, 1), end_date=dt.date(2025, 11, 14)),
        FeeTerm(
            start_date=dt.date(2025, 11, 15), end_date=dt.date(2025, 11, 30), amount=amount_text(123_400, currency)
        ),
        FeeTerm(start_date=dt.date(2025, 12, 8), end_date=dt.date(2026, 1, 31)),
    )


def _thirds() -> tuple[Milestone, ...]:
    """Three equal parts, to the minor unit: one reached in a closed month, one in the week, one not yet."""
    return (
        Milestone(id="concept", name="Concept agreed", percent="33.3333", reached_on=_BEFORE),
        Milestone(id="build", name="Build accepted", percent="33.3333", reached_on=_WEDNESDAY),
        Milestone(id="go-live", percent="33.3334"),
    )


def _priced_alone(currency: str) -> tuple[Milestone, ...]:
    """Thirds whose work would cost different amounts alone, so that they earn other amounts than they bill."""
    prices = (amount_text(euro_cents, currency) for euro_cents in (1_234_500, 2_500_000, 700_000))
    return tuple(
        msgspec.structs.replace(each, standalone_price=price) for each, price in zip(_thirds(), prices, strict=True)
    )


def _halves(euro_cents: int, currency: str) -> tuple[Milestone, ...]:
    """Two amounts that are the fee: one reached in the week."""
    half = amount_text(euro_cents // 2, currency)
    return Milestone(id="half", amount=half, reached_on=_WEDNESDAY), Milestone(id="rest", amount=half)


def other_fee(number: int, first: Engagement) -> dict[str, Any]:
    """The fee of an engagement's second revision, as a field of its terms; nothing where it stays."""
    agreed = first.fee
    if agreed is None:
        return {}
    if number in _OTHER_ESTIMATES:
        estimate = amount_text(_OTHER_ESTIMATES[number], first.currency)
        return {"fee": msgspec.structs.replace(agreed, estimated_cost=estimate)}
    if number in BILLED_ANEW:
        return {"fee": msgspec.structs.replace(agreed, amount=amount_text(777_700, first.currency))}
    if number == LOSS_AVERTED:
        return {"fee": msgspec.structs.replace(agreed, estimated_cost=agreed.amount)}
    if number in {REACHED_LATE, TAKEN_BACK}:
        reached = NEXT_MONDAY if number == REACHED_LATE else None
        *others, last = agreed.milestones
        moved = [msgspec.structs.replace(each, reached_on=reached) for each in others[1:]]
        changed = (*others[:1], *moved, msgspec.structs.replace(last, reached_on=reached))
        return {"fee": msgspec.structs.replace(agreed, milestones=changed)}
    return {}
