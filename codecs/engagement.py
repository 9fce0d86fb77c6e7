"""An engagement with its contract terms: what was sold, to whom, and by which policies it is billed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from .approval import ApprovalLevel
from .approvers import ApprovalThreshold, Approver
from .funding import Funding
from .fx_policy import FxPolicy
from .intercompany import Intercompany
from .time_policies import Discount, MultiplierChange, Multipliers, TimeRounding
from .volume_tiers import VolumeTiers
from .wire import CurrencyCode, DecimalText, ExpenseUnit, Id, OptionalId, Revision, SecondWire, decoder

TYPE: Final = "billtide.engagement.v1"

ContractType = Literal[
    "time_and_materials", "capped", "fixed_fee", "retainer", "non_billable", "internal", "subscription"
]
Rounding = Literal["half_up", "half_even", "up", "down"]
ExpensePolicy = Literal["at_cost", "mark_up", "unit_price", "non_billable"]
ProgressMethod = Literal["cost_to_cost", "hours_to_hours", "milestone", "straight_line"]

FeeEarned = Literal["billed", "served", "used"]
"""When the fee of a term is revenue: with its bill, day by day of the term, or as work uses it up."""
Overage = Literal["bill", "hold", "absorb"]
Unused = Literal["roll_over", "expire", "refund"]


class EngagementRate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A line of the engagement's own card: wins over every shared card. Per hour or per day.

    minimum_charge and maximum_charge: least and most that an entry at this rate is billed. volume_tiers: other rates by
    the volume that is billed at this line. resource_id, region: for this person, or people of this region, alone, as in
    a line of a rate card; both need schema_version 2.
    """

    rate: DecimalText
    unit: Literal["hour", "day"] = "hour"
    role: OptionalId = ""
    grade: OptionalId = ""
    item: OptionalId = ""
    effective_from: dt.date = dt.date.min
    minimum_charge: DecimalText | None = None
    maximum_charge: DecimalText | None = None
    volume_tiers: VolumeTiers | None = None
    resource_id: OptionalId = ""
    region: OptionalId = ""


