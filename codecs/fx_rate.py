"""An exchange rate between two currencies for a range of dates."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .wire import CurrencyCode, DecimalText, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.fx-rate.v1"


class FxRate(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One unit of `base` is `rate` units of `quote` on each date from valid_from to valid_to, both included.

    Key is `{base}/{quote}/{valid_from}`, with `/{rate_type}` where there is one. rate_type: the kind of rate, such as
    `average` of a month, empty for the plain one; an `fx_policy` names the kind it wants. A date that no rate of that
    kind covers is unknown: what needs it is held.
    """

    base: CurrencyCode
    quote: CurrencyCode
    valid_from: dt.date
    valid_to: dt.date | None = None
    rate: DecimalText
    revision: Revision = 1
    rate_type: OptionalId = ""


decode: Final = decoder(FxRate)
