"""Fees over time as the rules read them: what each term of a retainer or subscription costs, when it is earned."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

import msgspec

from ...codecs.currencies import parse_amount
from ...codecs.engagement import Engagement, Fee, FeeEarned
from ...codecs.errors import UndecodableError
from .drawdown import Drawing, read_drawing

SCHEDULE_MAX: Final = 240
"""Most terms with dates of their own: twenty years of months."""
TERM_DAYS_MAX: Final = 3_660
"""Longest term with dates of its own, in days: ten years, so that what it earns by month is a number of events."""


class ScheduledTerm(NamedTuple):
    """A term with dates of its own, both included; amount: minor units."""

    start: dt.date
    end: dt.date
    amount: int


class FeePlan(msgspec.Struct, frozen=True, gc=False):
    """Fees of an engagement by term.

    amount: one term's fee in minor units, where the schedule names no other; schedule: empty where terms follow each
    other by the calendar; drawing: how a prepaid balance is used up, None where the fee covers the work; keeps:
    whether each term is kept, to earn it later or to bill it anew.
    """

    amount: int
    earned: FeeEarned
    advance: bool
    rebills: bool
    schedule: tuple[ScheduledTerm, ...]
    drawing: Drawing | None = None

    @property
    def keeps(self) -> bool:
        """Whether each term is kept; a fee that is earned when billed and stands for ever need not be."""
        return self.rebills or self.earned != "billed"

    def amount_of(self, start: dt.date, *, first: bool = True) -> int:
        """Fee of the term that starts on a date, in minor units. What is refilled is billed once, first."""
        if not first and self.drawing is not None and self.drawing.refill_below is not None:
            return 0
        return next((term.amount for term in self.schedule if term.start == start), self.amount)


def read_fee_plan(terms: Engagement) -> FeePlan | None:
    """Read fees by term; None for contracts without; raises UndecodableError naming a field that makes no sense."""
    fee = terms.fee
    if fee is None or terms.contract_type not in {"retainer", "subscription"}:
        _refuse(terms.fee, terms.contract_type)
        return None
    amount = parse_amount(fee.amount, terms.currency, "$.fee.amount")
    drawing = read_drawing(fee, terms)
    served = terms.contract_type == "subscription"
    if served and amount < 0:
        raise _invalid("$.fee.amount", "a subscription costs less than nothing", "send zero or more")
    return FeePlan(
        amount=amount,
        earned="served" if served else "billed" if drawing is None else "used",
        advance=fee.billed == "advance",
        rebills=fee.billed_terms == "rebill",
        schedule=_schedule(fee, terms, amount),
        drawing=drawing,
    )


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)


def _refuse(fee: Fee | None, contract_type: str) -> None:
    if fee is not None and contract_type == "fixed_fee" and fee.drawdown is not None:
        raise _invalid("$.fee.drawdown", "a fixed fee is not used up", "send contract_type retainer, or no drawdown")
    if fee is not None and contract_type == "fixed_fee" and fee.schedule:
        raise _invalid(
            "$.fee.schedule", "a fixed fee is billed by milestone, not by term", "send milestones, or no schedule"
        )


def _schedule(fee: Fee, terms: Engagement, amount: int) -> tuple[ScheduledTerm, ...]:
    """Terms by their dates: in order, none within another, all within the engagement."""
    if len(fee.schedule) > SCHEDULE_MAX:
        raise _invalid("$.fee.schedule", f"more than {SCHEDULE_MAX} terms", "send the next terms when they are near")
    read: list[ScheduledTerm] = []
    for at, sent in enumerate(fee.schedule):
        field = f"$.fee.schedule[{at}]"
        if not 0 <= (sent.end_date - sent.start_date).days < TERM_DAYS_MAX or sent.end_date == dt.date.max:
            raise _invalid(
                f"{field}.end_date",
                f"the term is not of 1 to {TERM_DAYS_MAX} days",
                "send its last day, on or after start_date",
            )
        if sent.start_date < terms.start_date or (read and sent.start_date <= read[-1].end):
            raise _invalid(
                f"{field}.start_date",
                "it is before the engagement, or not after the term before",
                "send terms in order, without a day in two of them",
            )
        if terms.end_date is not None and sent.end_date > terms.end_date:
            raise _invalid(f"{field}.end_date", "it is after end_date", "end the last term with the engagement")
        own = amount if sent.amount is None else parse_amount(sent.amount, terms.currency, f"{field}.amount")
        read.append(ScheduledTerm(sent.start_date, sent.end_date, own))
    return tuple(read)
