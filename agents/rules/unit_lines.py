"""Lines of one unit: what the customer is billed that no entry causes, such as a fee, a milestone, a rounding."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from ...codecs.billing import BillingEvent
from ...codecs.currencies import format_amount
from ...codecs.engagement import ContractType, Rounding
from ...codecs.entry_state import Posted
from ...codecs.revenue import RevenueEvent
from .ledger import EARNED, journal


class Origin(NamedTuple):
    """By which terms a line arises: where they come from, of which engagement, their contract type and rounding."""

    source: str
    engagement_id: str
    contract_type: ContractType
    rounding: Rounding


def unit_line(name: str, posted: Posted, origin: Origin, unit: str, work_date: dt.date) -> BillingEvent:
    """The charge of a posting, with the id `name`: a fee, one unit, whose rate is the amount."""
    text = format_amount(posted.amount, posted.currency)
    return BillingEvent(
        id=name,
        kind="fee",
        action="charge",
        source=origin.source,
        entry_id=origin.engagement_id,
        revision=posted.revision,
        engagement_id=origin.engagement_id,
        customer_id=posted.customer_id,
        legal_entity_id=posted.legal_entity_id,
        contract_type=origin.contract_type,
        work_date=work_date,
        accounting_date=posted.accounting_date,
        quantity="1",
        unit=unit,
        rate=text,
        rate_unit=unit,
        amount=text,
        currency=posted.currency,
        rounding=origin.rounding,
    )


def unit_revenue(name: str, posted: Posted, origin: Origin) -> RevenueEvent:
    """Revenue that is earned with the charge of a posting, with the id `name`."""
    return RevenueEvent(
        id=name,
        method="as_billed",
        source=origin.source,
        entry_id=origin.engagement_id,
        revision=posted.revision,
        engagement_id=origin.engagement_id,
        legal_entity_id=posted.legal_entity_id,
        accounting_date=posted.accounting_date,
        amount=format_amount(posted.amount, posted.currency),
        currency=posted.currency,
        lines=journal(*EARNED, posted.amount, posted.currency, posted.numbers),
    )
