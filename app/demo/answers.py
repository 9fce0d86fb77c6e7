"""What the firm's ERP answers: invoices, credit notes and payments about a part of its engagements.

An ERP sends its documents when billing events are there. Here they are made before any is, by the ids that the events
of certain entries will have, and sent at any moment of the week: before what they name, after it, or when everything
else has come. The amounts are the ERP's own. Some documents name what never comes, and wait.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ...codecs.currencies import EXPONENTS, format_amount, parse_amount
from ...codecs.decimals import format_scaled
from ...codecs.expense import Expense
from ...codecs.invoice import Invoice, InvoiceLine
from ...codecs.payment import Allocation, Payment
from ...codecs.time_entry import TimeEntry
from .happenings import FRIDAY, MONDAY, NEXT_MONDAY, WORKDAYS, Happening, chance, happening, moment, often
from .offices import ENTITIES, PER_HUNDRED_EURO, amount_text, spread

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from ...codecs.engagement import Engagement

ANSWERED: Final = (3, 8, 12, 15, 20, 22, 28, 30, 33, 36, 41, 44, 47, 53, 59, 73, 86, 92, 99, 105)
"""Engagements that the ERP invoices: T&M, capped, fixed fee, retainer, subscription, non-billable."""
WRITTEN_OFF: Final = (8, 28, 47, 53, 73, 92)
"""Engagements on which what a credit note takes back is lost."""
INVOICES: Final = 6
LINES: Final = (1, 5)
"""Least and most billing events on an invoice."""
_FX_PLACES: Final = 6
_DAY_MINUTES: Final = 1_440


class Answer(NamedTuple):
    """A document, and whether it is sent in the week or after it."""

    document: Invoice | Payment
    is_late: bool


def answers(
    seed: int, load: Iterable[Happening], sold: tuple[Engagement, ...]
) -> tuple[list[Happening], list[Invoice | Payment]]:
    """The documents of the week with their moments, in any order to what they name; and those after it."""
    rng = chance(seed, "answers")
    billed: dict[str, dict[str, None]] = {}
    for what in load:
        if isinstance(what.thing, TimeEntry | Expense):
            billed.setdefault(what.thing.engagement_id, {})[_billing_id(what.thing)] = None
    soon: list[Happening] = []
    late: list[Invoice | Payment] = []
    for number in ANSWERED:
        terms = sold[number - 1]
        for answer in _of_engagement(rng, terms, [*billed.get(terms.id, ()), *_fees(terms)]):
            if answer.is_late:
                late.append(answer.document)
            else:
                at = moment(rng.choice(WORKDAYS), rng.randrange(8 * 60, _DAY_MINUTES), rng.randrange(60_000))
                soon.append(happening(at, answer.document))
    return soon, late


def _billing_id(entry: TimeEntry | Expense) -> str:
    """Id of the first billing event of a revision of an entry, if it has one."""
    kind = "time" if isinstance(entry, TimeEntry) else "expense"
    return f"{entry.source}:{kind}:{entry.id}:{entry.revision}:billing:0"


def _fees(terms: Engagement) -> Iterator[str]:
    """Ids of billing events that the terms bring about."""
    if terms.contract_type in {"retainer", "subscription"}:
        yield f"{terms.source}:fee:{terms.id}:{terms.start_date}:billing:0"
    if terms.contract_type == "fixed_fee" and terms.fee is not None:
        for milestone in terms.fee.milestones:
            yield f"{terms.source}:milestone:{terms.id}:{milestone.id}:1:billing:0"


def _of_engagement(rng: random.Random, terms: Engagement, billed: list[str]) -> Iterator[Answer]:
    """Each invoice with all that is answered about it; the last one names what never comes."""
    for number in range(1, INVOICES + 1):
        lines = rng.sample(billed, min(len(billed), rng.randint(*LINES)))
        if number == INVOICES:
            lines.append(f"psa:time:T-{terms.id}:1:billing:0")
        if lines:
            invoice = _invoice(rng, terms, number, lines)
            is_late = often(rng, 30)
            yield Answer(invoice, is_late)
            yield from _about(rng, terms, invoice, is_late=is_late)
    name = f"INV-{terms.id}-UNKNOWN"
    yield Answer(_payment(rng, terms, name, ((name, amount_text(10_000, terms.currency)),)), is_late=False)


def _invoice(rng: random.Random, terms: Engagement, number: int, billed: list[str]) -> Invoice:
    """An invoice of some billing events; one in ten in a currency that is not the engagement's."""
    currency = "GBP" if terms.currency != "GBP" and often(rng, 4) else terms.currency
    lines = tuple(InvoiceLine(billing_id=each, amount=amount_text(spread(rng, 60_000), currency)) for each in billed)
    invoice = Invoice(
        source="erp",
        id=f"INV-{terms.id}-{number}",
        revision=1,
        engagement_id=terms.id,
        number=f"2025-{terms.id[2:]}-{number}",
        issued_on=rng.choice((FRIDAY, NEXT_MONDAY, dt.date(2025, 11, 30))),
        currency=currency,
        lines=lines,
        tax_amount=amount_text(rng.choice((0, 7_700, 19_000)), currency),
    )
    base = _base(terms)
    if currency == base:
        return invoice
    return msgspec.structs.replace(invoice, fx_rate=_rate(rng, currency, base), base_currency=base)


