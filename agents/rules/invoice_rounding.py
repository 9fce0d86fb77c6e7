"""Rounding by invoice: the lines of a billing group sum to their exact sum, rounded once.

Each line is rounded to the minor unit as ever, and shows quantity x rate. What the rounding of the lines of one group
adds up to becomes a line of its own, so that

    lines + rounding lines = exact sum of quantity x rate, rounded by the contract's mode

A group is the time billed to an engagement with accounting dates in one accounting period; expenses and fees are agreed
in whole minor units. Reversals count as the lines they are, on their own date. The rounding line is posted, to the
group's last day, when the period after it begins: no clock decides, and a closed period is not posted to (M6). What
changes a group later is followed by a line of the difference at once, so any order gives the same sum (M9).
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Final

from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.currencies import EXPONENTS, format_amount
from ...codecs.decimals import format_plain
from ...codecs.entry_state import Posted
from ...codecs.records import EngagementState, RoundingGroup
from .accounts import numbered
from .calendar import Waiting
from .contract import Contract
from .effects import Effects
from .ledger import EARNED
from .money import divide
from .unit_lines import Origin, unit_line, unit_revenue

_ONE_DAY: Final = dt.timedelta(days=1)
_SHOWN_PLACES: Final = 12
"""Places of the exact sum in a trace."""


def settle_rounding(engagement: EngagementState, contract: Contract, effects: Effects) -> list[Waiting]:
    """Post what the groups that are over lack; returns what the others wait for."""
    waiting: list[Waiting] = []
    for start, group in engagement.rounding.items():
        difference = _exact(group, contract) - group.billed - group.posted
        if not difference or group.end == dt.date.max:  # by 9999-12-31 systems mean no end: such a group is never over
            continue
        following = group.end + _ONE_DAY
        begun = contract.calendar.accounting_date(following)
        if isinstance(begun, str) and begun != "period_closed":
            waiting.append((begun, following))
            continue
        date = contract.calendar.accounting_date(group.end)
        if isinstance(date, str):
            waiting.append((date, group.end))
        else:
            _post(engagement, contract, start, difference, date, effects)
    return waiting


def _exact(group: RoundingGroup, contract: Contract) -> int:
    """The group's exact sum, rounded once to minor units."""
    exact = group.billed + Fraction(group.residue)
    return divide(exact.numerator, exact.denominator, contract.rounding)


def _post(
    engagement: EngagementState,
    contract: Contract,
    start: dt.date,
    amount: int,
    date: dt.date,
    effects: Effects,
) -> None:
    terms, group = contract.terms, engagement.rounding[start]
    cause = f"{terms.source}:rounding:{terms.id}:{start}"
    posted = Posted(
        terms.revision, group.ordinal, amount, terms.currency, date, terms.legal_entity_id, terms.customer_id
    )
    posted = numbered(posted, EARNED, "", contract.accounts)
    origin = Origin(terms.source, terms.id, terms.contract_type, terms.policies.rounding)
    line = unit_line(f"{cause}:billing:{group.ordinal}", posted, origin, "rounding", group.end)
    effects.billing.append(structs.replace(line, kind="rounding", trace=_trace(contract, start, group)))
    effects.revenue.append(unit_revenue(f"{cause}:revenue:{group.ordinal}", posted, origin))
    group.ordinal += 1
    group.posted += amount
    engagement.rounded += amount
    engagement.earned += amount


def _trace(contract: Contract, start: dt.date, group: RoundingGroup) -> tuple[TraceStep, ...]:
    """Which lines it is about, their exact sum and their sum, and what earlier rounding lines have made of it."""
    terms, currency = contract.terms, contract.currency
    exact = group.billed + Fraction(group.residue)
    places = EXPONENTS[currency] + _SHOWN_PLACES
    shown = format_plain(divide(exact.numerator * 10**_SHOWN_PLACES, exact.denominator, "half_up"), places)
    lines = f"billing lines of time of {terms.id} with accounting dates {start} to {group.end}"
    policy = f"{terms.policies.rounding}: policies of {terms.id} revision {terms.revision}"
    return (
        TraceStep("lines", str(group.lines), lines),
        TraceStep("exact", shown, "their quantity x rate, summed before rounding"),
        TraceStep("rounded", format_amount(_exact(group, contract), currency), policy),
        TraceStep("billed", format_amount(group.billed, currency), "their amounts"),
        TraceStep("rounding_lines", format_amount(group.posted, currency), f"{group.ordinal} before this one"),
    )