class Cap(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Not to exceed: what the customer pays in all.

    `split` bills up to the minor unit and holds the rest; `hold` bills an entry whole or not at all; `stop` bills up to
    the minor unit, and the rest is not chargeable: it waits for nobody, but a higher cap brings it back. What exceeds
    the amount by no more than tolerance is billed whole.
    """

    amount: DecimalText
    mode: Literal["split", "hold", "stop"] = "split"
    includes_expenses: bool = True
    tolerance: DecimalText = "0"


class PartialCap(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Not to exceed for a part of the work: a task, a purchase order (several tasks), a person, a period.

    id names it on holds. tasks and resources say what it covers, all when empty. per: a new amount for each day,
    week (from Monday) or month of the work date. An entry is billed as far as every cap that covers it allows.
    """

    id: Id
    amount: DecimalText
    mode: Literal["split", "hold", "stop"] = "split"
    includes_expenses: bool = True
    tolerance: DecimalText = "0"
    tasks: tuple[Id, ...] = ()
    resources: tuple[Id, ...] = ()
    per: Literal["day", "week", "month"] | None = None


class Milestone(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A part of a fixed fee that is billed once, when it is reached: an amount, or percent of the fee.

    reached_on: the day it was reached; a later revision of the terms without it takes the bill back.
    standalone_price: what its work would cost alone; with these, on all milestones, revenue by milestones is the fee
    allocated in their proportion, whatever each bills.
    """

    id: Id
    name: Annotated[str, msgspec.Meta(max_length=400)] = ""
    amount: DecimalText | None = None
    percent: DecimalText | None = None
    reached_on: dt.date | None = None
    standalone_price: DecimalText | None = None


class FeeTerm(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One term with dates of its own, both included; without an amount its fee is fee.amount."""

    start_date: dt.date
    end_date: dt.date
    amount: DecimalText | None = None


class Refill(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What tops a prepaid balance up when it falls below the threshold.

    amount: at once, as often as work needs it; up_to: to this balance, as the next term begins. Exactly one of them.
    """

    threshold: DecimalText
    amount: DecimalText | None = None
    up_to: DecimalText | None = None


class Drawdown(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """How the fee of a retainer is used up: by approved time, and expenses if they are included, at their price.

    A term's work draws on its fee and on what rolled over. overage: what exceeds the balance is billed, held until
    there is balance again, or absorbed by the firm. unused: what becomes of the balance at the end of a term; rest:
    at the engagement's end, `keep` for as at the end of any term. What expires is revenue. With a refill the fee is
    billed once, for the first term.
    """

    overage: Overage = "bill"
    unused: Unused = "roll_over"
    rest: Literal["keep", "refund", "expire"] = "keep"
    includes_expenses: bool = True
    refill: Refill | None = None


class Fee(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A sum agreed beforehand: the whole price of a fixed fee, or one term's fee of a retainer or a subscription.

    estimated_cost (fixed fee): expected cost at completion without waste, in the engagement's currency;
    uninstalled_cost: what of it is expected to be uninstalled. progress: what revenue to date is measured by:
    approved cost / estimated_cost, approved hours / estimated_hours, milestones reached, or days from start_date
    through the latest accounting date of an approved entry / days to end_date. percent_places: progress is
    rounded to a percentage with so many places before the fee is multiplied; absent means unrounded.
    milestones: what is billed, and when; they add up to the fee. loss_provision: whether the loss is provided
    as soon as estimated_cost exceeds the fee. term and billed (retainer, subscription): a fee falls due at the start
    (`advance`) or the end (`arrears`) of each term from `start_date` on, when the period of that date opens.
    schedule: the terms by their dates, in place of term. billed_terms: whether terms that are billed already keep
    their fee and dates when the terms change, or are reversed and billed anew. drawdown (retainer): the fee is a
    prepaid balance that work uses up; without it the fee covers the work.
    """

    amount: DecimalText
    estimated_cost: DecimalText | None = None
    term: Literal["month", "quarter", "year"] = "month"
    billed: Literal["advance", "arrears"] = "advance"
    progress: ProgressMethod = "cost_to_cost"
    estimated_hours: DecimalText | None = None
    uninstalled_cost: DecimalText | None = None
    percent_places: Annotated[int, msgspec.Meta(ge=0, le=6)] | None = None
    milestones: tuple[Milestone, ...] = ()
    loss_provision: Literal["at_once", "none"] = "at_once"
    schedule: tuple[FeeTerm, ...] = ()
    billed_terms: Literal["keep", "rebill"] = "keep"
    drawdown: Drawdown | None = None


class ExpenseCategory(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What the customer pays for the expenses of one category; nothing of the engagement's other terms applies to them.

    unit_price: what one `unit` costs the customer under the policy `unit_price` (mileage: a kilometre, per diem:
    a day), and what it costs the firm where an expense does not say; line_cap: what the customer pays at most for
    one line, the rest is the firm's cost, and at most gets back for a refund; receipt_above: an expense above it needs
    a receipt. All in the engagement's currency.
    """

    category: Id
    policy: ExpensePolicy = "at_cost"
    mark_up_percent: DecimalText = "0"
    unit_price: DecimalText | None = None
    unit: ExpenseUnit = "unit"
    line_cap: DecimalText | None = None
    receipt_above: DecimalText | None = None


class ExpenseTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What the customer pays for an expense: nothing, its cost, its cost and a mark-up in percent, or a unit price.

    The terms of its category if `categories` names it, else these. line_cap and receipt_above as in ExpenseCategory.
    """

    policy: ExpensePolicy = "at_cost"
    mark_up_percent: DecimalText = "0"
    line_cap: DecimalText | None = None
    receipt_above: DecimalText | None = None
    categories: tuple[ExpenseCategory, ...] = ()


class Policies(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The contract's choices where the law of money leaves one; each has a sensible default.

    time_rounding: of billed time; none bills what was worked to the microsecond. day_rounding: `half_day` bills an
    entry at a day rate as half a day up to half of hours_per_day and as a day above, in place of time_rounding.
    multipliers: of rates, by kind and date of the work; without them every hour costs the same. multiplier_changes:
    what takes their place from a work date on. rounding_place: each line is rounded by itself; under `invoice` what the
    lines of time in one accounting period lack to their exact sum is a line of its own, once the next period begins.
    approval_thresholds: levels that larger entries need besides approval_levels; auto_approve_under: entries of less
    than this amount need no decision but those of thresholds; both by the price without what other entries add to a
    volume tier, and so is review_above; approvers: who may decide, anybody while empty;
    correction of what is billed: reversed and charged anew, or one line of the difference. review_above: a correction
    that changes what an approved entry is billed by more than this amount waits for a decision of finance. credit: what
    becomes of an amount that a credit note takes back: it is to be invoiced again, or lost revenue. fx_policy: how
    other currencies are converted, absent means at the work date by the plain rate of the pair. accounting_date: day of
    work, the last day of its period, or, of what is billed and earned, the day of approval, or the day on which the
    approved revision was submitted. closed_period: what is late is held until its period is open, or posted in the next
    open one; under `review_corrections` too, while a correction of approved work of a closed period waits for a
    decision of finance. unmapped_account: what
    has no number in the legal entity's account map is posted by its name, or nothing is until it has. work_in_progress:
    reversed when it is billed, or also when its period is closed, and accrued again in the next open one. margin: the
    figures tell the engagement's as a whole, or also by practice and region of the people.
    intercompany: how people of other legal entities are charged to the engagement's; absent, their cost is its own.
    """

    rounding: Rounding = "half_up"
    accrue_at: Literal["submission", "approval"] = "submission"
    closed_period: Literal["hold", "next_open_period", "review_corrections"] = "hold"
    approval_levels: tuple[ApprovalLevel, ...] = ()
    hours_per_day: DecimalText = "8"
    time_rounding: TimeRounding | None = None
    day_rounding: Literal["exact", "half_day"] = "exact"
    multipliers: Multipliers | None = None
    approval_thresholds: tuple[ApprovalThreshold, ...] = ()
    auto_approve_under: DecimalText | None = None
    approvers: tuple[Approver, ...] = ()
    correction: Literal["reverse_and_rebill", "adjust"] = "reverse_and_rebill"
    multiplier_changes: tuple[MultiplierChange, ...] = ()
    rounding_place: Literal["line", "invoice"] = "line"
    review_above: DecimalText | None = None
    credit: Literal["rebill", "write_off"] = "rebill"
    fx_policy: FxPolicy | None = None
    accounting_date: Literal["work_date", "approval_date", "period_end", "submission_date"] = "work_date"
    unmapped_account: Literal["abstract_name", "hold"] = "abstract_name"
    work_in_progress: Literal["until_billed", "reverse_next_period"] = "until_billed"
    margin: Literal["total", "by_practice_and_region"] = "total"
    intercompany: Intercompany | None = None


class Engagement(SecondWire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One engagement, one revision of its terms. Key is id.

    discount_percent: off every rate at which time is billed; expenses and fees are billed without it. discounts: with
    dates, in its place; of those that cover the work date the one that starts last.
    funding: the customers who pay together; without it customer_id pays all. schema_version: 2 when a rate names a
    person or a region, else 1.
    """

    source: Id
    id: Id
    revision: Revision
    name: Annotated[str, msgspec.Meta(max_length=400)] = ""
    customer_id: Id
    legal_entity_id: Id
    practice: OptionalId = ""
    region: OptionalId = ""
    currency: CurrencyCode
    contract_type: ContractType
    start_date: dt.date
    end_date: dt.date | None = None
    rates: tuple[EngagementRate, ...] = ()
    cap: Cap | None = None
    caps: tuple[PartialCap, ...] = ()
    fee: Fee | None = None
    expenses: ExpenseTerms = ExpenseTerms()
    policies: Policies = Policies()
    planned_revenue: DecimalText | None = None
    discount_percent: DecimalText = "0"
    discounts: tuple[Discount, ...] = ()
    funding: Funding | None = None


decode: Final = decoder(Engagement)