def _about(rng: random.Random, terms: Engagement, invoice: Invoice, *, is_late: bool) -> Iterator[Answer]:
    """What becomes of an invoice: paid, partly paid, credited in part or whole, cancelled, sent again otherwise."""
    course = rng.choice(("paid", "paid", "in two", "in part", "reversed", "credited", "written down", "cancelled"))
    yield from _paid(rng, terms, invoice, course)
    if course == "credited":
        yield Answer(_credit_note(invoice, "C", 4), often(rng, 50))
    if course == "written down":
        note = _credit_note(invoice, "C", 1)
        yield Answer(note, often(rng, 50))
        yield Answer(msgspec.structs.replace(_credit_note(invoice, "C", 2), revision=2), is_late=True)
        if often(rng, 30):
            yield Answer(msgspec.structs.replace(note, revision=3, status="cancelled"), is_late=True)
    if course == "cancelled":
        yield Answer(msgspec.structs.replace(invoice, revision=2, status="cancelled"), is_late=True)
        if often(rng, 50):
            yield Answer(msgspec.structs.replace(invoice, revision=3, number=f"{invoice.number}-B"), is_late=True)
    if is_late and often(rng, 20):
        again = msgspec.structs.replace(invoice, revision=4, lines=invoice.lines[1:] or invoice.lines)
        yield Answer(again, is_late=True)


def _paid(rng: random.Random, terms: Engagement, invoice: Invoice, course: str) -> Iterator[Answer]:
    """Payments of an invoice: of all of it, of a part, of both parts, one of which is reversed now and then."""
    gross = _gross(invoice)
    part = gross * rng.choice((1, 2, 3)) // 4
    if course in {"paid", "written down", "cancelled"}:
        yield Answer(_pays(rng, terms, invoice, "A", gross), often(rng, 50))
    if course in {"in two", "in part", "reversed"}:
        yield Answer(_pays(rng, terms, invoice, "A", part), often(rng, 50))
    if course in {"in two", "reversed"}:
        last = _pays(rng, terms, invoice, "B", gross - part)
        yield Answer(last, often(rng, 50))
        if course == "reversed":
            yield Answer(msgspec.structs.replace(last, revision=2, status="reversed"), is_late=True)


