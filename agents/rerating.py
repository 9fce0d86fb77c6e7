"""Re-rating: what is posted or planned already follows terms and reference data that change back in time.

An entry is settled again only when that would change something, so a change that prices nothing anew writes nothing;
what it does change leaves as the difference: reversed, and posted anew (M9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from msgspec import structs

from ..codecs.engagement import Drawdown, Engagement
from ..codecs.records import EngagementState
from ..tables.keys import engagement_of, of_engagement
from ..tables.state import TaskState
from .entries import rerate, settle_entry, settle_shifted
from .planning import settle_assignment
from .rules.cap import count_billed, standing_share
from .rules.contract import Contract
from .rules.expectation import expect
from .rules.funding import misfunded
from .steps import in_order
from .work import Work

CONCERNS: Final = ("rates:", "resource:", "fx:")
"""How the words begin that can change what an entry is worth; a period only says when it may be posted.

But work in progress that stands in one period only moves with the calendar, and is settled again."""
PEOPLE_MAX: Final = 8
"""So many people are looked for in the bytes of each entry; of more, every entry is looked at."""


def rerate_engagement(work: Work, before: Engagement | None, terms: Engagement) -> None:
    """Settle the entries of an engagement again that its new terms make worth something else."""
    if before is None or _same_worth(before, terms):
        return
    keys = work.state.entries.of_engagement(terms.id)
    if before.caps != terms.caps or before.contract_type != terms.contract_type:
        _count_anew(work, terms.id, keys)
    work.state.volumes.forget(terms.id)
    work.shifting = True  # first all entries by the new terms, then those that these have moved past a tier
    for key in keys:
        rerate(work, key)
    work.shifting = False
    settle_shifted(work)
    engagement, contract = _known(work, terms.id)
    if engagement is not None and contract is not None and before.funding != terms.funding:
        _split_anew(work, engagement, contract, keys)


def _split_anew(work: Work, engagement: EngagementState, contract: Contract, keys: list[bytes]) -> None:
    """Bill again what other customers pay now."""
    for key in keys:
        entry = work.state.entries.get(key)
        if entry is not None and misfunded(entry.charges, engagement, contract.funding):
            settle_entry(work, key, entry, share=standing_share(entry) if contract.limits else None)


def rerate_assigned(work: Work, engagement_id: str, assignment_id: str) -> None:
    """Settle the entries again that an assignment makes worth something else: it is known now, or has another rate."""
    engagement = work.known_engagement(engagement_id)
    if engagement is None or not engagement.entries:
        return
    for key in work.state.entries.of_engagement(engagement_id):
        entry = work.state.entries.get(key)
        if entry is not None and any(v.assignment_id == assignment_id for v in (entry.latest, *entry.earlier)):
            rerate(work, key)


def _same_worth(before: Engagement, terms: Engagement) -> bool:
    """Whether terms differ only in what no entry is priced by."""
    unpriced = {"revision": 1, "name": "", "planned_revenue": None, "fee": None, "end_date": None}
    if _drawdown(before) != _drawdown(terms):
        return False
    same: bool = structs.replace(before, **unpriced) == structs.replace(terms, **unpriced)
    return same


def _drawdown(terms: Engagement) -> Drawdown | None:
    return None if terms.fee is None else terms.fee.drawdown


def _count_anew(work: Work, engagement_id: str, keys: list[bytes]) -> None:
    """Count what is billed under each cap of new terms, from the charges that stand."""
    engagement = work.engagement(engagement_id)
    contract = work.contexts.contract(engagement, work.reference)
    engagement.capped.clear()
    for key in keys:
        entry = work.state.entries.get(key)
        if entry is not None and contract is not None:
            billed = sum(part.amount for part in entry.charges if part.live)
            count_billed(billed, entry.posted or entry.latest, engagement, contract)


def _known(work: Work, engagement_id: str) -> tuple[EngagementState | None, Contract | None]:
    """An engagement and its contract as far as they are known, only to be read."""
    engagement = work.known_engagement(engagement_id)
    return engagement, None if engagement is None else work.contexts.contract(engagement, work.reference)


def replan(work: Work, key: bytes) -> None:
    """Foretell an assignment again if its weeks cost something else now."""
    planned = work.state.assignments.get(key)
    if planned is None:
        return
    _, contract = _known(work, planned.latest.engagement_id)
    if contract is not None and expect(planned.latest, contract, work.lookups)[0] != planned.planned:
        settle_assignment(work, key, planned)


def replan_engagement(work: Work, before: Engagement | None, terms: Engagement) -> None:
    """Foretell the assignments of an engagement again where new terms convert what they cost in another way."""
    if before is None or before.policies.fx_policy == terms.policies.fx_policy:
        return
    for key in of_engagement(work.state.assignments, terms.id):
        replan(work, key)


def plans(state: TaskState, changed: set[str] | None) -> list[bytes]:
    """Keys of committed assignments whose cost a change of reference data may touch."""
    costs = changed is None or any(word.startswith(("resource:", "fx:")) for word in changed)
    return sorted(state.assignments.bytes) if costs else []


def concerned(state: TaskState, changed: set[str] | None) -> Iterator[list[bytes]]:
    """Keys of committed entries whose worth a change of reference data may touch, in order and in short steps.

    All of them for None. Entries that come between two steps are priced with what has changed.
    """
    entries = state.entries.bytes
    if changed is None:
        return in_order(list(entries), None)
    words = [word for word in changed if word.startswith(CONCERNS)]
    moved = set(_by_calendar(state, changed)) if entries else set()
    return in_order(list(entries), _may_touch(state, words, moved)) if (words or moved) and entries else iter(())


def _may_touch(state: TaskState, words: list[str], moved: set[bytes]) -> Callable[[bytes], bool] | None:
    """Tells of the key of an entry whether what these words name may touch its worth; None when it may of each.

    moved: engagements whose entries the calendar may move.
    """
    # As they stand in an entry's bytes, with their length in front: R7 is not found in R71.
    people = [msgspec.msgpack.encode(word.partition(":")[2]) for word in words if word.startswith("resource:")]
    if len(people) > PEOPLE_MAX:
        return None
    currencies = {_currency(word) for word in words if not word.startswith("resource:")}
    rates = any(word.startswith("fx:") for word in words)
    engagements = moved.union(_in_currencies(state, currencies, rates=rates))
    entries = state.entries.bytes

    def may_touch(key: bytes) -> bool:
        raw = entries[key]
        return engagement_of(key) in engagements or any(person in raw for person in people)

    return may_touch


def _by_calendar(state: TaskState, changed: set[str]) -> Iterable[bytes]:
    """Engagements whose work in progress, or reviewed corrections, the calendar of their legal entity may move."""
    table = state.engagements
    entities = {word.removeprefix("period:") for word in changed if word.startswith("period:")}
    for raw in table.bytes.values() if entities else ():
        terms = table.decode(raw).terms
        if terms is None or terms.legal_entity_id not in entities:
            continue
        policies = terms.policies
        if policies.work_in_progress != "until_billed" or policies.closed_period == "review_corrections":
            yield terms.id.encode()


def _currency(word: str) -> str:
    """Currency of the contracts that `rates:EUR` or `fx:USD/EUR` is about."""
    return word.partition(":")[2].rpartition("/")[2]


def _in_currencies(state: TaskState, currencies: set[str], *, rates: bool) -> Iterable[bytes]:
    """Engagements in these currencies; of exchange rates also those that may use any quotation by their policy."""
    if not currencies:
        return
    table = state.engagements
    for raw in table.bytes.values():
        engagement = table.decode(raw)
        terms = engagement.terms
        if terms is None:
            continue
        # A charge between legal entities may be priced, and booked, in any currency.
        crosses = terms.policies.intercompany is not None or (rates and terms.policies.fx_policy is not None)
        if crosses or terms.currency in currencies:
            yield engagement.id.encode()
