"""Correction of what is billed: by reversal and a new charge, or by a line of the difference.

`reverse_and_rebill` is what settlement does by itself. Under `adjust`, and whatever the policy once the entry stands on
invoices, the charge stays, and a correction adds one line
that names it: amount is the new price less what is billed, shown as one unit at that rate, so that it is exact.
Charge and adjusting lines sum to the price of the version that counts (M1). What is withdrawn later is reversed line by
line as it was billed, so the charge's own version and price are kept beside the entry's.

Only a whole charge is adjusted, on the customer and legal entity it was made for. Otherwise settlement reverses and
rebills: where the customer no longer pays, where the charge is in parts or paid by several customers, and under caps,
so that room is given and taken in one place. Source of the form: TigerBeetle, correcting transfers.
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
from .accounts import category_of, numbered
from .books import Books
from .cap import left_open
from .dates import posting_days
from .differences import same_money, same_price
from .rounding_groups import with_next_line
from .valuation import Missing, Value


def to_adjust(entry: EntryState, wanted: EntryVersion | None, value: Value | None, books: Books) -> Adjusted | None:
    """The charge that the wanted version's value differs from and leaves standing; None where there is none."""
    live = [part for part in entry.charges if part.live]
    if entry.price is None or left_open(entry) or not live or (len(live) > 1 and entry.adjusted is None):
        return None
    terms, posted = books.contract.terms, entry.posted or entry.latest
    if wanted is None or value is None or value.price is None:
        return None
    # What cannot be posted now is reversed and waits: a charge must not stand without its cost.
    if isinstance(posting_days(value, wanted, books.contract, costed=False), Missing):
        return None
    if (live[0].customer_id, live[0].legal_entity_id) != (terms.customer_id, terms.legal_entity_id):
        return None
    if (
        books.contract.limits
        or books.contract.holds_overage
        or books.contract.funding is not None
        or live[0].funded_by
        or (same_money(posted, wanted) and same_price(entry, value, terms))
    ):
        return None
    return entry.adjusted or Adjusted(posted, entry.price)


def adjust(
    entry: EntryState,
    books: Books,
    charged: Adjusted,
    wanted: EntryVersion,
    price: Price,
    trace: tuple[TraceStep, ...],
    date: dt.date,
) -> None:
    """Bill the difference to the wanted version's price in a line that names the charge."""
    engagement = books.engagement
    parts = tuple(part for part in entry.charges if part.live)
    part = _next(parts[-1], wanted, price.amount - entry.approved_value, date, books.contract.terms)
    part = numbered(part, ledger.EARNED, category_of(wanted), books.contract.accounts)
    charged = with_next_line(charged, parts, price.residue, books)
    version, shown = _shown(charged, part, len(parts))
    source = ledger.charge_id(charged.version, charged.price, parts[0], books)
    currency = price.currency
    billed, due = format_amount(entry.approved_value, currency), format_amount(price.amount, currency)
    steps: tuple[TraceStep, ...] = (
        TraceStep("price", due, f"revision {wanted.revision}"),
        TraceStep("billed", billed, source),
    )
    if price.residue is not None:
        steps = *steps, TraceStep("residue", price.residue, "minor units the price lacks to quantity x rate")
    ledger.adjust(version, shown, (*trace, *steps), part, source, books)
    entry.charges, entry.price, entry.adjusted = (*parts, part), price, charged
    entry.approved_value += part.amount
    engagement.approved_value += part.amount
    engagement.billed += part.amount
    engagement.earned += part.amount
    if wanted.kind == "expense":
        engagement.billed_expenses += part.amount


def as_billed(entry: EntryState, part: Posted, stands: EntryVersion) -> tuple[EntryVersion, Price]:
    """Version and price that a billed part shows, for its reversal; `stands` is the version whose postings stand."""
    if entry.adjusted is None:
        return stands, price_of(entry)
    charged, at = entry.adjusted, [each for each in entry.charges if each.live].index(part)
    return _shown(charged, part, at) if at else (charged.version, charged.price)


def price_of(entry: EntryState) -> Price:
    """The price of what stands; an entry that was charged or held has one."""
    if entry.price is None:
        message = f"entry {entry.latest.source}:{entry.latest.id} has charges and no price"
        raise AssertionError(message)
    return entry.price


def _shown(charged: Adjusted, part: Posted, at: int) -> tuple[EntryVersion, Price]:
    """An adjusting line, the first, second and so on, is one unit at a rate of its amount, else as the charge."""
    version = structs.replace(charged.version, quantity=10**RATE_PLACES, unit="unit")
    residue = charged.residues[at - 1] if at <= len(charged.residues) else None
    rate = part.amount * 10 ** (RATE_PLACES - exponent(part.currency))
    return version, Price(rate, "unit", part.amount, part.currency, charged.price.rounding, None, residue=residue)


def _next(last: Posted, wanted: EntryVersion, amount: int, date: dt.date, terms: Engagement) -> Posted:
    ordinal = ledger.next_ordinal(last, wanted.revision)
    return Posted(wanted.revision, ordinal, amount, last.currency, date, terms.legal_entity_id, terms.customer_id)
