"""What assignments foretell: hours and labour cost per engagement, person and week; utilisation per person."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .wire import CurrencyCode, DecimalText, Id, Revision, Wire, decoder

FORECAST_TYPE: Final = "billtide.assignment-forecast.v1"
UTILISATION_TYPE: Final = "billtide.utilisation.v1"


class AssignmentForecast(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One assignment's planned hours in one week, as of its revision. Key is resource_id.

    It replaces what an earlier revision said of the same assignment and week; hours 0 takes it back.
    expected_cost is absent when no cost rate is known for the week's Monday: unknown, not zero.
    """

    assignment_source: Id
    assignment_id: Id
    revision: Revision
    engagement_id: Id
    resource_id: Id
    week: dt.date
    hours: DecimalText
    booking: str
    expected_cost: DecimalText | None = None
    currency: CurrencyCode | None = None


class Utilisation(Wire, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Planned hours of one person in one week over all engagements. Key is resource_id; the latest counts.

    percent = 100 x (hard + soft) / capacity, two places, half up; absent when the capacity is unknown.
    """

    resource_id: Id
    week: dt.date
    hard_hours: DecimalText
    soft_hours: DecimalText
    capacity_hours: DecimalText | None = None
    percent: DecimalText | None = None


decode_forecast: Final = decoder(AssignmentForecast)
