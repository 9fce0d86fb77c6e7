"""The figures of one engagement, now: the read model behind `billtide engagement ID`."""

from __future__ import annotations

from typing import Final

import msgspec

from .engagement import ContractType
from .wire import CurrencyCode, DecimalText, Id, OptionalId, Wire, decoder

TYPE: Final = "billtide.engagement-figures.v1"


class PracticeMargin(msgspec.Struct, frozen=True, gc=False):
    """What people of one practice and region have earned and cost, and what of it is left.

    Both are empty for people of none, and `*` for those of too many to tell apart. The engagement's own practice and
    region have what is of no person too: fees and progress.
    """

    practice: OptionalId
    region: OptionalId
    earned: DecimalText
    cost: DecimalText
    margin: DecimalText


class EngagementFigures(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is engagement_id; the latest record counts. Amounts are in `currency`, the contract's.

    approved_value = billed + held + non_chargeable (M7; priced entries only, so without fees): `billed` is what
    billing events of entries sum to, `fees` those of terms, `unbilled` the open work in progress, `held` approved
    value that waits (cap), `non_chargeable` approved value beyond a cap that stops, `earned` revenue so far, `cost`
    labour and expense cost so far, `margin` earned - cost.
    `contract_asset` is revenue earned beyond what is billed, fees included, `contract_liability` the opposite;
    `loss_provision` what is provided for the rest of a fixed fee's loss;
    `deferred` fees that are billed and not yet earned. Without terms all four are unknown. `prepaid_balance` is what
    of them work may still use up, only where the terms have a drawdown; drawn and absorbed amounts lower `fees`.
    `rounding` is what rounding lines have billed, besides `billed` and `fees`.
    `held_entries` counts what waits by its reason, documents of the ERP included.
    Of the ERP's answers, absent before the first: `invoiced` is what stands on invoices less `credited`, which is what
    credit notes take back, both without tax; `written_off` what of that is lost revenue; `not_invoiced` = billed +
    fees + rounding - written off - invoiced; `cash` what payments settle, `receivable` = invoiced with tax - cash;
    `fx_differences` realised gains (losses below zero) by currency of the legal entity.
    `margins` tells margin by practice and region of the people, as a policy; the rows sum to `margin`.
    `funded` is what each of several customers who pay together is billed, fees included; `intercompany_cost` what other
    legal entities charge the engagement's for their people (`cost` is what they cost the firm), absent where none may.
    `estimate_at_completion` (EAC) is what the engagement is expected to cost in the end: the estimated cost of a fixed
    fee's terms, with approved waste on top, which it leaves out; without it `planned_cost`, where hours are planned
    and their cost is known; never below `cost`. `estimate_to_complete` = estimate_at_completion - cost. Both are absent
    where there is neither an estimate nor a plan whose cost is known: unknown is never zero.
    """

    engagement_id: Id
    customer_id: OptionalId = ""
    legal_entity_id: OptionalId = ""
    contract_type: ContractType | None = None
    currency: CurrencyCode | None = None
    entries: int
    submitted_hours: DecimalText
    approved_hours: DecimalText
    non_billable_hours: DecimalText
    approved_value: DecimalText
    billed: DecimalText
    fees: DecimalText
    unbilled: DecimalText
    held: DecimalText
    held_entries: dict[str, int]
    earned: DecimalText
    cost: DecimalText
    margin: DecimalText
    planned_hours: DecimalText
    planned_cost: DecimalText | None = None
    planned_revenue: DecimalText | None = None
    planned_margin: DecimalText | None = None
    contract_asset: DecimalText | None = None
    contract_liability: DecimalText | None = None
    loss_provision: DecimalText | None = None
    non_chargeable: DecimalText = "0"
    deferred: DecimalText | None = None
    prepaid_balance: DecimalText | None = None
    rounding: DecimalText = "0"
    invoiced: DecimalText | None = None
    credited: DecimalText | None = None
    not_invoiced: DecimalText | None = None
    receivable: DecimalText | None = None
    cash: DecimalText | None = None
    fx_differences: dict[str, DecimalText] = {}  # noqa: RUF012 - msgspec copies it
    written_off: DecimalText | None = None
    margins: tuple[PracticeMargin, ...] = ()
    funded: dict[str, DecimalText] = msgspec.field(default_factory=dict)
    intercompany_cost: DecimalText | None = None
    estimate_at_completion: DecimalText | None = None
    estimate_to_complete: DecimalText | None = None


decode: Final = decoder(EngagementFigures)
