"""An engagement's state as the figures that users read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..codecs.currencies import EXPONENTS, format_amount, parse_amount
from ..codecs.decimals import format_scaled
from ..codecs.durations import format_hours
from ..codecs.engagement import Engagement
from ..codecs.figures import EngagementFigures, PracticeMargin
from ..codecs.records import EngagementState
from .rules.margins import SEPARATOR, rows
from .rules.prepaid import balance_of


def _draws(terms: Engagement | None) -> bool:
    return terms is not None and terms.fee is not None and terms.fee.drawdown is not None


def figures_of(state: EngagementState) -> EngagementFigures:
    """Write the running sums as decimal text; without terms there is no currency and all sums are zero."""
    terms = state.terms
    currency = None if terms is None else terms.currency
    # Looked up once: an engagement has some fifteen sums.
    places = None if currency is None else EXPONENTS[currency]

    def money(minor: int) -> str:
        return "0" if places is None else format_scaled(minor, places)

    planned_revenue = (
        None
        if terms is None or terms.planned_revenue is None
        else parse_amount(terms.planned_revenue, terms.currency, "$.planned_revenue")
    )
    planned_cost = None if terms is None or state.planned_cost_missing else state.planned_cost
    ahead = state.earned + state.written_off - state.billed - state.fees - state.rounded
    return EngagementFigures(
        engagement_id=state.id,
        customer_id="" if terms is None else terms.customer_id,
        legal_entity_id="" if terms is None else terms.legal_entity_id,
        contract_type=None if terms is None else terms.contract_type,
        currency=currency,
        entries=state.entries,
        submitted_hours=format_hours(state.submitted_time),
        approved_hours=format_hours(state.approved_time),
        non_billable_hours=format_hours(state.non_billable_time),
        approved_value=money(state.approved_value),
        billed=money(state.billed),
        fees=money(state.fees),
        unbilled=money(state.unbilled),
        held=money(state.held),
        held_entries={reason: count for reason, count in state.held_entries.items() if count},
        earned=money(state.earned),
        cost=money(state.cost),
        margin=money(state.earned - state.cost),
        planned_hours=format_hours(state.planned_time),
        planned_cost=None if planned_cost is None else money(planned_cost),
        planned_revenue=None if planned_revenue is None else money(planned_revenue),
        planned_margin=None
        if planned_revenue is None or planned_cost is None
        else money(planned_revenue - planned_cost),
        contract_asset=None if terms is None else money(max(0, ahead)),
        contract_liability=None if terms is None else money(max(0, -ahead)),
        loss_provision=None if terms is None else money(state.loss_provision),
        non_chargeable=money(state.non_chargeable),
        deferred=None if terms is None else money(state.deferred),
        prepaid_balance=None if not _draws(terms) else money(sum(map(balance_of, state.fee_terms.values()))),
        rounding=money(state.rounded),
        margins=() if terms is None or terms.policies.margin == "total" else _margins(state, terms.currency),
        funded={customer: money(amount) for customer, amount in sorted(state.funded.items())},
        intercompany_cost=money(state.intercompany_cost)
        if state.intercompany_cost or (terms is not None and terms.policies.intercompany is not None)
        else None,
        **_receivables(state, money),
        **_completion(state, planned_cost, money),
    )


def _completion(state: EngagementState, planned_cost: int | None, money: Callable[[int], str]) -> dict[str, Any]:
    """What it will have cost in the end, and what of that is to come; nothing where nobody knows."""
    terms = state.terms
    fee = None if terms is None or terms.contract_type != "fixed_fee" else terms.fee
    if terms is not None and fee is not None and fee.estimated_cost is not None:
        # As in progress and losses, the estimate is without waste, which so comes on top of it.
        expected = parse_amount(fee.estimated_cost, terms.currency, "$.fee.estimated_cost") + state.waste_cost
    elif planned_cost is not None and state.planned_time:
        expected = planned_cost
    else:
        # Where no hours are planned, a planned cost of zero is no plan.
        return {}
    at_completion = max(expected, state.cost)
    return {
        "estimate_at_completion": money(at_completion),
        "estimate_to_complete": money(at_completion - state.cost),
    }


def _receivables(state: EngagementState, money: Callable[[int], str]) -> dict[str, Any]:
    """What the ERP has answered; nothing of an engagement it has said nothing about."""
    if not state.documents:
        return {}
    differences = state.fx_differences.items()
    return {
        "invoiced": money(state.invoiced),
        "credited": money(state.credited),
        "written_off": money(state.written_off),
        "not_invoiced": money(state.billed + state.fees + state.rounded - state.written_off - state.invoiced),
        "receivable": money(state.invoiced + state.invoiced_tax - state.cash),
        "cash": money(state.cash),
        "fx_differences": {base: format_amount(minor, base) for base, minor in differences if minor},
    }


def _margins(state: EngagementState, currency: str) -> tuple[PracticeMargin, ...]:
    """Rows by practice and region; they sum to the engagement's margin."""
    found = []
    for key, row in sorted(rows(state).items()):
        practice, _, region = key.partition(SEPARATOR)
        amounts = (format_amount(minor, currency) for minor in (row.earned, row.cost, row.earned - row.cost))
        found.append(PracticeMargin(practice, region, *amounts))
    return tuple(found)
