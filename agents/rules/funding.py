"""Split funding: which of several customers pays how much of a bill, to the minor unit.

Caps, revenue and figures count the whole bill; only its lines are split. By percent, a share is

    amount x percent / 100, rounded down,

and the rounding customer pays the rest, so that no share of a bill has another sign than the bill. In order, a
customer pays as far as there is room below its amount, then the next. The sums of customers in order are then those
of all bills poured in order, whatever came first (M9): where a withdrawal gives room to an earlier customer, bills
that a later one pays are split anew. Source of the form: Dynamics 365, split billing with a rounding customer and
funding limits. A reversal copies the split of what it reverses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import structs

from ...codecs.billing import BillingEvent, TraceStep
from ...codecs.currencies import format_amount, parse_amount
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.entry_state import FundedShare, Posted
from ...codecs.errors import UndecodableError
from ...codecs.funding import Funding
from ...codecs.records import EngagementState
from .money import divide

FIELD: Final = "$.funding.customers"


class FundingPlan:
    """Who pays for one engagement. A value: never changed once made.

    in_order: customers pay one after the other, not by percent.
    """

    __slots__ = ("_currency", "_customers", "_percents", "_rest", "_tops", "_where", "in_order")

    def __init__(self, terms: Engagement, funding: Funding) -> None:
        """Read the customers; raises UndecodableError naming a wrong field."""
        if terms.fee is not None and terms.fee.drawdown is not None:
            problem, fix = "a prepaid balance belongs to one customer", "leave out funding, or fee.drawdown"
            raise _invalid("$.funding", problem, fix)
        if terms.policies.rounding_place == "invoice":
            problem, fix = (
                "rounding by invoice sums the lines of one customer",
                "send rounding_place line, or no funding",
            )
            raise _invalid("$.funding", problem, fix)
        self._currency: Final = terms.currency
        self._where: Final = f"terms of {terms.id} revision {terms.revision}"
        self._customers: Final = _names(funding)
        self.in_order: Final = all(customer.percent is None for customer in funding.customers)
        self._percents: Final = () if self.in_order else tuple(_percents(funding))
        self._tops: Final = tuple(_tops(terms, funding)) if self.in_order else ()
        self._rest: Final = self._customers[-1] if self.in_order else _rounding_customer(terms, funding)

    def split(self, amount: int, funded: Mapping[str, int]) -> tuple[FundedShare, ...]:
        """Shares of a bill in minor units, which sum to it; who pays nothing of it has none.

        funded: what each customer is billed already. A bill of nothing is one share of nothing.
        """
        shares = self._poured(amount, funded) if self.in_order else self._by_percent(amount)
        first = self._customers[0] if self.in_order else self._rest
        found = tuple(FundedShare(name, shares[name]) for name in self._customers if shares.get(name))
        return found or (FundedShare(first, 0),)

    def _by_percent(self, amount: int) -> dict[str, int]:
        shares = {
            name: divide(amount * percent, WHOLE, "down")
            for name, percent in zip(self._customers, self._percents, strict=True)
            if name != self._rest
        }
        return {**shares, self._rest: amount - sum(shares.values())}

    def _poured(self, amount: int, funded: Mapping[str, int]) -> dict[str, int]:
        """Fill the room of customers from the first on; what is below zero is taken back from the last on."""
        shares: dict[str, int] = {}
        left = amount
        if left > 0:
            for name, top in zip(self._customers, self._tops, strict=True):
                shares[name] = left if top is None else min(left, max(0, top - funded.get(name, 0)))
                left -= shares[name]
            return shares
        for name in self._customers[:0:-1]:
            shares[name] = -min(-left, max(0, funded.get(name, 0)))
            left -= shares[name]
        return {**shares, self._customers[0]: left}

    def unbalanced(self, funded: Mapping[str, int]) -> bool:
        """Whether customers in order are billed other sums than all bills poured in order."""
        if not self.in_order:
            return False
        room = False
        for at, (name, top) in enumerate(zip(self._customers, self._tops, strict=True)):
            billed = funded.get(name, 0)
            if (billed > 0 and room) or (billed < 0 and at) or (top is not None and billed > top):
                return True
            room = room or top is None or billed < top
        return False

    def misplaces(self, posted: Posted, funded: Mapping[str, int]) -> bool:
        """Whether a bill that stands would be split otherwise now, as far as that mends the customers' sums."""
        if not self.in_order:
            return posted.funded_by != self.split(posted.amount, {})
        shares = {share.customer_id: share.amount for share in posted.funded_by}
        if not shares or not shares.keys() <= set(self._customers):
            return True
        room = False
        for at, (name, top) in enumerate(zip(self._customers, self._tops, strict=True)):
            share, billed = shares.get(name, 0), funded.get(name, 0)
            over = top is not None and billed > top
            if (share > 0 and billed > 0 and (room or over)) or (share < 0 and billed < 0 and at):
                return True
            room = room or top is None or billed < top
        return False

    def step(self, share: FundedShare, whole: str) -> TraceStep:
        """How a share came to be, for the line's trace."""
        at = self._customers.index(share.customer_id)
        if not self.in_order:
            part = f"{format_plain(self._percents[at], PERCENT_PLACES)} %, rounded down"
            how = f"the rest of {whole}" if share.customer_id == self._rest else f"{part}, of {whole}"
        else:
            top = self._tops[at]
            limit = "what is left" if top is None else f"up to {format_amount(top, self._currency)} in all"
            how = f"{limit}, number {at + 1} in order, of {whole}"
        amount = f"{format_amount(share.amount, self._currency)} {self._currency}"
        return TraceStep("funding", amount, f"{self._where}: {share.customer_id} pays {how}")


