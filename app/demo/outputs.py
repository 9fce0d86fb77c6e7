"""What the workers have written, added up from the output topics alone, as a read-committed reader sees them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs import dead_letter, figures
from ...codecs.accrual import AccrualEvent
from ...codecs.billing import BillingEvent
from ...codecs.currencies import parse_amount
from ...codecs.exception import ExceptionEvent
from ...codecs.figures import EngagementFigures
from ...codecs.posting_state import PostingState
from ...codecs.revenue import RevenueEvent
from ...codecs.wire import decoder
from ..topology import TOPOLOGY
from .reading import read_streams
from .reckoning_accounts import Booked
from .reckoning_facts import EntryId
from .reckoning_intercompany import Leg
from .reckoning_receivables import Answered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...agents.work import Record
    from ...codecs.journal import Account, JournalLine
    from ..settings import Settings

_billing: Final = decoder(BillingEvent)
_accrual: Final = decoder(AccrualEvent)
_revenue: Final = decoder(RevenueEvent)
_exception: Final = decoder(ExceptionEvent)
_posting_state: Final = decoder(PostingState)
DEBITED: Final[dict[str, Account]] = {
    "intercompany_sale": "intercompany_receivable",
    "intercompany_purchase": "intercompany_cost",
    "sale_elimination": "intercompany_receivable",
    "purchase_elimination": "intercompany_cost",
}
"""Account of each journal between legal entities that what is charged debits, and its elimination credits."""
ENTRY_KINDS: Final = frozenset(("time", "expense"))
WAITING_KINDS: Final = frozenset(("time", "expense", "invoice", "payment"))
DOCUMENT_KINDS: Final = frozenset(("invoice", "payment", "write_off", "fx_difference"))
"""Kinds of accruals that documents of the ERP bring about."""

Money = Counter[tuple[str, str]]
"""Minor units by engagement and currency."""


class Charge(NamedTuple):
    """A billing line; amount in minor units."""

    engagement_id: str
    amount: int


@dataclass(slots=True)
class Written:
    """Sums of all events. charges: billing lines that are not reversed, by id; lines: those of time and of rounding.

    charged_on: days on which each entry was ever charged.

    paid_by: sums of all lines by engagement and customer; billed_entries: sum of the lines of each time entry and
    expense, in minor units; waiting: entries and documents with an open hold, by engagement and reason; answered: what
    documents have debited, by engagement, kind, account and currency; posting_states: by engagement and billing event;
    legs: what intercompany journals come to, by engagement; booked: lines of journals with their numbers, by
    engagement; unbalanced: ids of journals whose two sides differ; ids: how often each event id was read; events:
    records of each stream.
    """

    billed: Money = field(default_factory=Counter)
    fees: Money = field(default_factory=Counter)
    unbilled: Money = field(default_factory=Counter)
    rounding: Money = field(default_factory=Counter)
    earned: Money = field(default_factory=Counter)
    paid_by: dict[str, Counter[str]] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    lines: dict[str, list[BillingEvent]] = field(default_factory=dict)
    billed_entries: Counter[EntryId] = field(default_factory=Counter)
    figures: dict[str, EngagementFigures] = field(default_factory=dict)
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    answered: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    posting_states: dict[str, dict[str, Answered]] = field(default_factory=dict)
    legs: dict[str, Counter[Leg]] = field(default_factory=dict)
    booked: dict[str, set[Booked]] = field(default_factory=dict)
    charged_on: dict[EntryId, set[dt.date]] = field(default_factory=dict)
    dead_letters: Counter[str] = field(default_factory=Counter)
    unbalanced: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def duplicated(self) -> int:
        """Events whose id was read before (M4)."""
        return self.ids.total() - len(self.ids)


async def read_outputs(settings: Settings) -> Written:
    """Read every output topic to its end and add up."""
    return add_up(await read_streams(settings, [stream.name for stream in TOPOLOGY.outputs]))


def add_up(found: Mapping[str, Sequence[Record]]) -> Written:
    """Add up the records of the output streams; those of one engagement are in their order."""
    written = Written(events=Counter({name: len(batch) for name, batch in found.items()}))
    _add_billing(written, found["billing"])
    _add_accruals(written, found["accruals"])
    _add_revenue(written, found["revenue"])
    _add_waiting(written, found["exceptions"])
    _add_posting_states(written, found["posting-states"])
    for record in found["engagement-figures"]:
        state = figures.decode(record.value)
        written.figures[state.engagement_id] = state
    written.dead_letters.update(dead_letter.facts(record.headers)["reason"] for record in found["dead-letters"])
    return written


def _add_billing(written: Written, batch: Iterable[Record]) -> None:
    for record in batch:
        event = _billing(record.value)
        written.ids[event.id] += 1
        amount = parse_amount(event.amount, event.currency, event.id)
        sums = {"fee": written.fees, "rounding": written.rounding}.get(event.kind, written.billed)
        sums[event.engagement_id, event.currency] += amount
        if event.kind in {"time", "rounding"}:
            written.lines.setdefault(event.engagement_id, []).append(event)
        if event.kind in ENTRY_KINDS:
            entry_id = EntryId(event.kind, event.source, event.engagement_id, event.entry_id)
            written.billed_entries[entry_id] += amount
            if event.action == "charge":
                written.charged_on.setdefault(entry_id, set()).add(event.accounting_date)
        written.paid_by.setdefault(event.engagement_id, Counter())[event.customer_id] += amount
        if event.action == "charge":
            written.charges[event.id] = Charge(event.engagement_id, amount)
        else:
            written.charges.pop(event.reverses, None)


def _add_accruals(written: Written, batch: Iterable[Record]) -> None:
    for record in batch:
        event = _accrual(record.value)
        written.ids[event.id] += 1
        _check_balance(written, event.id, event.lines, event.currency)
        if event.kind not in DOCUMENT_KINDS:  # what the ERP has issued waits for no number
            _add_numbers(written, event)
        if event.kind in DEBITED:
            amount = _debited(event.lines, DEBITED[event.kind], event.currency)
            leg = event.kind, event.legal_entity_id, event.counterparty_id, event.currency
            written.legs.setdefault(event.engagement_id, Counter())[leg] += amount
        if event.kind == "work_in_progress":
            amount = _debited(event.lines, "work_in_progress", event.currency)
            written.unbilled[event.engagement_id, event.currency] += amount
        if event.kind in DOCUMENT_KINDS:
            for account in {line.account for line in event.lines}:
                place = event.engagement_id, event.kind, account, event.currency
                written.answered[place] += _debited(event.lines, account, event.currency)
        if event.kind == "write_off":
            written.earned[event.engagement_id, event.currency] -= _debited(event.lines, "revenue", event.currency)


def _add_revenue(written: Written, batch: Iterable[Record]) -> None:
    for record in batch:
        event = _revenue(record.value)
        written.ids[event.id] += 1
        _check_balance(written, event.id, event.lines, event.currency)
        _add_numbers(written, event)
        written.earned[event.engagement_id, event.currency] -= _debited(event.lines, "revenue", event.currency)


def _add_numbers(written: Written, event: AccrualEvent | RevenueEvent) -> None:
    booked = written.booked.setdefault(event.engagement_id, set())
    booked.update((event.legal_entity_id, line.account, line.number) for line in event.lines)


def _add_waiting(written: Written, batch: Iterable[Record]) -> None:
    """An entry's latest event says whether it waits; its events are in one partition, so in order."""
    latest: dict[tuple[str, str, str, str], ExceptionEvent] = {}
    for record in batch:
        event = _exception(record.value)
        written.ids[event.id] += 1
        latest[event.engagement_id, event.kind, event.source, event.entry_id] = event
    written.waiting.update(
        (event.engagement_id, event.reason)
        for event in latest.values()
        if event.action == "held" and event.kind in WAITING_KINDS
    )


def _add_posting_states(written: Written, batch: Iterable[Record]) -> None:
    """The latest record of a billing event says how far it has come."""
    for record in batch:
        told = _posting_state(record.value)
        written.posting_states.setdefault(told.engagement_id, {})[told.billing_id] = Answered(
            told.state,
            parse_amount(told.invoiced, told.currency, told.billing_id),
            parse_amount(told.credited, told.currency, told.billing_id),
            frozenset(told.documents),
        )


def _debited(lines: Iterable[JournalLine], account: str, currency: str) -> int:
    """What an account is debited less what it is credited, in minor units."""
    signs = {"debit": 1, "credit": -1}
    return sum(
        signs[line.side] * parse_amount(line.amount, currency, "$.lines") for line in lines if line.account == account
    )


def _check_balance(written: Written, event_id: str, lines: tuple[JournalLine, ...], currency: str) -> None:
    """Debits and credits of one journal are equal (M3)."""
    if sum(_debited(lines, account, currency) for account in {line.account for line in lines}):
        written.unbalanced.append(event_id)
