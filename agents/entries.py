"""What time entries and expenses have in common: find the entry, settle it, hold or release it."""

from __future__ import annotations

import datetime as dt
from copy import copy

from ..codecs.entry_state import EntryState, EntryVersion, Posted, Usage
from ..codecs.records import EngagementState
from .holds import QUIET, hold, put_first, release
from .keys import record_key
from .receivables import settle_documents_naming
from .rules.approval import may_count
from .rules.books import Books
from .rules.cap import has_open, standing_share
from .rules.contract import Contract
from .rules.funding import FundingPlan, misfunded
from .rules.margins import count_margin, is_counted
from .rules.overage import over_balance, room_in_balance
from .rules.prepaid import count_usage, usage_of
from .rules.room import Share
from .rules.settlement import differs, settle, supersede
from .rules.valuation import unknown_engagement
from .terms import settle_terms, settle_waiting_terms
from .work import Outcome, Work


def apply_version(work: Work, version: EntryVersion) -> Outcome:
    """Apply one revision of an entry."""
    table = work.state.entries
    key = record_key("e", version.kind, version.source, version.engagement_id, version.id)
    entry = table.get(key)
    engagement = work.engagement(version.engagement_id)
    if entry is None:
        entry = EntryState(version)
        engagement.entries += 1
    elif version.revision > entry.latest.revision:
        supersede(entry, version)
    else:
        return "duplicate" if version.revision == entry.latest.revision else "stale"
    work.trail.about = version
    outcome: Outcome = "held" if settle_entry(work, key, entry) else "applied"
    if engagement.held_entries and engagement.held_entries.get("billing_unknown"):
        settle_documents_naming(work, version)
    return outcome


def settle_entry(
    work: Work, key: bytes, entry: EntryState, *, balance: bool = True, share: Share | None = None
) -> bool:
    """Settle an entry with all that is known now, keep it, and say whether it waits.

    balance: then see to it that customers who pay in order are billed in order; share: what of the room under caps is
    its.
    """
    engagement = work.engagement(entry.latest.engagement_id)
    contract = work.contexts.contract(engagement, work.reference)
    approvals = work.state.approvals.get(b"a" + key[1:])
    charges, usage = entry.charges, entry.usage
    if contract is None:
        missing = unknown_engagement(engagement.id) if may_count(entry, approvals) else None
    else:
        if contract.tiered:
            work.state.volumes.ready(engagement.id)
        missing = settle(entry, approvals, Books(engagement, contract, work.lookups, work.effects, share))
        if contract.splits_margin:
            count_margin(entry, engagement, work.lookups)
    if missing is not None:
        hold(work, key, entry, engagement, missing)
    elif entry.hold is not None:
        release(work, key, entry, engagement)
    work.state.entries.put(key, entry)
    if contract is not None and (contract.is_followed or usage is not None or engagement.rounding):
        _follow(work, key, entry, contract, charges, usage)
        if contract.funding is not None and balance:
            balance_funding(work, engagement, contract, contract.funding)
        if contract.earns_by_cost:
            settle_waiting_terms(work, engagement, contract)
        if engagement.rounding:
            settle_terms(work, engagement, contract)
    return missing is not None and missing.reason not in QUIET


def _follow(
    work: Work, key: bytes, entry: EntryState, contract: Contract, charges: tuple[Posted, ...], usage: Usage | None
) -> None:
    """What follows for other entries: tiers that are passed, the prepaid balance, room under caps."""
    engagement = work.engagement(entry.latest.engagement_id)
    if contract.tiered:
        steps = contract.book.steps
        moved = work.state.volumes.follow(key, entry, steps.above, whole=steps.whole)
        work.shifted.update(dict.fromkeys(moved))
        settle_shifted(work)
    if contract.draws or usage is not None:
        _draw(work, entry, engagement, contract, usage)
    if contract.limits:
        if has_open(engagement) or (charges and _has_lost_credit(charges, entry.charges)):
            work.unshared.setdefault(engagement.id, {})[key] = None
        elif work.contexts.claims:
            work.contexts.claims.pop(engagement.id, None)


