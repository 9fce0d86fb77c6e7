"""Rounding by invoice as a contract agrees it: where it may be, and what each line keeps for it."""

from __future__ import annotations

from fractions import Fraction

from ...codecs.engagement import Engagement
from ...codecs.errors import UndecodableError


def refuse_rounding(terms: Engagement) -> None:
    """Refuse rounding by invoice where lines are not quantity x rate; raises UndecodableError.

    A cap or a prepaid balance cuts lines to what it lets through or takes them off the bill, and a rounding line could
    exceed it; an adjusting line shows one unit at its amount. Only what stands on an invoice already has one.
    """
    policies = terms.policies
    if policies.rounding_place != "invoice":
        return
    draws = terms.fee is not None and terms.fee.drawdown is not None
    if terms.contract_type == "capped" or draws or policies.correction == "adjust":
        problem = "lines under a cap or a prepaid balance, and adjusting lines, are no quantity x rate"
        fix = "send line, or neither cap, drawdown nor correction adjust"
        raise UndecodableError("invalid_field", "$.policies.rounding_place", problem, fix)


def residue_of(exact: tuple[int, int], amount: int, *, limited: bool) -> str:
    """What a line lacks to its exact value (numerator, denominator) in minor units: `1/3`, `-1/4`; `0` when limited."""
    return "0" if limited else str(Fraction(*exact) - amount)
