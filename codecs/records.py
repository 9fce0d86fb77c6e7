"""The records a task keeps beside its entries: engagements, assignments, utilisation, positions. Changelog shapes."""

from __future__ import annotations

import datetime as dt

import msgspec

from .assignment import Assignment
from .engagement import Engagement, FeeEarned, Rounding
from .entry_state import Posted


class BilledMilestone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A milestone's bill, standing or reversed.

    source, reached_on, rounding: of the terms it was billed under, which its reversal copies.
    """

    source: str
    posted: Posted
    reached_on: dt.date
    rounding: Rounding


class Movements(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What has moved the prepaid balance of a term besides its fee, in minor units.

    refilled and drawn: billed more, used by work; absorbed: overage that the firm bears; expired: earned unused;
    refunded: given back.
    """

    refilled: int = 0
    drawn: int = 0
    absorbed: int = 0
    expired: int = 0
    refunded: int = 0


class BilledTerm(msgspec.Struct, array_like=True, gc=False):
    """A term that has begun, with what is billed and earned of it. Money is minor units.

    amount: its fee as agreed, 0 once the terms no longer name it; source, revision, rounding, legal_entity_id,
    customer_id: of the terms it is agreed in; earned: with its bill, by day, or as it is used; advance: billed before
    it is earned; posted: its bill, standing or reversed, None before the first; released and released_through:
    revenue of its days so far; release_ordinal: the next number of that; cancelled: it is no term any more;
    movements, moved_on, movement_ordinal: of its prepaid balance, when the last was, and the next number.
    """

    start: dt.date
    end: dt.date
    due: dt.date
    amount: int
    source: str
    revision: int
    rounding: Rounding
    legal_entity_id: str
    customer_id: str
    earned: FeeEarned
    advance: bool
    posted: Posted | None = None
    released: int = 0
    released_through: dt.date | None = None
    release_ordinal: int = 0
    cancelled: bool = False
    movements: Movements = Movements()
    moved_on: dt.date | None = None
    movement_ordinal: int = 0


class RoundingGroup(msgspec.Struct, array_like=True, gc=False):
    """Lines that are rounded as a sum. end: the last day of its accounting period.

    lines: their number; billed: their amounts, and residue: what these lack to the exact sum, as `1/3`; posted:
    rounding lines so far, ordinal: the number of the next. Money is minor units.
    """

    end: dt.date
    lines: int = 0
    billed: int = 0
    residue: str = "0"
    posted: int = 0
    ordinal: int = 0


class Margin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Minor units that people of one practice and region have earned and cost on an engagement."""

    earned: int = 0
    cost: int = 0


class EngagementState(msgspec.Struct, array_like=True, gc=False):
    """An engagement: its latest terms (None while only entries of it are known) and its running figures.

    Hours are microseconds, money is minor units of the contract's currency. fees_through: the last date up to
    which terms of a retainer were billed; approved_cost, recognised, progress_date (latest accounting date of a
    cost that counts) and progress_ordinal: progress of a fixed fee; planned_cost_missing: planned weeks without
    a known cost; billed_expenses: what of billed expenses make; hold_sequence: the last place given in the order
    of release; capped: what is billed under each partial cap, by its id and period. Of a fixed fee: progress_time,
    waste_cost and uninstalled_cost: approved hours that count, approved cost that does not; progress_dates: approved
    entries by accounting date; milestones: bills by milestone id; loss_provision: what is provided for the loss, in
    minor units; loss_ordinal: its last number. non_chargeable: approved value beyond caps that stop. fee_terms: terms
    whose fee is deferred or may be billed anew, by start; unkept_through: the last date of terms billed before that;
    deferred: fees that are billed and not earned; usage: value of approved work that draws on a prepaid balance, by
    work date. rounding: groups of lines by the start of their accounting period; rounded: what rounding lines have
    billed. Of the ERP's answers: documents: how many are known; invoiced and credited: net of tax, invoiced less what
    is credited; invoiced_tax; cash: what payments settle; fx_differences: realised, by the entity's currency;
    written_off: credited and not to be invoiced again. margins: by practice and region of the person, where told apart.
    funded: what customers who pay together are billed, by customer; intercompany_cost: what other legal entities charge
    for their people.
    """

    id: str
    terms: Engagement | None = None
    entries: int = 0
    submitted_time: int = 0
    approved_time: int = 0
    non_billable_time: int = 0
    approved_value: int = 0
    billed: int = 0
    fees: int = 0
    unbilled: int = 0
    held: int = 0
    earned: int = 0
    cost: int = 0
    billed_expenses: int = 0
    approved_cost: int = 0
    recognised: int = 0
    progress_date: dt.date | None = None
    progress_ordinal: int = 0
    fees_through: dt.date | None = None
    planned_time: int = 0
    planned_cost: int = 0
    planned_cost_missing: int = 0
    hold_sequence: int = 0
    held_entries: dict[str, int] = {}
    capped: dict[str, int] = {}
    progress_time: int = 0
    waste_cost: int = 0
    uninstalled_cost: int = 0
    progress_dates: dict[dt.date, int] = {}
    milestones: dict[str, BilledMilestone] = {}
    loss_provision: int = 0
    loss_ordinal: int = 0
    non_chargeable: int = 0
    fee_terms: dict[dt.date, BilledTerm] = {}
    unkept_through: dt.date | None = None
    deferred: int = 0
    usage: dict[dt.date, int] = {}
    rounding: dict[dt.date, RoundingGroup] = {}
    rounded: int = 0
    documents: int = 0
    invoiced: int = 0
    invoiced_tax: int = 0
    credited: int = 0
    cash: int = 0
    fx_differences: dict[str, int] = {}
    written_off: int = 0
    margins: dict[str, Margin] = {}
    funded: dict[str, int] = {}
    intercompany_cost: int = 0


class PlannedCost(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One week of an assignment as last foretold. time: microseconds; cost: minor units, None while unknown."""

    week: dt.date
    time: int
    cost: int | None
    currency: str


class AssignmentState(msgspec.Struct, array_like=True, gc=False):
    """An assignment, its latest revision, and what was foretold from it."""

    latest: Assignment
    planned: tuple[PlannedCost, ...] = ()


class Share(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one assignment adds to a person's week. time: microseconds."""

    revision: int
    time: int
    hard: bool


class WeekState(msgspec.Struct, array_like=True, gc=False):
    """A person's week: the share of each assignment, by `{source}:{assignment id}`.

    capacity: the person's in microseconds as the week was told last, None without one.
    """

    shares: dict[str, Share]
    capacity: int | None = None


class Position(msgspec.Struct, array_like=True, gc=False):
    """How far a task has read one input, and what became of each record before that (M5).

    offset: the next record to apply. The five counts add up to the records seen. recent: the last records as bits, 1
    is dead-lettered, the lowest of the last byte is the latest record; empty when none of them was.
    """

    offset: int = 0
    applied: int = 0
    duplicate: int = 0
    stale: int = 0
    held: int = 0
    dead_lettered: int = 0
    recent: bytes = b""


class Cursor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far a task has reacted to one reference topic: the next offset."""

    offset: int


class ChainHead(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a task's audit chain ends: the sequence of its next record, and the hash (32 bytes) of its last."""

    sequence: int
    hash: bytes
