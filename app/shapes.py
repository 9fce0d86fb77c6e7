"""What each stream carries: the struct of its values, and which fields make a record's key and an event's id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ..codecs.account_map import AccountMap
from ..codecs.accrual import AccrualEvent
from ..codecs.approval import Approval
from ..codecs.assignment import Assignment
from ..codecs.audit import AuditRecord
from ..codecs.billing import BillingEvent
from ..codecs.engagement import Engagement
from ..codecs.exception import ExceptionEvent
from ..codecs.expense import Expense
from ..codecs.figures import EngagementFigures
from ..codecs.forecast import AssignmentForecast, Utilisation
from ..codecs.fx_rate import FxRate
from ..codecs.invoice import Invoice
from ..codecs.payment import Payment
from ..codecs.period import Period
from ..codecs.posting_state import PostingState
from ..codecs.rate_card import RateCard
from ..codecs.re_drive import ReDrive
from ..codecs.resource import Resource
from ..codecs.revenue import RevenueEvent
from ..codecs.time_entry import TimeEntry
from ..codecs.wire import decoder


@dataclass(frozen=True, slots=True)
class Shape:
    """How values of one stream are read and named. key: fields joined by `/`; event_id: fields joined by `:`.

    optional: a last field of both, left out of them where it is empty.
    """

    struct: type[msgspec.Struct]
    key: tuple[str, ...]
    event_id: tuple[str, ...]
    decode: Callable[[bytes | None], Any]
    optional: str = ""

    def key_of(self, value: object) -> bytes:
        """Key of the record that carries a value."""
        return "/".join(self._named(value, self.key)).encode()

    def event_id_of(self, value: object) -> str:
        """CloudEvents id of a value: the same revision of the same object has the same id."""
        return ":".join(self._named(value, self.event_id))

    @property
    def key_text(self) -> str:
        """The key rule in words, such as `{legal_entity_id}/{id}`."""
        return "/".join(f"{{{field}}}" for field in self.key) + (f"[/{{{self.optional}}}]" if self.optional else "")

    def _named(self, value: object, fields: tuple[str, ...]) -> list[str]:
        parts = [str(getattr(value, field)) for field in fields]
        last = getattr(value, self.optional) if self.optional else ""
        return [*parts, str(last)] if last else parts


def _shape(struct: type[msgspec.Struct], key: str, event_id: str, optional: str = "") -> Shape:
    return Shape(struct, tuple(key.split()), tuple(event_id.split()), decoder(struct), optional)


SHAPES: Final[dict[str, Shape]] = {
    "time-entries": _shape(TimeEntry, "engagement_id", "source id revision"),
    "expenses": _shape(Expense, "engagement_id", "source id revision"),
    "approvals": _shape(Approval, "engagement_id", "source entry_type entry_id entry_revision level sequence target"),
    "engagements": _shape(Engagement, "id", "source id revision"),
    "assignments": _shape(Assignment, "engagement_id", "source id revision"),
    "invoices": _shape(Invoice, "engagement_id", "source engagement_id id revision"),
    "payments": _shape(Payment, "engagement_id", "source engagement_id id revision"),
    "rate-cards": _shape(RateCard, "id version", "id version"),
    "resources": _shape(Resource, "id", "id revision"),
    "fx-rates": _shape(FxRate, "base quote valid_from", "base quote valid_from revision", "rate_type"),
    "periods": _shape(Period, "legal_entity_id id", "legal_entity_id id revision"),
    "account-maps": _shape(AccountMap, "legal_entity_id version", "legal_entity_id version"),
    "billing": _shape(BillingEvent, "engagement_id", "id"),
    "accruals": _shape(AccrualEvent, "engagement_id", "id"),
    "revenue": _shape(RevenueEvent, "engagement_id", "id"),
    "exceptions": _shape(ExceptionEvent, "engagement_id", "id"),
    "assignment-forecasts": _shape(AssignmentForecast, "resource_id", "assignment_source assignment_id revision week"),
    "utilisation": _shape(Utilisation, "resource_id", "resource_id week"),
    "posting-states": _shape(PostingState, "billing_id", "billing_id"),
    "audit": _shape(AuditRecord, "task", "task sequence"),
    "re-drives": _shape(ReDrive, "letter", "letter number"),
    "engagement-figures": _shape(EngagementFigures, "engagement_id", "engagement_id"),
}
"""By stream. Dead letters carry other streams' bytes, and the changelog is the tasks' own: both have no shape."""
