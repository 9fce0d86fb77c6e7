"""Drawdown: how the prepaid balance of a retainer is used up, term by term. Pure arithmetic over sums by term.

Work of a term is paid from what its fee and a refill have prepaid and what rolled over from the term before. What the
balance does not cover is overage. Only sums by term count, so neither the order in which entries arrive nor which entry
was first makes a difference (M9). All amounts are minor units. Terms of business: Dynamics 365 retainers (used up to
what is available), NetSuite Prepay with Drawdown (auto-refill below a minimum, rest refunded or recognised).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from ...codecs.currencies import parse_amount
from ...codecs.engagement import Engagement, Fee, Overage, Unused
from ...codecs.errors import UndecodableError
from ...codecs.records import Movements


class Drawing(msgspec.Struct, frozen=True, gc=False):
    """Terms of a drawdown. refill_below: None without refill; refill_by or refill_to: what it brings."""

    overage: Overage
    unused: Unused
    rest: Literal["keep", "refund", "expire"]
    includes_expenses: bool
    refill_below: int | None = None
    refill_by: int = 0
    refill_to: int = 0


class Pool(NamedTuple):
    """One term: its fee as billed, the value of its work, whether it is over, whether it is the last."""

    start: dt.date
    funded: int
    used: int
    over: bool
    last: bool


class Drawn(NamedTuple):
    """What becomes of one term: what its work could be paid from, what it came to, and what moved the balance."""

    available: int
    due: int
    movements: Movements


def draw(pools: Sequence[Pool], drawing: Drawing) -> list[Drawn]:
    """Use the balance up, term by term in order."""
    drawn: list[Drawn] = []
    balance = waiting = 0
    for at, pool in enumerate(pools):
        due = pool.used + waiting
        refilled = _refill(drawing, balance, pool.funded, due, first=at == 0)
        available = balance + pool.funded + refilled
        used = min(due, max(available, 0))
        balance, over = available - used, due - used
        waiting = over if drawing.overage == "hold" else 0
        absorbed = over if drawing.overage == "absorb" else 0
        ending = _ending(drawing, pool) if pool.over else "roll_over"
        expired = balance if ending == "expire" else 0
        refunded = balance if ending == "refund" else 0
        balance -= expired + refunded
        drawn.append(Drawn(available, due, Movements(refilled, used, absorbed, expired, refunded)))
    return drawn


def _refill(drawing: Drawing, balance: int, funded: int, due: int, *, first: bool) -> int:
    """A fixed amount comes as often as the term's work needs it; up to an amount is filled as a later term begins."""
    below = drawing.refill_below
    if below is None:
        return 0
    if drawing.refill_by:
        short = below - (balance + funded - due)
        return -(-max(short, 0) // drawing.refill_by) * drawing.refill_by
    return drawing.refill_to - balance if balance < below and not first else 0


def _ending(drawing: Drawing, pool: Pool) -> str:
    """What becomes of the balance at the end of a term."""
    return drawing.rest if pool.last and drawing.rest != "keep" else drawing.unused


def ends(drawing: Drawing, *, last: bool) -> bool:
    """Whether the end of a term does anything to the balance."""
    return drawing.unused != "roll_over" or (last and drawing.rest != "keep")


def read_drawing(fee: Fee, terms: Engagement) -> Drawing | None:
    """Read the drawdown of a retainer, None without; raises UndecodableError naming a field that makes no sense."""
    sent = fee.drawdown
    if sent is None:
        return None
    field = "$.fee.drawdown"
    if terms.contract_type != "retainer":
        raise _invalid(field, f"a {terms.contract_type} has no prepaid balance", "send contract_type retainer, or none")
    if fee.billed != "advance":
        raise _invalid("$.fee.billed", "what is drawn down is paid before", "send advance, or no drawdown")
    if parse_amount(fee.amount, terms.currency, "$.fee.amount") < 0:
        raise _invalid("$.fee.amount", "less than nothing is prepaid", "send zero or more")
    plain = Drawing(sent.overage, sent.unused, sent.rest, sent.includes_expenses)
    refill = sent.refill
    if refill is None:
        return plain
    below = parse_amount(refill.threshold, terms.currency, f"{field}.refill.threshold")
    if (refill.amount is None) == (refill.up_to is None):
        raise _invalid(f"{field}.refill", "it has not exactly one of amount and up_to", "send one of them")
    name = "up_to" if refill.amount is None else "amount"
    brings = parse_amount(refill.amount or refill.up_to or "", terms.currency, f"{field}.refill.{name}")
    if below < 0 or brings <= 0 or (name == "up_to" and brings < below):
        raise _invalid(f"{field}.refill.{name}", "it fills nothing up", "send more than zero, and not below threshold")
    by, to = (brings, 0) if name == "amount" else (0, brings)
    return msgspec.structs.replace(plain, refill_below=below, refill_by=by, refill_to=to)


def _invalid(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)
