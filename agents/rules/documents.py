"""The ERP's documents as the rules read them: decimal text in integers, and what the shapes alone cannot refuse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ...codecs.currencies import exponent, parse_amount
from ...codecs.decimals import FX_DIGITS_MAX, FX_PLACES, parse_scaled
from ...codecs.errors import UndecodableError
from ...codecs.invoice import Invoice
from ...codecs.payment import Allocation, Payment
from ...codecs.receivable_state import InvoiceVersion, PaymentVersion, Settled
from .valuation import AMOUNT_MAX, within_limit

BILLING: Final = ":billing:"
"""What every id of a billing event holds before its number."""
ONE: Final = 10**FX_PLACES
_NAME_PARTS: Final = 3


class BilledEntry(NamedTuple):
    """The revision of a time entry or an expense that a billing event names."""

    kind: str
    source: str
    id: str
    revision: int


def billed_entry(billing_id: str) -> BilledEntry | None:
    """The entry whose billing event this is; None for a fee or a milestone, which the terms bring about."""
    parts = billing_id.rpartition(BILLING)[0].split(":", _NAME_PARTS - 1)
    if len(parts) != _NAME_PARTS or parts[1] not in {"time", "expense"}:
        return None
    entry_id, _, revision = parts[2].rpartition(":")
    return BilledEntry(parts[1], parts[0], entry_id, int(revision)) if revision.isdecimal() else None


def read_invoice(sent: Invoice) -> InvoiceVersion:
    """Read a document; raises UndecodableError naming the field that makes no sense."""
    _check_id(sent.id)
    exponent(sent.currency)
    takes_back = sent.kind == "credit_note"
    if takes_back != bool(sent.invoice_id):
        raise _refused("$.invoice_id", "a credit note names the invoice it credits, an invoice none", "send it so")
    lines: dict[str, int] = {}
    for at, line in enumerate(sent.lines):
        field = f"$.lines[{at}]"
        amount = parse_amount(line.amount, sent.currency, f"{field}.amount")
        if BILLING not in line.billing_id:
            raise _refused(f"{field}.billing_id", "it is no id of a billing event", "send the id as `billing` has it")
        if line.billing_id in lines:
            raise _refused(f"{field}.billing_id", "a line before names it too", "send one line for each billing event")
        if takes_back and amount <= 0:
            raise _refused(f"{field}.amount", "a credit note takes back nothing by it", "send an amount above zero")
        lines[line.billing_id] = amount
    tax = parse_amount(sent.tax_amount, sent.currency, "$.tax_amount")
    _check_size("$.lines", [tax, *lines.values()])
    base, rate = _base_rate(sent.currency, sent.base_currency, sent.fx_rate, "$.fx_rate")
    return InvoiceVersion(
        sent.source,
        sent.id,
        sent.revision,
        sent.engagement_id,
        sent.kind,
        sent.status == "cancelled",
        sent.number,
        sent.issued_on,
        sent.currency,
        tuple(lines.items()),
        tax,
        rate,
        base,
        sent.invoice_id,
    )


def read_payment(sent: Payment) -> PaymentVersion:
    """Read a payment; raises UndecodableError naming the field that makes no sense."""
    _check_id(sent.id)
    owed_in = sent.invoice_currency or sent.currency
    exponent(owed_in, "$.invoice_currency")
    amount = parse_amount(sent.amount, sent.currency, "$.amount")
    parts = _allocations(sent, owed_in)
    _check_size("$.allocations", [amount, *(part.amount for part in parts)])
    spent = sum(part.paid for part in parts)
    if (spent > amount) if amount >= 0 else (spent < amount):
        raise _refused("$.allocations", "they add up to more than the payment", "allocate at most its amount")
    base, rate = _base_rate(sent.currency, sent.base_currency, sent.fx_rate, "$.fx_rate")
    invoice_rate = rate
    if owed_in != sent.currency:
        _, invoice_rate = _base_rate(owed_in, sent.base_currency, sent.invoice_fx_rate, "$.invoice_fx_rate")
    elif sent.invoice_fx_rate is not None:
        raise _refused("$.invoice_fx_rate", "invoice_currency is the payment's own", "send fx_rate alone")
    return PaymentVersion(
        sent.source,
        sent.id,
        sent.revision,
        sent.engagement_id,
        sent.status == "reversed",
        sent.received_on,
        sent.currency,
        owed_in,
        parts,
        rate,
        invoice_rate,
        base,
    )


def _allocations(sent: Payment, owed_in: str) -> tuple[Settled, ...]:
    found: dict[str, Settled] = {}
    for at, part in enumerate(sent.allocations):
        field = f"$.allocations[{at}]"
        amount = parse_amount(part.amount, owed_in, f"{field}.amount")
        if part.invoice_id in found:
            raise _refused(f"{field}.invoice_id", "an allocation before names it too", "send one for each invoice")
        found[part.invoice_id] = Settled(part.invoice_id, amount, _paid(sent, part, owed_in, amount, field))
    return tuple(found.values())


def _paid(sent: Payment, part: Allocation, owed_in: str, amount: int, field: str) -> int:
    """What an allocation takes of the payment, in minor units of the payment's currency."""
    if (part.paid_amount is None) != (owed_in == sent.currency):
        problem = "it says what is paid in another currency than the invoice's, and only then"
        raise _refused(f"{field}.paid_amount", problem, "send it so")
    if part.paid_amount is None:
        return amount
    return parse_amount(part.paid_amount, sent.currency, f"{field}.paid_amount")


def _base_rate(currency: str, base: str | None, text: str | None, field: str) -> tuple[str, int | None]:
    """The entity's currency, empty when it is not said, and its units for one unit of `currency`, 10^-10."""
    if (base is None) != (text is None):
        raise _refused(field, "an exchange rate and base_currency belong together", "send both, or neither")
    if base is None or text is None:
        return "", None
    exponent(base, "$.base_currency")
    rate = parse_scaled(text, FX_PLACES, field, FX_DIGITS_MAX)
    if rate <= 0 or (currency == base and rate != ONE):
        problem = f"{text[:40]!r} cannot be what one {currency} is in {base}"
        raise _refused(field, problem, "send units of base_currency for one unit")
    return base, rate


def _check_size(field: str, amounts: Iterable[int]) -> None:
    """Refuse more than an engagement can mean, so that sums are kept in 63 bits."""
    if not within_limit(sum(map(abs, amounts))):
        raise _refused(field, f"they add up to more than {AMOUNT_MAX} minor units", "check the unit of the amounts")


def _check_id(name: str) -> None:
    """Ids of the document's events are made of its id and the engagement's: a colon would let two of them meet."""
    if ":" in name:
        raise _refused("$.id", f"{name[:80]!r} holds a colon", "send the id without one")


def _refused(field: str, problem: str, fix: str) -> UndecodableError:
    return UndecodableError("invalid_field", field, problem, fix)
