"""An assignment: a person planned on an engagement, in hours a week."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from .wire import DecimalText, Id, OptionalId, Revision, Wire, decoder

TYPE: Final = "billtide.assignment.v1"


class PlannedWeek(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Planned hours in the week that begins on Monday `week`."""

    week: dt.date
    hours: DecimalText


class Assignment(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Who is planned where, when and at which rate. Identity is (source, id); key is engagement_id.

    A cancelled assignment is the tombstone. `rate` is the billing rate per hour agreed for this person here.
    """

    source: Id
    id: Id
    revision: Revision
    engagement_id: Id
    resource_id: Id
    role: OptionalId = ""
    booking: Literal["hard", "soft"] = "hard"
    status: Literal["active", "cancelled"] = "active"
    rate: DecimalText | None = None
    weeks: tuple[PlannedWeek, ...] = ()


decode: Final = decoder(Assignment)
