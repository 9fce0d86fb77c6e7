"""The caps of a contract as the rules read them: what each covers, and how much of it."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from ...codecs.currencies import parse_amount
from ...codecs.engagement import Cap, Engagement, PartialCap
from ...codecs.entry_state import EntryVersion
from ...codecs.errors import UndecodableError

ENGAGEMENT: Final = ""
"""Name of the cap on the engagement as a whole."""


class Limit(msgspec.Struct, frozen=True, gc=False):
    """One cap. amount and tolerance: minor units; tasks and resources: what it covers, all when empty.

    split: bills a part of what exceeds it; stops: what lies beyond is not charged, others hold it.
    """

    name: str
    amount: int
    tolerance: int
    split: bool
    stops: bool
    includes_expenses: bool
    tasks: frozenset[str]
    resources: frozenset[str]
    per: Literal["day", "week", "month"] | None

    def covers(self, version: EntryVersion) -> bool:
        """Whether what is billed for a version counts to the cap."""
        return (
            (self.includes_expenses or version.kind == "time")
            and (not self.tasks or version.task_id in self.tasks)
            and (not self.resources or version.resource_id in self.resources)
        )

    def account(self, date: dt.date) -> str:
        """Under which name it is counted what is billed for work of a date: the cap's, with the period it renews in."""
        if self.per is None:
            return self.name
        if self.per == "week":
            date -= dt.timedelta(days=date.weekday())
        return f"{self.name}:{date:%Y-%m}" if self.per == "month" else f"{self.name}:{date}"


def limits_of(terms: Engagement) -> tuple[Limit, ...]:
    """Read the caps of capped terms, the engagement's own first; raises UndecodableError naming a wrong field."""
    if terms.contract_type != "capped":
        return ()
    if terms.cap is None and not terms.caps:
        raise UndecodableError("invalid_field", "$.cap", "a capped engagement has no cap", "send cap.amount")
    limits = [] if terms.cap is None else [_limit(terms, ENGAGEMENT, terms.cap, "$.cap")]
    for at, cap in enumerate(terms.caps):
        limits.append(_limit(terms, cap.id, cap, f"$.caps[{at}]", cap.tasks, cap.resources, cap.per))
        if [limit.name for limit in limits].count(cap.id) > 1:
            raise UndecodableError(
                "invalid_field", f"$.caps[{at}].id", f"a second cap {cap.id!r}", "give each cap an id of its own"
            )
    return tuple(limits)


def _limit(
    terms: Engagement,
    name: str,
    cap: Cap | PartialCap,
    field: str,
    tasks: tuple[str, ...] = (),
    resources: tuple[str, ...] = (),
    per: Literal["day", "week", "month"] | None = None,
) -> Limit:
    amount = parse_amount(cap.amount, terms.currency, f"{field}.amount")
    tolerance = parse_amount(cap.tolerance, terms.currency, f"{field}.tolerance")
    if tolerance < 0:
        raise UndecodableError("invalid_field", f"{field}.tolerance", "it is below zero", "send zero or more")
    split, stops, expenses = cap.mode != "hold", cap.mode == "stop", cap.includes_expenses
    return Limit(name, amount, tolerance, split, stops, expenses, frozenset(tasks), frozenset(resources), per)
