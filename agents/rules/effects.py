"""What a decision brings about: events for the output streams, in the order they were decided."""

from __future__ import annotations

import msgspec

from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent
from ...codecs.exception import ExceptionEvent
from ...codecs.figures import EngagementFigures
from ...codecs.forecast import AssignmentForecast, Utilisation
from ...codecs.posting_state import PostingState
from ...codecs.revenue import RevenueEvent


class Effects(msgspec.Struct):
    """Events of one unit of work, by stream. Rules append; the agent's work hands them out."""

    billing: list[BillingEvent] = []
    accruals: list[AccrualEvent] = []
    revenue: list[RevenueEvent] = []
    exceptions: list[ExceptionEvent] = []
    forecasts: list[AssignmentForecast] = []
    utilisation: list[Utilisation] = []
    figures: list[EngagementFigures] = []
    posting_states: list[PostingState] = []
