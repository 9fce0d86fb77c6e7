"""How a contract converts between currencies: on which date, by which rates, over which steps."""

from __future__ import annotations

from typing import Literal

import msgspec

from .wire import CurrencyCode, DecimalText, OptionalId

FxDate = Literal["work_date", "approval_date", "accounting_date"]


class AgreedFxRate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A rate fixed by the terms: one unit of `base` is `rate` units of the engagement's currency, on every date."""

    base: CurrencyCode
    rate: DecimalText


class FxPolicy(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """How the currency of a cost or an expense becomes the engagement's.

    date: whose rate counts. What is not approved is converted at the work date under `approval_date`; under
    `accounting_date` the date stays that of the first posting. rate_type: which kind of rate, such as a period
    average, as the rates name it. quotation `either`: where a pair is not quoted, the amount is divided by the
    opposite quotation. base_currency: amounts in neither it nor the engagement's currency are converted into it first,
    rounded to its minor unit, then from it. agreed_rates win over everything else. A transfer price between legal
    entities is converted so too; into a currency that is not the engagement's, by rates that are not agreed.
    """

    date: FxDate = "work_date"
    rate_type: OptionalId = ""
    quotation: Literal["direct", "either"] = "direct"
    base_currency: CurrencyCode | None = None
    agreed_rates: tuple[AgreedFxRate, ...] = ()
