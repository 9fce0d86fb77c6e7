"""The loss of a fixed fee, provided at once when the estimated cost exceeds the fee.

provision = (estimated cost - fee) - (cost to date - revenue to date), at least zero: the whole loss less what of
it the ledgers show already. So cost and provision together show the whole loss from the moment it is known, the
provision is used up as the work is done, and a new estimate or fee changes it at once. Waste is no part of the
estimate and is a loss when it arises. (IAS 37.66-69; ASC 605-35-25-45 to 47.)
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from ...codecs.accrual import AccrualEvent
from ...codecs.journal import Account
from ...codecs.records import EngagementState
from .accounts import numbers_of
from .books import Books
from .contract import Contract
from .ledger import journal

LOST: Final[tuple[Account, Account]] = ("project_loss", "loss_provision")
"""Debit and credit account of the provision."""


def loss_to_provide(contract: Contract, engagement: EngagementState) -> int:
    """What should be provided for the loss to come, in minor units; cost beyond the estimate is in the ledgers."""
    fee = contract.fixed_fee
    if fee is None or fee.estimated_cost is None or not fee.provides_loss:
        return 0
    cost = engagement.approved_cost - engagement.waste_cost
    loss = fee.estimated_cost - fee.amount
    return max(0, loss - (cost - engagement.recognised)) if loss > 0 else 0


def provide_loss(date: dt.date, books: Books) -> None:
    """Post what is missing to the provision, or release what is too much, on an open date."""
    engagement, terms = books.engagement, books.contract.terms
    missing = loss_to_provide(books.contract, engagement) - engagement.loss_provision
    if not missing:
        return
    books.effects.accruals.append(
        AccrualEvent(
            id=f"{terms.source}:engagement:{terms.id}:{terms.revision}:loss:{engagement.loss_ordinal}",
            kind="loss",
            action="accrual",
            source=terms.source,
            entry_id=terms.id,
            revision=terms.revision,
            engagement_id=terms.id,
            legal_entity_id=terms.legal_entity_id,
            work_date=date,
            accounting_date=date,
            currency=terms.currency,
            lines=journal(*LOST, missing, terms.currency, numbers_of(LOST, date, books.contract.accounts)),
        )
    )
    engagement.loss_provision += missing
    engagement.loss_ordinal += 1
