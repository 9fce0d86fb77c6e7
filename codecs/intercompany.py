"""Intercompany: how a legal entity charges another one for the work of its people."""

from __future__ import annotations

from typing import Literal

import msgspec

from .wire import CurrencyCode, DecimalText, Id

TransferPolicy = Literal["cost", "cost_plus", "percent_of_sale", "rate_card"]


class Intercompany(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The transfer price of work by people of another legal entity than the engagement's.

    `cost`: what it costs that entity; `cost_plus`: percent more; `percent_of_sale`: percent of what the entry is sold
    for, before caps; `rate_card`: a rate of the cards of scope `intercompany`, in `currency`, the contract's if not
    said. Expenses, and work that is not sold where percent_of_sale is agreed, are charged at cost.
    elimination_entity_id: in whose books the charge is taken out again when the firm is consolidated.
    """

    transfer_price: TransferPolicy = "cost"
    percent: DecimalText | None = None
    currency: CurrencyCode | None = None
    elimination_entity_id: Id = "elimination"