def _credit_note(invoice: Invoice, name: str, quarters: int) -> Invoice:
    """A credit of so many quarters of an invoice's first line, of all lines with the tax where it is of four."""
    currency = invoice.currency
    lines = invoice.lines if quarters == 4 else invoice.lines[:1]  # noqa: PLR2004 - all of it
    amounts = [parse_amount(line.amount, currency, "$") * quarters // 4 for line in lines]
    credited = tuple(
        msgspec.structs.replace(line, amount=format_amount(amount, currency))
        for line, amount in zip(lines, amounts, strict=True)
    )
    return msgspec.structs.replace(
        invoice,
        id=f"{invoice.id}-{name}",
        kind="credit_note",
        number=f"{invoice.number}-{name}",
        invoice_id=invoice.id,
        lines=credited,
        tax_amount=invoice.tax_amount if quarters == 4 else "0",  # noqa: PLR2004 - all of it
    )


def _pays(rng: random.Random, terms: Engagement, invoice: Invoice, name: str, amount: int) -> Payment:
    """A payment that settles so much of an invoice, in minor units; some in another currency than the invoice's."""
    allocated = ((invoice.id, format_amount(amount, invoice.currency)),)
    paid = _payment(rng, terms, f"PAY-{invoice.id}-{name}", allocated, invoice.currency)
    return _in_other_currency(rng, terms, paid) if often(rng, 25) else paid


def _payment(
    rng: random.Random, terms: Engagement, name: str, allocated: tuple[tuple[str, str], ...], currency: str = ""
) -> Payment:
    """A payment in the engagement's currency, if no other is said; amounts by invoice."""
    currency = currency or terms.currency
    base = _base(terms)
    total = sum(parse_amount(amount, currency, "$") for _, amount in allocated)
    foreign = currency != base and not often(rng, 10)
    return Payment(
        source="erp",
        id=name,
        revision=1,
        engagement_id=terms.id,
        received_on=rng.choice((MONDAY, FRIDAY, NEXT_MONDAY)),
        amount=format_amount(total, currency),
        currency=currency,
        allocations=tuple(Allocation(invoice_id=invoice, amount=amount) for invoice, amount in allocated),
        fx_rate=_rate(rng, currency, base) if foreign else None,
        base_currency=base if foreign else None,
    )


def _in_other_currency(rng: random.Random, terms: Engagement, plain: Payment) -> Payment:
    """The same settled by money of another currency, worth about as much."""
    owed, base = plain.currency, _base(terms)
    other = rng.choice([currency for currency in PER_HUNDRED_EURO if currency != owed])
    paid = tuple(
        msgspec.structs.replace(part, paid_amount=_about_as_much(rng, part.amount, owed, other))
        for part in plain.allocations
    )
    total = sum(parse_amount(part.paid_amount or "0", other, "$") for part in paid)
    return msgspec.structs.replace(
        plain,
        currency=other,
        amount=format_amount(total, other),
        allocations=paid,
        fx_rate=_rate(rng, other, base),
        base_currency=base,
        invoice_currency=owed,
        invoice_fx_rate=_rate(rng, owed, base),
    )


def _about_as_much(rng: random.Random, amount: str, currency: str, other: str) -> str:
    """An amount of a currency in another, up to two percent more or less."""
    minor = parse_amount(amount, currency, "$")
    worth = minor * PER_HUNDRED_EURO[other] * 10 ** EXPONENTS[other] * rng.randint(98, 102)
    return format_amount(worth // (PER_HUNDRED_EURO[currency] * 10 ** EXPONENTS[currency] * 100), other)


def _rate(rng: random.Random, currency: str, base: str) -> str:
    """About what one unit of a currency is in another; one in itself."""
    if currency == base:
        return "1"
    about = PER_HUNDRED_EURO[base] * 10**_FX_PLACES // PER_HUNDRED_EURO[currency]
    return format_scaled(about * rng.randint(97, 103) // 100, _FX_PLACES)


def _base(terms: Engagement) -> str:
    """Currency of the legal entity."""
    return next(entity.currency for entity in ENTITIES if entity.id == terms.legal_entity_id)


def _gross(invoice: Invoice) -> int:
    """What the customer owes for an invoice, in minor units."""
    amounts = (invoice.tax_amount, *(line.amount for line in invoice.lines))
    return sum(parse_amount(amount, invoice.currency, "$") for amount in amounts)
