"""An accounting period of a legal entity: what may be posted to when."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from .wire import Id, Revision, Wire, decoder

TYPE: Final = "billtide.period.v1"

PeriodStatus = Literal["future", "open", "closed"]


class Period(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Key is `{legal_entity_id}/{id}`. Dates are both included; nothing is posted to a future or closed period."""

    legal_entity_id: Id
    id: Id
    revision: Revision
    start_date: dt.date
    end_date: dt.date
    status: PeriodStatus


decode: Final = decoder(Period)