def _has_lost_credit(before: tuple[Posted, ...], after: tuple[Posted, ...]) -> bool:
    """Whether a credit is billed no more, which takes its room back."""
    return any(part.live and part.amount < 0 and part not in after for part in before)


def _give_back(work: Work, engagement: EngagementState, contract: Contract) -> None:
    """Bill entries again that draw more than the balance covers, the latest first; it is billed again in reverse.

    The latest by work date, then key: every replay has this order, and arrival has no part in it (M9). What is held
    now had room before all that waits already, and those given back after it had room before it.
    """
    entries = work.state.entries
    over: list[tuple[dt.date, bytes]] = []
    for key in entries.of_engagement(engagement.id):
        entry = entries.get(key)
        if entry is not None and over_balance(entry, engagement, contract):
            over.append(((entry.posted or entry.latest).work_date, key))
    for _, key in sorted(over, reverse=True):
        entry = entries.get(key)
        if entry is not None and over_balance(entry, engagement, contract):
            waited = entry.hold == "balance_used_up"
            settle_entry(work, key, entry)
            if entry.hold == "balance_used_up" and not waited:
                put_first(work, key)


def _draw(work: Work, entry: EntryState, engagement: EngagementState, contract: Contract, before: Usage | None) -> None:
    """Draw what an entry is worth on the prepaid balance, or give back what it no longer is."""
    count_usage(entry, engagement, contract)
    if entry.usage != before:
        settle_terms(work, engagement, contract)
        settle_balance(work, engagement, contract)


def settle_balance(work: Work, engagement: EngagementState, contract: Contract) -> None:
    """Take back what a prepaid balance no longer covers, its latest entries first; release what it covers again."""
    holds = work.state.holds.waiting_on(f"balance:{engagement.id}")
    if contract.holds_overage and room_in_balance(engagement, contract) < 0:
        _give_back(work, engagement, contract)
    for hold_key in holds:
        if contract.holds_overage and room_in_balance(engagement, contract) <= 0:
            return
        settle_held(work, hold_key)


def rerate(work: Work, key: bytes) -> bool:
    """Settle an entry again if that changes anything; whether it has changed, which need not bring about an event."""
    state = work.state
    entry = state.entries.get(key)
    if entry is None:
        return False
    engagement = work.known_engagement(entry.latest.engagement_id)
    contract = None if engagement is None else work.contexts.contract(engagement, work.reference)
    approvals = state.approvals.get(b"a" + key[1:])
    if engagement is None or contract is None:
        return False
    moved = contract.splits_margin and not is_counted(entry, engagement, work.lookups)
    if not (moved or differs(entry, approvals, contract, work.lookups) or usage_of(entry, contract) != entry.usage):
        return False
    before = copy(entry)  # what it holds is never changed in place
    settle_entry(work, key, entry)
    return entry != before


def settle_shifted(work: Work) -> None:
    """Settle entries that other entries have moved past a tier; they may move others, so one after the other."""
    if work.shifting:
        return
    work.shifting = True
    while work.shifted:
        key = next(iter(work.shifted))
        del work.shifted[key]
        rerate(work, key)
    work.shifting = False


def balance_funding(work: Work, engagement: EngagementState, contract: Contract, plan: FundingPlan) -> None:
    """Split bills anew while that brings the sums of customers who pay in order nearer to that order.

    One round over the entries does, but where bills below zero are among them: each customer may need one more.
    """
    entries = work.state.entries
    for _ in contract.terms.funding.customers if contract.terms.funding else ():
        for key in entries.of_engagement(engagement.id) if plan.unbalanced(engagement.funded) else ():
            entry = entries.get(key)
            if entry is not None and misfunded(entry.charges, engagement, plan):
                share = standing_share(entry) if contract.limits else None
                settle_entry(work, key, entry, balance=False, share=share)


def settle_held(work: Work, hold_key: bytes) -> None:
    """Settle the entry behind a hold again."""
    key = b"e" + hold_key[1:]
    entry = work.state.entries.get(key)
    if entry is None:
        raise AssertionError(f"hold {hold_key!r} has no entry")
    settle_entry(work, key, entry)
