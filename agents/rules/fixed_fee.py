"""A fixed fee as the rules read it: what progress is measured by, and the milestones that bill it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ...codecs import engagement
from ...codecs.currencies import format_amount, parse_amount
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, WHOLE, parse_scaled
from ...codecs.durations import HOUR, parse_duration
from ...codecs.engagement import Engagement, Fee, ProgressMethod
from ...codecs.errors import UndecodableError
from .allocation import allocate
from .money import divide


class Milestone(NamedTuple):
    """A milestone with its amount in minor units; percent: 10^-4, None where the amount itself is agreed.

    allocated: what of the fee it earns, None where it earns what it bills.
    """

    id: str
    name: str
    amount: int
    percent: int | None
    reached_on: dt.date | None
    allocated: int | None = None


class FixedFee(msgspec.Struct, frozen=True, gc=False):
    """A fixed fee in integers.

    amount, estimated_cost, uninstalled_cost: minor units; whole: what progress is complete at, in minor units
    (cost_to_cost), microseconds (hours_to_hours), days (straight_line) or unused (milestone).
    """

    amount: int
    method: ProgressMethod
    whole: int
    first_day: dt.date
    estimated_cost: int | None
    uninstalled_cost: int
    percent_places: int | None
    milestones: tuple[Milestone, ...]
    provides_loss: bool


def read_fixed_fee(terms: Engagement) -> FixedFee | None:
    """Read the fee of a fixed fee engagement, None for others; raises UndecodableError naming a wrong field."""
    fee = terms.fee
    if fee is None or terms.contract_type != "fixed_fee":
        _refuse_milestones(terms)
        return None
    amount = parse_amount(fee.amount, terms.currency, "$.fee.amount")
    cost = _estimated_cost(fee, terms.currency)
    return FixedFee(
        amount=amount,
        method=fee.progress,
        whole=_whole(fee, terms, cost),
        first_day=terms.start_date,
        estimated_cost=cost,
        uninstalled_cost=_uninstalled_cost(fee, terms.currency, cost),
        percent_places=fee.percent_places,
        milestones=_milestones(fee, terms.currency, amount),
        provides_loss=fee.loss_provision == "at_once",
    )


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)


def _refuse_milestones(terms: Engagement) -> None:
    if terms.contract_type in {"retainer", "subscription"} and terms.fee is not None and terms.fee.milestones:
        raise _invalid(
            "$.fee.milestones",
            f"a {terms.contract_type} is billed by term, not by milestone",
            "send contract_type fixed_fee, or no milestones",
        )


def _estimated_cost(fee: Fee, currency: str) -> int | None:
    field = "$.fee.estimated_cost"
    cost = None if fee.estimated_cost is None else parse_amount(fee.estimated_cost, currency, field)
    if cost is None and fee.progress != "cost_to_cost":
        return None
    if cost is None or cost <= 0:
        raise _invalid(
            field, "revenue progress of a fixed fee needs it", "send the expected cost at completion, above zero"
        )
    return cost


def _uninstalled_cost(fee: Fee, currency: str, estimated_cost: int | None) -> int:
    if fee.uninstalled_cost is None:
        return 0
    field = "$.fee.uninstalled_cost"
    cost = parse_amount(fee.uninstalled_cost, currency, field)
    if cost < 0 or estimated_cost is None or cost >= estimated_cost:
        raise _invalid(
            field,
            "it is a part of estimated_cost",
            "send zero or more, below estimated_cost, which includes it",
        )
    return cost


def _whole(fee: Fee, terms: Engagement, estimated_cost: int | None) -> int:
    """What progress is complete at; see FixedFee."""
    if fee.progress == "cost_to_cost":
        return estimated_cost or 0
    if fee.progress == "hours_to_hours":
        field = "$.fee.estimated_hours"
        time = 0 if fee.estimated_hours is None else parse_duration(fee.estimated_hours, "hour", HOUR, field)
        if time <= 0:
            raise _invalid(field, "progress by hours needs it", "send the expected hours at completion, above zero")
        return time
    if fee.progress == "straight_line":
        if terms.end_date is None:
            raise _invalid("$.end_date", "straight-line progress needs it", "send the last day of the engagement")
        return (terms.end_date - terms.start_date).days + 1
    if not fee.milestones:
        raise _invalid("$.fee.milestones", "progress by milestones has none", "send milestones that sum to the fee")
    return 0


def _milestones(fee: Fee, currency: str, total: int) -> tuple[Milestone, ...]:
    """Read the milestones; together they must be exactly the fee, and no two share an id."""
    if not fee.milestones:
        return ()
    read = tuple(_shared(fee.milestones, currency, total))
    seen: set[str] = set()
    for at, milestone in enumerate(read):
        if milestone.id in seen:
            raise _invalid(
                f"$.fee.milestones[{at}].id", f"{milestone.id!r} is there twice", "give each milestone its own id"
            )
        seen.add(milestone.id)
    billed = sum(milestone.amount for milestone in read)
    if billed != total:
        raise _invalid(
            "$.fee.milestones",
            f"they add up to {format_amount(billed, currency)}, the fee is {format_amount(total, currency)}",
            "send milestones that sum to fee.amount",
        )
    return _allocated(read, fee, currency, total)


def _allocated(read: tuple[Milestone, ...], fee: Fee, currency: str, total: int) -> tuple[Milestone, ...]:
    """Give each milestone its share of the fee by standalone prices, where there are any."""
    priced = [sent.standalone_price is not None for sent in fee.milestones]
    if not any(priced):
        return read
    if not all(priced) or fee.progress != "milestone":
        problem = "it allocates revenue by milestones, so all have one, and progress is by milestone"
        field = f"$.fee.milestones[{priced.index(True)}].standalone_price"
        raise _invalid(field, problem, "send it with every milestone and fee.progress milestone, or leave it out")
    prices = []
    for at, sent in enumerate(fee.milestones):
        field = f"$.fee.milestones[{at}].standalone_price"
        prices.append(parse_amount(sent.standalone_price or "", currency, field))
        if prices[-1] <= 0:
            raise _invalid(field, "its work alone would cost nothing or less", "send more than zero")
    return tuple(one._replace(allocated=share) for one, share in zip(read, allocate(total, prices), strict=True))


def _shared(milestones: tuple[engagement.Milestone, ...], currency: str, total: int) -> Iterator[Milestone]:
    """Amount of each milestone. Percentages are rounded as they add up, so that their amounts sum to the cent."""
    percent_before = 0
    for at, sent in enumerate(milestones):
        field = f"$.fee.milestones[{at}]"
        if ":" in sent.id or not sent.id.isprintable():
            raise _invalid(f"{field}.id", "a colon or a control character in the id", "send a plain identifier")
        if (sent.amount is None) == (sent.percent is None):
            raise _invalid(field, "it has not exactly one of amount and percent", "send one of them")
        if sent.amount is not None:
            percent, amount = None, parse_amount(sent.amount, currency, f"{field}.amount")
        else:
            percent = parse_scaled(sent.percent or "", PERCENT_PLACES, f"{field}.percent", PERCENT_DIGITS_MAX)
            through = percent_before + percent
            amount = divide(total * through, WHOLE, "half_up") - divide(total * percent_before, WHOLE, "half_up")
            percent_before = through
        if (amount if percent is None else percent) <= 0:
            name = "amount" if percent is None else "percent"
            raise _invalid(f"{field}.{name}", "a milestone bills nothing or less", "send more than zero")
        yield Milestone(sent.id, sent.name, amount, percent, sent.reached_on)
