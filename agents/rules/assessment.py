"""Assessment: how a version stands under a contract that weighs entries or names who may decide.

Only such contracts pay for it; every other entry is judged by its levels alone. A version is weighed only when its
amount decides (see weighing): what a change of rates lifts over a threshold needs that level too, whether the change
came before or after the approval (M9). A period that has closed since does not matter. While a weight is unknown the
version stands as if it were the heaviest, for nothing unapproved is billed (M6), and the entry waits for what the value
waits for.
"""

from __future__ import annotations

from typing import Final

from ...codecs.entry_state import Decision, EntryState, EntryVersion
from .approval import STANDINGS, VOIDS, Standing, standing, verdicts
from .approval_terms import ApprovalTerms
from .contract import Contract
from .valuation import Lookups, Missing
from .weighing import weigh


class Assessment:
    """One entry under such a contract, judged once.

    waits_for: the first value that is missing to judge by, or else the first decision that would matter and does not
    count; None when all is clear.
    """

    __slots__ = ("_contract", "_ignored", "_lookups", "_terms", "_unknown")

    def __init__(self, terms: ApprovalTerms, contract: Contract, lookups: Lookups) -> None:
        """Judge by these terms of the contract."""
        self._terms: Final = terms
        self._contract: Final = contract
        self._lookups: Final = lookups
        self._unknown: Missing | None = None
        self._ignored: Missing | None = None

    @property
    def waits_for(self) -> Missing | None:
        """What the judgement so far waits for."""
        return self._unknown or self._ignored

    def standing(self, version: EntryVersion, decisions: tuple[Decision, ...]) -> Standing:
        """Standing of one version, given every decision about its entry."""
        terms = self._terms
        counted = tuple(filter(terms.may_decide, decisions)) if terms.named else decisions
        stands = standing(version, counted, terms.strictest)
        if stands != standing(version, counted, terms.mildest, waived=terms.waives):
            weight = self._weight(version)
            if isinstance(weight, Missing):
                self._unknown = self._unknown or weight
            else:
                levels, waived = terms.required(*weight)
                stands = standing(version, counted, levels, waived=waived)
        if len(counted) != len(decisions) and self._ignored is None:
            self._ignored = self._left_out(version, stands, decisions, counted)
        return stands

    def _weight(self, version: EntryVersion) -> tuple[int, int] | Missing:
        """Price and cost to judge a version by, minor units of the contract's currency, without signs."""
        value = weigh(version, self._contract, self._lookups)
        if isinstance(value, Missing):
            return value
        cost = abs(value.cost_value)
        return (cost if value.price is None else abs(value.price.amount)), cost

    def _left_out(
        self,
        version: EntryVersion,
        stands: Standing,
        decisions: tuple[Decision, ...],
        counted: tuple[Decision, ...],
    ) -> Missing | None:
        """The first decision that does not count and would move the version, unless its level has spoken since."""
        row = STANDINGS[version.status]
        spoken = verdicts(version, counted)
        for decision in decisions:
            about = decision.entry_revision == version.revision and decision.target == "entry"
            if not about or self._terms.may_decide(decision):
                continue
            later = spoken.get(decision.level)
            moved = row["withdrawn" if VOIDS[decision.verdict] else "fully"]
            if moved != stands and (later is None or later.sequence < decision.sequence):
                return self._not_allowed(decision)
        return None

    def _not_allowed(self, decision: Decision) -> Missing:
        terms = self._contract.terms
        by = decision.approver_id or "somebody without approver_id"
        if decision.on_behalf_of:
            by = f"{by} on behalf of {decision.on_behalf_of}"
        on = "a day that is not given" if decision.decided_on is None else decision.decided_on
        names = ", ".join(approver.approver_id for approver in self._terms.approvers(decision.level)) or "nobody"
        what = f"revision {decision.entry_revision} was {decision.verdict} at level {decision.level} by {by} on {on}"
        fix = f"the terms of {terms.id} name {names}; let one of them decide then, or send terms that allow it"
        return Missing("approver_not_allowed", f"engagement:{terms.id}", f"{what}, which does not count: {fix}")


def assess(contract: Contract, lookups: Lookups) -> Assessment:
    """Judge an entry under a contract that asks for more than levels."""
    if contract.approval is None:
        message = f"contract of {contract.terms.id} asks for nothing beyond its levels"
        raise AssertionError(message)
    return Assessment(contract.approval, contract, lookups)


def held_for(entry: EntryState, waits: Missing | None) -> bool:
    """Whether an entry is held for what it waits for, or rightly is not held."""
    return entry.hold == (None if waits is None else waits.reason)
