"""What a contract asks of approval beyond its levels: levels by amount, approval without a decision, named approvers.

Amounts. An entry is weighed by its price in minor units of the contract's currency, by its cost where the customer does
not pay for it, signs left out. It needs `approval_levels`, and the level of each threshold it reaches. Under
`auto_approve_under` it does not need `approval_levels`, and where no threshold asks for a level nobody has to decide.

People. While the terms name no approver anybody may decide. As soon as they name one, a decision counts only if it is
of somebody they name for its level, valid on the day it was made, or of their delegate, valid then too. A decision
without `decided_on` counts only where no dates are given: an unknown day is no proof.

A decision that does not count is neither refused nor lost. Terms and decisions come in any order, so what is not
allowed now may be by the terms that arrive next: it is kept, left out, and the entry is held with a reason as long as
it would matter (see assessment). Refused as undecodable it would count or not by the order of arrival (M9).
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from ...codecs.approval import ApprovalLevel
from ...codecs.approvers import Approver, Delegate
from ...codecs.currencies import parse_amount
from ...codecs.engagement import Policies
from ...codecs.entry_state import Decision
from ...codecs.errors import UndecodableError


class ApprovalTerms:
    """Compiled from an engagement's policies. A value: never changed once made.

    strictest: every level some amount may ask for; mildest: those asked for whatever the amount; waives: whether
    small entries need no decision; named: whether the terms say who may decide.
    """

    __slots__ = ("_approvers", "_auto_under", "_levels", "_thresholds", "mildest", "named", "strictest", "waives")

    def __init__(self, policies: Policies, currency: str) -> None:
        """Read the policies; raises UndecodableError naming the field of one that makes no sense."""
        self._levels: Final = policies.approval_levels
        self._thresholds: Final = tuple(
            (_size(threshold.amount, currency, f"$.policies.approval_thresholds[{at}].amount"), threshold.of, threshold)
            for at, threshold in enumerate(policies.approval_thresholds)
        )
        under = policies.auto_approve_under
        self._auto_under: Final = None if under is None else _size(under, currency, "$.policies.auto_approve_under")
        self.waives: Final = under is not None
        self.mildest: Final[tuple[ApprovalLevel, ...]] = () if self.waives else self._levels
        self.strictest: Final = self._levels + tuple(threshold.level for *_, threshold in self._thresholds)
        self._approvers: Final = _by_level(policies.approvers)
        self.named: Final = bool(policies.approvers)

    def required(self, price: int, cost: int) -> tuple[tuple[ApprovalLevel, ...], bool]:
        """Levels an entry of this weight needs, and whether it is small enough to need no other decision."""
        waived = self._auto_under is not None and price < self._auto_under
        reached = tuple(
            threshold.level
            for amount, of, threshold in self._thresholds
            if (price if of == "price" else cost) >= amount
        )
        return (reached if waived else self._levels + reached), waived

    def may_decide(self, decision: Decision) -> bool:
        """Whether the terms let this person decide at this level on this day."""
        if not self.named:
            return True
        on = decision.decided_on
        return any(
            _valid(approver, on)
            and (not decision.on_behalf_of or _delegated(approver.delegates, decision.approver_id, on))
            for approver in self.approvers(decision.level)
            if approver.approver_id == (decision.on_behalf_of or decision.approver_id)
        )

    def approvers(self, level: ApprovalLevel) -> tuple[Approver, ...]:
        """Those the terms name for a level."""
        return self._approvers.get(level, ())


def approval_terms(policies: Policies, currency: str) -> ApprovalTerms | None:
    """What the policies ask of approval beyond its levels; None when that is nothing."""
    if policies.approval_thresholds or policies.approvers or policies.auto_approve_under is not None:
        return ApprovalTerms(policies, currency)
    return None


class ReviewTerms(NamedTuple):
    """Which corrections wait for finance.

    above: those that change a bill by more minor units than this, None for none; closed: those in closed periods.
    """

    above: int | None
    closed: bool


def review_terms(policies: Policies, currency: str) -> ReviewTerms | None:
    """Which corrections wait for finance; None when none does."""
    above, closed = policies.review_above, policies.closed_period == "review_corrections"
    if above is None and not closed:
        return None
    return ReviewTerms(None if above is None else _size(above, currency, "$.policies.review_above"), closed)


def _by_level(approvers: tuple[Approver, ...]) -> dict[ApprovalLevel, tuple[Approver, ...]]:
    found: dict[ApprovalLevel, tuple[Approver, ...]] = {}
    for at, approver in enumerate(approvers):
        field = f"$.policies.approvers[{at}]"
        _check_dates(approver, field)
        for place, delegate in enumerate(approver.delegates):
            _check_dates(delegate, f"{field}.delegates[{place}]")
        found[approver.level] = (*found.get(approver.level, ()), approver)
    return found


def _delegated(delegates: tuple[Delegate, ...], approver_id: str, on: dt.date | None) -> bool:
    return any(delegate.approver_id == approver_id and _valid(delegate, on) for delegate in delegates)


def _valid(named: Approver | Delegate, on: dt.date | None) -> bool:
    if named.valid_from is None and named.valid_to is None:
        return True
    return (
        on is not None
        and (named.valid_from is None or named.valid_from <= on)
        and (named.valid_to is None or on <= named.valid_to)
    )


def _check_dates(named: Approver | Delegate, field: str) -> None:
    if named.valid_from is not None and named.valid_to is not None and named.valid_to < named.valid_from:
        raise UndecodableError(
            "invalid_field", f"{field}.valid_to", "it is before valid_from", "send the last day, or leave it out"
        )


def _size(amount: str, currency: str, field: str) -> int:
    """An amount in minor units; zero is the least an entry can weigh."""
    minor = parse_amount(amount, currency, field)
    if minor < 0:
        raise UndecodableError("invalid_field", field, "it is below zero", "send the amount without a sign")
    return minor
