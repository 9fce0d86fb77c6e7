"""Correction of what is billed: by reversal and a new charge, or by a line of the difference.

`reverse_and_rebill` is what settlement does by itself. Under `adjust` the charge stays, and a correction adds one line
that names it: amount is the new price less what is billed, shown as one unit at that rate, so that it is exact.
Charge and adjusting lines sum to the price of the version that counts (M1). What is withdrawn later is reversed line by
line as it was billed, so the charge's own version and price are kept beside the entry's.

Only a whole charge is adjusted, on the customer and legal entity it was made for. Otherwise settlement reverses and
rebills: where the customer no longer pays, where the charge is split or held by a cap, and where the price rises under
a cap, so that room is given in one place. Source of the form: TigerBeetle, correcting transfers.
"""

from __future__ import annotations

import datetime as dt

from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.currencies import exponent, format_amount
from ...codecs.decimals import RATE_PLACES
from ...codecs.engagement import Engagement
from ...codecs.entry_state import Adjusted, EntryState, EntryVersion, Posted, Price
from . import ledger
from .books import Books
from .valuation import Missing, Value, value_of


def to_adjust(entry: EntryState, wanted: EntryVersion, books: Books) -> Adjusted | None:
    """The charge that a correction to the wanted version leaves standing; None where it has to be reversed."""
    live = [part for part in entry.charges if part.live]
    if entry.price is None or entry.held_value or not live or (len(live) > 1 and entry.adjusted is None):
        return None
    value = value_of(wanted, books.contract, books.lookups)
    terms, source = books.contract.terms, live[0]
    if isinstance(value, Missing) or value.price is None:
        return None
    if (source.customer_id, source.legal_entity_id) != (terms.customer_id, terms.legal_entity_id):
        return None
    if books.contract.cap is not None and value.price.amount > entry.approved_value:
        return None
    return entry.adjusted or Adjusted(entry.posted or entry.latest, entry.price)


def adjust(entry: EntryState, books: Books, charged: Adjusted, wanted: EntryVersion, value: Value) -> None:
    """Bill the difference to the wanted version's value in a line that names the charge."""
    price = value.price
    if price is None:
        message = f"entry {wanted.source}:{wanted.id} is adjusted and has no price"
        raise AssertionError(message)
    engagement = books.engagement
    parts = tuple(part for part in entry.charges if part.live)
    part = _next(parts[-1], wanted, price.amount - entry.approved_value, value.accounting_date, books.contract.terms)
    version, shown = _shown(charged, part)
    source = ledger.charge_id(charged.version, charged.price, parts[0], books)
    currency = price.currency
    billed, due = format_amount(entry.approved_value, currency), format_amount(price.amount, currency)
    trace = (*value.trace, TraceStep("price", due, f"revision {wanted.revision}"), TraceStep("billed", billed, source))
    ledger.adjust(version, shown, trace, part, source, books)
    entry.charges, entry.price, entry.adjusted = (*parts, part), price, charged
    entry.approved_value += part.amount
    engagement.approved_value += part.amount
    engagement.billed += part.amount
    engagement.earned += part.amount
    if wanted.kind == "expense":
        engagement.billed_expenses += part.amount


def as_billed(entry: EntryState, part: Posted, stands: EntryVersion) -> tuple[EntryVersion, Price]:
    """Version and price that a billed part shows, for its reversal; `stands` is the version whose postings stand."""
    if entry.price is None:
        message = f"entry {entry.latest.source}:{entry.latest.id} has charges and no price"
        raise AssertionError(message)
    if entry.adjusted is None:
        return stands, entry.price
    first = next(part for part in entry.charges if part.live)
    return (entry.adjusted.version, entry.adjusted.price) if part is first else _shown(entry.adjusted, part)


def _shown(charged: Adjusted, part: Posted) -> tuple[EntryVersion, Price]:
    """An adjusting line is one unit at a rate of its amount, and of the charge in all else."""
    version = structs.replace(charged.version, quantity=10**RATE_PLACES, unit="unit")
    rate = part.amount * 10 ** (RATE_PLACES - exponent(part.currency))
    return version, Price(rate, "unit", part.amount, part.currency, charged.price.rounding, None)


def _next(last: Posted, wanted: EntryVersion, amount: int, date: dt.date, terms: Engagement) -> Posted:
    ordinal = ledger.next_ordinal(last, wanted.revision)
    return Posted(wanted.revision, ordinal, amount, last.currency, date, terms.legal_entity_id, terms.customer_id)
