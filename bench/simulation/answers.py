"""What the ERP answers: invoices, credit notes and payments, cancelled, reversed and changed, before what they name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING

import msgspec

from billtide.app.demo.happenings import Thing
from billtide.codecs.expense import Expense
from billtide.codecs.invoice import Invoice, InvoiceLine
from billtide.codecs.payment import Allocation, Payment
from billtide.codecs.time_entry import TimeEntry

from .agreed import money, rarely

if TYPE_CHECKING:
    from billtide.codecs.engagement import Engagement

    from .sales import Sold

INVOICES_MAX = 3
DAYS = tuple(dt.date(2025, month, day) for month in (9, 10, 11, 12) for day in (1, 30))
RATES = ("0.913", "1.0869565217", "155.02")
BASE = "CHF"
"""Currency of the legal entities, which is no contract's."""


def documents(chance: Random, sold: Sold, entered: Iterable[Thing]) -> Iterator[tuple[float, Thing]]:
    """Every revision of every document with its moment, which is any to that of what it names."""
    billed: dict[str, list[str]] = {}
    for entry in entered:
        if isinstance(entry, TimeEntry | Expense):
            kind = "time" if isinstance(entry, TimeEntry) else "expense"
            name = f"{entry.source}:{kind}:{entry.id}:{entry.revision}:billing:0"
            billed.setdefault(entry.engagement_id, []).append(name)
    for terms in sold.engagements:
        if rarely(chance, 3):
            continue
        names = [*billed.get(terms.id, ()), f"crm:fee:{terms.id}:2025-09-01:billing:0"]
        rate = chance.choice((None, None, *RATES))  # all documents say one, or none does
        for number in range(chance.randint(1, INVOICES_MAX)):
            yield from _sent(chance, _invoice(chance, terms, number, names, rate))
        for number in range(chance.randrange(3)):
            yield from _sent(chance, _credit_note(chance, terms, number, names, rate))
        for number in range(chance.randrange(5)):
            yield from _sent(chance, _payment(chance, terms, number, rate))


def _sent(chance: Random, first: Invoice | Payment) -> Iterator[tuple[float, Thing]]:
    """A document and its later revisions: another status, other amounts, another day or number, or nothing else."""
    at, latest = chance.random() * 0.8, first
    for revision in range(1, chance.choice((1, 1, 2, 3)) + 1):
        if revision > 1:
            latest = _changed(chance, latest, revision)
        yield at + revision * 0.05, latest


def _changed(chance: Random, latest: Invoice | Payment, revision: int) -> Invoice | Payment:
    if isinstance(latest, Payment):
        status = chance.choice(("received", "reversed"))
        return msgspec.structs.replace(
            latest, revision=revision, status=status, received_on=chance.choice((latest.received_on, *DAYS[:2]))
        )
    fields: dict[str, object] = chance.choice(
        ({"number": f"{latest.id} again"}, {"lines": latest.lines[:1]}, {"issued_on": chance.choice(DAYS)}, {})
    )
    status = chance.choice(("issued", "issued", "cancelled"))
    return msgspec.structs.replace(latest, revision=revision, status=status, **fields)


def _invoice(chance: Random, terms: Engagement, number: int, billed: list[str], rate: str | None) -> Invoice:
    """An invoice of some billing events, one of which may never be; now and then in another currency."""
    names = chance.sample(billed, min(len(billed), chance.randint(1, 5)))
    if rarely(chance, 12):
        names.append(f"psa:time:T-{terms.id}-unknown:1:billing:0")
    currency = "USD" if rarely(chance, 20) else terms.currency
    return Invoice(
        source="erp", id=f"I{number}", revision=1, engagement_id=terms.id, number=f"2025-{number}",
        issued_on=chance.choice(DAYS), currency=currency,
        lines=tuple(InvoiceLine(billing_id=name, amount=money(chance, 1, 900, currency)) for name in names),
        tax_amount=chance.choice(("0", money(chance, 1, 200, currency))),
        fx_rate=rate, base_currency=None if rate is None else BASE,
    )  # fmt: skip


def _credit_note(chance: Random, terms: Engagement, number: int, billed: list[str], rate: str | None) -> Invoice:
    """A credit of some lines of an invoice, which may be one that never comes."""
    plain = _invoice(chance, terms, number, billed, rate)
    of = f"I{chance.randrange(INVOICES_MAX)}"
    return msgspec.structs.replace(plain, id=f"C{number}", kind="credit_note", number=f"2025-C{number}", invoice_id=of)


def _payment(chance: Random, terms: Engagement, number: int, rate: str | None) -> Payment:
    """A payment of one or two invoices, or of none yet; now and then in another currency than theirs."""
    settled = chance.sample(range(INVOICES_MAX), chance.choice((0, 1, 1, 1, 2)))
    owed = terms.currency
    parts = tuple(Allocation(invoice_id=f"I{invoice}", amount=money(chance, 1, 1_500, owed)) for invoice in settled)
    plain = Payment(
        source="erp", id=f"P{number}", revision=1, engagement_id=terms.id, received_on=chance.choice(DAYS),
        amount=money(chance, 3_100, 4_000, owed), currency=owed, allocations=parts,
        fx_rate=None if rate is None else chance.choice(RATES), base_currency=None if rate is None else BASE,
    )  # fmt: skip
    if rate is None or not rarely(chance, 3):
        return plain
    paid = tuple(msgspec.structs.replace(part, paid_amount=money(chance, 1, 900, BASE)) for part in parts)
    return msgspec.structs.replace(
        plain, currency=BASE, amount=money(chance, 2_000, 3_000, BASE), allocations=paid, fx_rate="1",
        invoice_currency=owed, invoice_fx_rate=chance.choice(RATES),
    )  # fmt: skip
