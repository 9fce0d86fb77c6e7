"""Values the rules take, in their own units, and one entry with its ledger to settle again and again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec

from billtide.agents.rules.approval import decide
from billtide.agents.rules.books import Books
from billtide.agents.rules.calendar import Calendar
from billtide.agents.rules.contract import Contract
from billtide.agents.rules.effects import Effects
from billtide.agents.rules.pricing import RateBook
from billtide.agents.rules.settlement import settle, supersede
from billtide.codecs import engagement as engagements
from billtide.codecs import fx_rate as fx_rates
from billtide.codecs import period as periods
from billtide.codecs import rate_card as rate_cards
from billtide.codecs import resource as resources
from billtide.codecs.decimals import FX_PLACES, parse_scaled
from billtide.codecs.entry_state import Approvals, Decision, EntryState, EntryVersion
from billtide.codecs.records import EngagementState
from billtide.tables.reference import FxTable

from .. import builders as records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billtide.agents.rules.valuation import Missing
    from billtide.codecs.resource import ParsedResource

DAY = dt.date(2026, 11, 20)
MILLION = 10**6
HOLDERS = {
    "entry": EntryVersion("time", "psa", "1", 1, "submitted", "E1", "R1", DAY, 8 * MILLION, "hour", True, "analyst", "", "", "", "", None, 0, ""),
    "expense": EntryVersion("expense", "psa", "1", 1, "submitted", "E1", "R1", DAY, MILLION, "unit", True, "", "", "travel", "", "", None, 10_000, "EUR"),
}  # fmt: skip


def _read(decode: Any, value: records.Object) -> Any:
    return decode(msgspec.json.encode(value))


def terms(**changes: object) -> engagements.Engagement:
    """Terms of a time and materials engagement in EUR."""
    return _read(engagements.decode, records.engagement(**changes))


def card(**changes: object) -> rate_cards.ParsedCard:
    """A shared card as the rules read it."""
    return rate_cards.parse(_read(rate_cards.decode, records.rate_card(**changes)))


def person(**changes: object) -> ParsedResource:
    """A resource as the rules read it."""
    return resources.parse(_read(resources.decode, records.resource(**changes)))


def period(**changes: object) -> periods.Period:
    """An accounting period."""
    return _read(periods.decode, records.period(**changes))


YEAR = period(id="2026", start_date="2026-01-01", end_date="2026-12-31")


def contract(
    *,
    cards: Iterable[Iterable[rate_cards.ParsedCard]] | None = None,
    calendar: Iterable[periods.Period] = (YEAR,),
    **changes: object,
) -> Contract:
    """A contract under which an analyst is 100 EUR an hour and 2026 is open."""
    agreed = terms(**changes)
    book = RateBook(agreed, ((card(),),) if cards is None else cards)
    return Contract(agreed, book, Calendar(calendar, agreed.policies))


def version(**changes: object) -> EntryVersion:
    """8 hours of R1 as an analyst, submitted."""
    return msgspec.structs.replace(HOLDERS["entry"], **changes)


def expense(**changes: object) -> EntryVersion:
    """An expense of 100 EUR, submitted."""
    return msgspec.structs.replace(HOLDERS["expense"], **changes)


class Known:
    """The rules' Lookups over plain dicts."""

    def __init__(
        self, *people: ParsedResource, rates: dict[str, int | None] | None = None, fx: Iterable[records.Object] = ()
    ) -> None:
        self.people = {known.id: known for known in people}
        self.rates = rates or {}
        self.fx: dict[tuple[str, str, str], FxTable] = {}
        for rate in fx:
            read = _read(fx_rates.decode, rate)
            table = self.fx.setdefault((read.base, read.quote, read.rate_type), FxTable())
            table.put(
                read.valid_from,
                read.valid_to or read.valid_from,
                parse_scaled(read.rate, FX_PLACES, "$.rate"),
                read.revision,
            )

    def resource(self, resource_id: str) -> ParsedResource | None:
        return self.people.get(resource_id)

    def assignment_rate(self, _source: str, _engagement_id: str, assignment_id: str) -> tuple[bool, int | None]:
        return assignment_id in self.rates, self.rates.get(assignment_id)

    def volume(self, _version: EntryVersion, _account: str) -> tuple[int, int]:
        return 0, 0

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        table = self.fx.get((base, quote, rate_type))
        return None if table is None else table.on(date)


KNOWN = Known(person())


class Ledger:
    """One engagement and its entries, settled after every change; effects since the last clear()."""

    def __init__(self, under: Contract | None = None, known: Known = KNOWN) -> None:
        self.contract = under or contract()
        self.known = known
        self.engagement = EngagementState("E1")
        self.entries: dict[str, EntryState] = {}
        self.approvals: dict[str, Approvals] = {}
        self.effects = Effects()

    def send(self, sent: EntryVersion) -> Missing | None:
        """Take a version of an entry in."""
        entry = self.entries.get(sent.id)
        if entry is None:
            self.entries[sent.id] = EntryState(sent)
        else:
            supersede(entry, sent)
        return self.settle(sent.id)

    def decide(
        self, verdict: Any, revision: int = 1, *, entry: str = "1", level: Any = "manager", sequence: int = 1
    ) -> Missing | None:
        """Take a decision in."""
        decide(self.approvals.setdefault(entry, Approvals()), Decision(revision, level, sequence, verdict))
        return self.settle(entry)

    def settle(self, entry: str = "1") -> Missing | None:
        """Settle an entry with what is known now."""
        books = Books(self.engagement, self.contract, self.known, self.effects)
        return settle(self.entries[entry], self.approvals.get(entry), books)

    def clear(self) -> None:
        """Forget the effects so far."""
        self.effects = Effects()

    def ids(self) -> list[str]:
        """Ids of all effects."""
        return [event.id for event in (*self.effects.billing, *self.effects.accruals, *self.effects.revenue)]

    def billed(self) -> list[tuple[str, str]]:
        """What each billing event did, and how much."""
        return [(event.action, event.amount) for event in self.effects.billing]

    def accrued(self) -> list[tuple[str, str, str]]:
        """What each accrual did: its kind, its action, the amount debited to which account."""
        return [
            (event.kind, event.action, f"{event.lines[0].amount} {event.lines[0].account}")
            for event in self.effects.accruals
        ]
