"""What a task remembers between units of work only to be quick: contracts, compiled from terms and reference data.

And who claims room under caps that are tight.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from msgspec import structs

from ..codecs.decimals import RATE_PLACES, parse_scaled
from ..codecs.engagement import ContractType, Engagement
from ..codecs.entry_state import EntryVersion
from ..codecs.records import EngagementState
from ..codecs.resource import ParsedResource
from ..tables.keys import key_of
from ..tables.reference import Reference
from .claims import Claims
from .rules.accounts import Accounts
from .rules.calendar import Calendar
from .rules.contract import Contract
from .rules.pricing import RateBook

if TYPE_CHECKING:
    from .work import Work


class Contexts:
    """Contracts by engagement, with the rate books and calendars they share.

    Lost with the task's memory, and with every change of reference data; made again when asked for. Shared, because
    a firm has thousands of engagements and few cards: what they share stays in the processor's cache.
    claims: on the room under caps, by engagement (see rooms.py); they do not depend on reference data.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._contracts: dict[str, Contract] = {}
        self._books: dict[tuple[tuple[tuple[str, int], ...], ...], RateBook] = {}
        self._calendars: dict[tuple[str, str, bool], Calendar] = {}
        self._accounts: dict[tuple[str, ContractType, str, str, bool, bool], Accounts] = {}
        self._reference_version = -1
        self.claims: Final[dict[str, Claims]] = {}

    def contract(self, engagement: EngagementState, reference: Reference) -> Contract | None:
        """An engagement's terms as of now; None while they are unknown."""
        terms = engagement.terms
        if terms is None:
            return None
        if reference.version != self._reference_version:
            self._forget(reference.version)
        known = self._contracts.get(engagement.id)
        if known is None or known.terms.revision != terms.revision:
            known = self._contracts[engagement.id] = self.compiled(terms, reference)
        return known

    def compiled(self, terms: Engagement, reference: Reference) -> Contract:
        """Read terms with the cards and periods that go with them; raises UndecodableError naming a wrong field."""
        if reference.version != self._reference_version:
            self._forget(reference.version)
        book = self._book(terms, reference)
        entity = terms.legal_entity_id
        calendar, accounts = self.calendar(entity, terms, reference), self.accounts(entity, terms, reference)
        return Contract(terms, book, calendar, OtherEntities(self, terms, reference), accounts=accounts)

    def _forget(self, reference_version: int) -> None:
        self._contracts.clear()
        self._books.clear()
        self._calendars.clear()
        self._accounts.clear()
        self._reference_version = reference_version

    def _book(self, terms: Engagement, reference: Reference) -> RateBook:
        """The engagement's own book if it has rates of its own, else the one of all with the same cards."""
        cards = reference.cards_for(terms)
        if terms.rates:
            return RateBook(terms, cards)
        key = tuple(tuple((card.id, card.version) for card in group) for group in cards)
        book = self._books.get(key)
        if book is None:
            book = self._books[key] = RateBook(terms, cards)
        return book

    def calendar(self, entity_id: str, terms: Engagement, reference: Reference) -> Calendar:
        """Calendar of a legal entity, with the terms' policies for closed periods and for dates."""
        policies = terms.policies
        key = entity_id, policies.closed_period, policies.accounting_date == "period_end"
        calendar = self._calendars.get(key)
        if calendar is None:
            periods = reference.periods.get(entity_id, {}).values()
            calendar = self._calendars[key] = Calendar(periods, policies)
        return calendar

    def accounts(self, entity_id: str, terms: Engagement, reference: Reference) -> Accounts | None:
        """Account numbers of a legal entity for these terms; None where all are posted by name.

        Shared by contracts of a type in a practice.
        """
        unmapped, buys = terms.policies.unmapped_account, entity_id == terms.legal_entity_id
        maps = reference.account_maps.get(entity_id, {})
        if not maps and unmapped == "abstract_name":
            return None
        charged = terms.policies.intercompany is not None
        key = entity_id, terms.contract_type, terms.practice, unmapped, buys, charged
        accounts = self._accounts.get(key)
        if accounts is None:
            accounts = self._accounts[key] = Accounts(maps.values(), terms, sells=not buys)
        return accounts


class OtherEntities:
    """What one contract asks about legal entities other than its own, looked up when it asks."""

    def __init__(self, contexts: Contexts, terms: Engagement, reference: Reference) -> None:
        """Look up by these terms, as long as neither they nor the reference data change."""
        self._contexts = contexts
        self._terms = terms
        self._reference = reference
        self._books: dict[tuple[str, str], RateBook] = {}

    def calendar(self, entity_id: str) -> Calendar:
        """Its accounting calendar, with the contract's policy for closed periods."""
        return self._contexts.calendar(entity_id, self._terms, self._reference)

    def accounts(self, entity_id: str) -> Accounts | None:
        """Its account numbers for the contract; None where all are posted by name."""
        return self._contexts.accounts(entity_id, self._terms, self._reference)

    def transfer_book(self, entity_id: str, currency: str) -> RateBook:
        """Rates in a currency at which it charges the contract's entity."""
        book = self._books.get((entity_id, currency))
        if book is None:
            cards = self._reference.transfer_cards(entity_id, self._terms.legal_entity_id, currency)
            book = self._books[entity_id, currency] = RateBook(structs.replace(self._terms, rates=()), cards)
        return book


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
        state = table.get(key_of(table.tag, "assignment", source, engagement_id, assignment_id))
        if state is None:
            return False, None
        rate = state.latest.rate
        return True, None if rate is None else parse_scaled(rate, RATE_PLACES, "$.rate")

    def volume(self, version: EntryVersion, account: str) -> tuple[int, int]:
        """Volume of an account without this entry: what is ordered before it, and all of it."""
        return self._state.volumes.reached(version, account)

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        """Units of quote for one unit of base on a date, 10^-10."""
        return self._reference.fx_rate(base, quote, date, rate_type)
