"""What a task remembers between units of work only to be quick: contracts, compiled from terms and reference data."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from ..codecs.decimals import RATE_PLACES, parse_scaled
from ..codecs.engagement import Engagement
from ..codecs.records import EngagementState
from ..codecs.resource import ParsedResource
from ..tables.reference import Reference
from .rules.contract import Contract

if TYPE_CHECKING:
    from .work import Work


class _Compiled(NamedTuple):
    revision: int
    reference_version: int
    contract: Contract


class Contexts:
    """Contracts by engagement. Lost with the task's memory, made again when asked for."""

    def __init__(self) -> None:
        """Start without any."""
        self._compiled: dict[str, _Compiled] = {}

    def contract(self, engagement: EngagementState, reference: Reference) -> Contract | None:
        """Compile an engagement's terms as of now; None while they are unknown."""
        terms = engagement.terms
        if terms is None:
            return None
        known = self._compiled.get(engagement.id)
        if known is not None and known.reference_version == reference.version and known.revision == terms.revision:
            return known.contract
        contract = compile_terms(terms, reference)
        self._compiled[engagement.id] = _Compiled(terms.revision, reference.version, contract)
        return contract


def compile_terms(terms: Engagement, reference: Reference) -> Contract:
    """Read terms with the cards and periods that go with them; raises UndecodableError naming a wrong field."""
    return Contract(terms, reference.cards_for(terms), reference.periods.get(terms.legal_entity_id, {}).values())


class WorkLookups:
    """The rules' Lookups over a unit of work: its task's assignments, the worker's reference data."""

    def __init__(self, work: Work) -> None:
        """Look up in this work's state and reference data."""
        self._state = work.state
        self._reference = work.reference

    def resource(self, resource_id: str) -> ParsedResource | None:
        """The person, or None while unknown."""
        return self._reference.resources.get(resource_id)

    def assignment_rate(self, source: str, engagement_id: str, assignment_id: str) -> tuple[bool, int | None]:
        """Whether the assignment is known here, and the rate it carries."""
        table = self._state.assignments
        state = table.get(table.key(f"assignment\x1f{source}\x1f{engagement_id}\x1f{assignment_id}"))
        if state is None:
            return False, None
        rate = state.latest.rate
        return True, None if rate is None else parse_scaled(rate, RATE_PLACES, "$.rate")

    def fx_rate(self, base: str, quote: str, date: dt.date) -> int | None:
        """Units of quote for one unit of base on a date, 10^-10."""
        return self._reference.fx_rate(base, quote, date)