def funding_of(terms: Engagement) -> FundingPlan | None:
    """Read who pays, None where the engagement's customer pays all; raises UndecodableError naming a wrong field."""
    return None if terms.funding is None else FundingPlan(terms, terms.funding)


def fund(posted: Posted, engagement: EngagementState, plan: FundingPlan) -> Posted:
    """Split a bill, and count it for each customer."""
    split = structs.replace(posted, funded_by=plan.split(posted.amount, engagement.funded))
    _count(split, engagement, 1)
    return split


def unfund(posted: Posted, engagement: EngagementState) -> None:
    """Count a bill off again that is reversed."""
    _count(posted, engagement, -1)


def _count(posted: Posted, engagement: EngagementState, sign: int) -> None:
    funded = engagement.funded
    for share in posted.funded_by:
        funded[share.customer_id] = funded.get(share.customer_id, 0) + sign * share.amount
        if not funded[share.customer_id]:
            del funded[share.customer_id]


def misfunded(parts: tuple[Posted, ...], engagement: EngagementState, plan: FundingPlan | None) -> bool:
    """Whether any bill that stands is split otherwise than the terms say."""
    return any(
        part.live and (bool(part.funded_by) if plan is None else plan.misplaces(part, engagement.funded))
        for part in parts
    )


def lines_of(whole: BillingEvent, posted: Posted, plan: FundingPlan | None = None) -> Iterator[BillingEvent]:
    """The charge of a bill as it leaves: one line, or one for each share, numbered in the order of the terms.

    A share's id is the whole charge's with `:1`, `:2`, …; its `part_of` is the whole price. plan: for the trace.
    """
    if not posted.funded_by:
        yield whole
        return
    for number, share in enumerate(posted.funded_by, start=1):
        all_of_it = share.amount == posted.amount
        yield structs.replace(
            whole,
            id=f"{whole.id}:{number}",
            customer_id=share.customer_id,
            amount=format_amount(share.amount, posted.currency),
            part_of=whole.part_of if all_of_it else whole.part_of or whole.amount,
            trace=whole.trace if plan is None else (*whole.trace, plan.step(share, whole.amount)),
        )


def reversals(whole: BillingEvent, posted: Posted, date: dt.date) -> Iterator[BillingEvent]:
    """The lines that take the charge of a bill back on a date that is open: customer, share and rate are its own."""
    for line in lines_of(whole, posted):
        yield structs.replace(
            line,
            id=f"{line.id}:reversal",
            action="reversal",
            accounting_date=date,
            quantity=_negated(line.quantity),
            amount=_negated(line.amount),
            part_of=None if line.part_of is None else _negated(line.part_of),
            reverses=line.id,
        )


def _negated(text: str) -> str:
    """Change the sign of decimal text; zero has none."""
    if text.startswith("-"):
        return text[1:]
    return f"-{text}" if text.strip("0.") else text


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)


def _names(funding: Funding) -> tuple[str, ...]:
    names = tuple(customer.customer_id for customer in funding.customers)
    for at, customer in enumerate(funding.customers):
        if customer.customer_id in names[:at]:
            problem = f"{customer.customer_id!r} is there twice"
            raise _invalid(f"{FIELD}[{at}].customer_id", problem, "send each customer once")
        if customer.percent is not None and customer.up_to is not None:
            raise _invalid(f"{FIELD}[{at}]", "both percent and up_to", "send percentages, or amounts in order")
    return names


def _percents(funding: Funding) -> Iterator[int]:
    """Percentages in 10^-4; together exactly a hundred."""
    total = 0
    for at, customer in enumerate(funding.customers):
        field = f"{FIELD}[{at}].percent"
        if customer.percent is None:
            raise _invalid(field, "the other customers have one", "send a percentage of each, or of none")
        percent = parse_scaled(customer.percent, PERCENT_PLACES, field, PERCENT_DIGITS_MAX)
        if percent <= 0:
            raise _invalid(field, f"{customer.percent[:40]!r} is not above zero", "leave out who pays nothing")
        total += percent
        yield percent
    if total != WHOLE:
        problem = f"percentages sum to {format_plain(total, PERCENT_PLACES)}"
        raise _invalid(FIELD, problem, "send percentages that sum to 100")


def _tops(terms: Engagement, funding: Funding) -> Iterator[int | None]:
    """Most that each pays, in minor units; the last pays what is left."""
    if terms.contract_type in {"fixed_fee", "retainer", "subscription"}:
        problem = f"a {terms.contract_type} engagement is not funded in order: its fees stay with whom they were billed"
        raise _invalid(FIELD, problem, "send percentages that sum to 100")
    last = len(funding.customers) - 1
    for at, customer in enumerate(funding.customers):
        field = f"{FIELD}[{at}].up_to"
        if (customer.up_to is None) != (at == last):
            fix = "send percentages, or up_to of each customer but the last, who pays what is left"
            raise _invalid(field, "an amount too many" if at == last else "neither percent nor up_to", fix)
        if customer.up_to is None:
            yield None
            continue
        top = parse_amount(customer.up_to, terms.currency, field)
        if top <= 0:
            raise _invalid(field, f"{customer.up_to[:40]!r} is not above zero", "leave out who pays nothing")
        yield top


def _rounding_customer(terms: Engagement, funding: Funding) -> str:
    name = funding.rounding_customer_id or terms.customer_id
    if name not in {customer.customer_id for customer in funding.customers}:
        problem = f"the rounding customer {name!r} is none of the customers"
        raise _invalid("$.funding.rounding_customer_id", problem, "name the customer who pays the rest of a division")
    return name
