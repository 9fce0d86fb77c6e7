"""Assessment: how a version stands under a contract that weighs entries or names who may decide.

Only such contracts pay for it; every other entry is judged by its levels alone. A version is valued only when its
amount decides, at most once a settlement, and settlement takes that value over. A version that is billed weighs what
was billed, so that a later rate or a closed period cannot undo an approval. While a weight is unknown the
version stands as if it were the heaviest, for nothing unapproved is billed (M6), and the entry waits for what the
value waits for.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from ...codecs.entry_state import Decision, EntryState, EntryVersion
from .approval import STANDINGS, VOIDS, Standing, standing, verdicts
from .approval_terms import ApprovalTerms
from .books import Books
from .valuation import Missing, Value, value_of


class Assessment:
    """One entry under such a contract, for one settlement.

    waits_for: the first value that is missing to judge by, or else the first decision that would matter and does not
    count; None when all is clear.
    """

    __slots__ = ("_books", "_entry", "_ignored", "_terms", "_unknown", "_values")

    def __init__(self, terms: ApprovalTerms, entry: EntryState, books: Books) -> None:
        """Judge this entry's versions by these terms."""
        self._terms: Final = terms
        self._entry: Final = entry
        self._books: Final = books
        self._values: Final[dict[int, Value | Missing]] = {}
        self._unknown: Missing | None = None
        self._ignored: Missing | None = None

    @property
    def waits_for(self) -> Missing | None:
        """What the judgement so far waits for."""
        return self._unknown or self._ignored

    def value_of(self, version: EntryVersion) -> Value | Missing:
        """Value of a version, worked out once."""
        known = self._values.get(version.revision)
        if known is None:
            books = self._books
            known = self._values[version.revision] = value_of(version, books.contract, books.lookups)
        return known

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
        entry = self._entry
        priced = _customer_pays(version, self._books)
        if self._stands(version) and (not priced or _billed(entry)):
            price = None if not priced or entry.price is None else entry.price.amount
            cost = entry.cost_value
        else:
            value = self.value_of(version)
            if isinstance(value, Missing):
                return value
            price = None if value.price is None else value.price.amount
            cost = value.cost_value
        return abs(cost if price is None else price), abs(cost)

    def _stands(self, version: EntryVersion) -> bool:
        """Whether what is posted is this version's: it may differ in nothing but revision and status."""
        entry = self._entry
        if entry.cost is None or not entry.cost.live:
            return False
        posted = entry.posted or entry.latest
        return structs.replace(version, revision=posted.revision, status=posted.status) == posted

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
            if decision.entry_revision != version.revision or self._terms.may_decide(decision):
                continue
            later = spoken.get(decision.level)
            moved = row["withdrawn" if VOIDS[decision.verdict] else "fully"]
            if moved != stands and (later is None or later.sequence < decision.sequence):
                return self._not_allowed(decision)
        return None

    def _not_allowed(self, decision: Decision) -> Missing:
        terms = self._books.contract.terms
        by = decision.approver_id or "somebody without approver_id"
        if decision.on_behalf_of:
            by = f"{by} on behalf of {decision.on_behalf_of}"
        on = "a day that is not given" if decision.decided_on is None else decision.decided_on
        names = ", ".join(approver.approver_id for approver in self._terms.approvers(decision.level)) or "nobody"
        what = f"revision {decision.entry_revision} was {decision.verdict} at level {decision.level} by {by} on {on}"
        fix = f"the terms of {terms.id} name {names}; let one of them decide then, or send terms that allow it"
        return Missing("approver_not_allowed", f"engagement:{terms.id}", f"{what}, which does not count: {fix}")


def _customer_pays(version: EntryVersion, books: Books) -> bool:
    contract = books.contract
    return version.billable and (contract.bills_time if version.kind == "time" else contract.mark_up is not None)


def _billed(entry: EntryState) -> bool:
    """Whether the price is kept. What is only accrued is valued again when it is billed, so that value is weighed."""
    return bool(entry.held_value) or any(part.live for part in entry.charges)
