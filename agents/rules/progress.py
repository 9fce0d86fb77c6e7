"""Revenue of a fixed fee, by cost to cost: earned to date = fee x approved cost to date / expected cost.

Always taken as a whole and posted as the difference to what is posted already, so that rounding never adds up
and a new estimate or a correction catches up at once. Cost beyond the estimate earns no more than the fee.
(IFRS 15 B14-B19, input method; worked example 20 of the standard.)
"""

from __future__ import annotations

import datetime as dt

from ...codecs.currencies import format_amount
from ...codecs.revenue import RevenueEvent
from .books import Books
from .contract import Contract
from .ledger import journal
from .money import divide


def earned_to_date(contract: Contract, approved_cost: int) -> int:
    """Revenue earned so far in minor units; approved_cost in minor units of the contract's currency."""
    if contract.fee_amount is None or contract.estimated_cost is None:
        return 0
    cost = max(0, min(approved_cost, contract.estimated_cost))
    return divide(contract.fee_amount * cost, contract.estimated_cost, "half_up")


def recognise(cause: str, entry_id: str, revision: int, date: dt.date, books: Books) -> bool:
    """Post what is missing to the revenue earned to date, with the figures; nothing is posted for nothing.

    Terms that are no fixed fee any more earn nothing by cost: what was recognised is taken back.

    cause: `{source}:{kind}:{id}:{revision}:progress:{ordinal}`, the event's id. Returns whether it was used.
    """
    engagement, contract, effects = books.engagement, books.contract, books.effects
    earned = earned_to_date(contract, engagement.approved_cost)
    missing = earned - engagement.recognised
    if not missing:
        return False
    estimate = contract.estimated_cost
    terms, currency = contract.terms, contract.terms.currency
    engagement.recognised += missing
    engagement.earned += missing
    effects.revenue.append(
        RevenueEvent(
            id=cause,
            method="cost_to_cost",
            source=cause.partition(":")[0],
            entry_id=entry_id,
            revision=revision,
            engagement_id=terms.id,
            legal_entity_id=terms.legal_entity_id,
            accounting_date=date,
            amount=format_amount(missing, currency),
            currency=currency,
            lines=journal("contract_asset", "revenue", missing, currency),
            earned_to_date=format_amount(earned, currency),
            cost_to_date=format_amount(engagement.approved_cost, currency),
            estimated_cost=None if estimate is None else format_amount(estimate, currency),
        )
    )
    return True
