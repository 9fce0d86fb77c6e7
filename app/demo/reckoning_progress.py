"""A fixed fee in a reckoning: what its milestones bill, what is earned of it, and what is provided for its loss."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from .reckoning_lookups import WaitsError, accounting_date
from .reckoning_numbers import PERCENT_PLACES, minor, number, rounded

if TYPE_CHECKING:
    from ...codecs.engagement import Engagement, Fee
    from .reckoning_facts import Facts
    from .reckoning_money import Worth


class FixedFee(NamedTuple):
    """Minor units. provision: None where it depends on the order, because no day was ever open to post it on."""

    billed: int = 0
    earned: int = 0
    provision: int | None = 0


NO_FEE: Final = FixedFee()


def fixed_fee(facts: Facts, terms: Engagement, worths: list[Worth]) -> FixedFee:
    """What a fixed fee comes to; `worths` are the entries that are posted."""
    fee = terms.fee
    if terms.contract_type != "fixed_fee" or fee is None:
        return NO_FEE
    counting = [worth for worth in worths if worth.approved]
    bills = _milestones(facts, terms, fee)
    if fee.progress == "milestone":
        shares = _allocated(terms, fee)
        earned = sum(shares.get(name, amount) for name, amount in bills.items())
    else:
        earned = _earned(terms, fee, counting)
    billed = sum(bills.values())
    return FixedFee(billed, earned, _provision(facts, terms, earned, counting))


def _allocated(terms: Engagement, fee: Fee) -> dict[str, int]:
    """The fee in proportion to what each milestone would cost alone; the largest has what rounding leaves."""
    total = minor(fee.amount, terms.currency)
    alone = {
        known.id: minor(known.standalone_price, terms.currency)
        for known in fee.milestones
        if known.standalone_price is not None
    }
    shares = {name: rounded(Fraction(total * price, sum(alone.values())), "half_up") for name, price in alone.items()}
    if alone:
        shares[max(alone, key=alone.__getitem__)] += total - sum(shares.values())
    return shares


def _milestones(facts: Facts, terms: Engagement, fee: Fee) -> dict[str, int]:
    """Milestones that are reached on a day that can be posted to; percentages are rounded as they add up."""
    total, percent = minor(fee.amount, terms.currency), Fraction(0)
    billed: dict[str, int] = {}
    for known in fee.milestones:
        if known.amount is not None:
            amount = minor(known.amount, terms.currency)
        else:
            before, percent = percent, percent + number(known.percent or "0", PERCENT_PLACES)
            amount = rounded(total * percent / 100, "half_up") - rounded(total * before / 100, "half_up")
        if known.reached_on is None:
            continue
        try:
            accounting_date(facts, terms, known.reached_on)
        except WaitsError:
            continue
        billed[known.id] = amount
    return billed


def _earned(terms: Engagement, fee: Fee, worths: list[Worth]) -> int:
    """The part of the fee that what is done is of the whole, with uninstalled cost beside it at its own cost."""
    total, currency = minor(fee.amount, terms.currency), terms.currency
    done, whole, apart, at_cost = Fraction(0), Fraction(0), 0, 0
    if fee.progress == "hours_to_hours":
        done = sum((worth.hours for worth in worths if worth.excluded is None), Fraction(0))
        whole = number(fee.estimated_hours or "0")
    elif fee.progress == "straight_line":
        latest = max((worth.posted_on for worth in worths), default=None)
        done = Fraction(0 if latest is None else (latest - terms.start_date).days + 1)
        whole = Fraction((terms.end_date - terms.start_date).days + 1 if terms.end_date else 0)
    else:
        at_cost = sum(worth.cost for worth in worths if worth.excluded == "uninstalled")
        apart = max(at_cost, minor(fee.uninstalled_cost or "0", currency))
        done = Fraction(sum(worth.cost for worth in worths if worth.excluded is None))
        whole = Fraction(minor(fee.estimated_cost or "0", currency) - apart)
    if done <= 0:
        part = Fraction(0)
    elif done >= whole:
        part = Fraction(1)
    else:
        part = done / whole
        if fee.percent_places is not None:
            scale = 100 * 10**fee.percent_places
            part = Fraction(rounded(part * scale, "half_up"), scale)
    earned = rounded((total - apart) * part, "half_up") + at_cost
    return max(0, min(earned, total))


def _provision(facts: Facts, terms: Engagement, earned: int, worths: list[Worth]) -> int | None:
    """What of the expected loss the books do not show yet."""
    fee = terms.fee
    if fee is None or fee.estimated_cost is None or fee.loss_provision == "none":
        return 0
    expected = minor(fee.estimated_cost, terms.currency) - minor(fee.amount, terms.currency)
    shown = sum(worth.cost for worth in worths if worth.excluded != "waste") - earned
    provision = max(0, expected - shown) if expected > 0 else 0
    if not worths and provision:
        try:
            accounting_date(facts, terms, terms.start_date)
        except WaitsError:
            return None
    return provision
