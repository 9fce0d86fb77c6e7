"""Realised differences: what a payment gains or loses because exchange rates have moved since the invoice.

The first is what it settles at the payment's rate less the same at the invoice's rate, each converted and rounded once,
half up. The second is only there where it came in another currency: what came in less what it settles, both at the
payment's rates. Source: JD Edwards, realised gains and losses, with an alternate currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...codecs.billing import TraceStep
from ...codecs.currencies import EXPONENTS, format_amount
from ...codecs.decimals import FX_PLACES, format_plain
from ...codecs.receivable_state import FxDifference, InvoiceState, InvoiceVersion, PaymentVersion, Settled
from .contract import Contract
from .documents import ONE
from .money import convert
from .valuation import Missing, beyond_limit, within_limit


class Realised(NamedTuple):
    """What a payment realises, None where all is in one currency, and how it came to be."""

    difference: FxDifference | None = None
    trace: tuple[TraceStep, ...] = ()


def realise(version: PaymentVersion, invoices: Mapping[str, InvoiceState], contract: Contract) -> Realised | Missing:
    """What a payment gains or loses by exchange rates; an invoice that is cancelled has no rate to differ from."""
    base, currency, owed = version.base_currency, version.currency, version.invoice_currency
    invoice_rate = paid_rate = 0
    steps: list[TraceStep] = []
    for part in version.allocations:
        stands = invoices[part.invoice_id].stands
        rate = version.invoice_fx_rate if stands is None else _rate_of(stands, base)
        if rate is None or version.invoice_fx_rate is None or version.fx_rate is None:
            if base or currency != owed or (stands is not None and _is_foreign(stands)):
                return _no_rate(version, part)
            continue
        carried = _converted(part.amount, owed, base, rate)
        settled = _converted(part.amount, owed, base, version.invoice_fx_rate)
        received = settled if currency == owed else _converted(part.paid, currency, base, version.fx_rate)
        if not (within_limit(carried) and within_limit(settled) and within_limit(received)):
            return beyond_limit(contract)
        invoice_rate += settled - carried
        paid_rate += received - settled
        steps += [
            _step("invoice", carried, base, part.amount, owed, rate, f"invoice {part.invoice_id}"),
            _step("payment", settled, base, part.amount, owed, version.invoice_fx_rate, f"{version.received_on}"),
        ]
        if currency != owed:
            steps.append(
                _step("received", received, base, part.paid, currency, version.fx_rate, f"{version.received_on}")
            )
    if not steps or base == owed == currency:
        return Realised()
    return Realised(FxDifference(base, invoice_rate, paid_rate), tuple(steps))


def _rate_of(stands: InvoiceVersion, base: str) -> int | None:
    """Rate at which a receivable is carried in the entity's currency, 10^-10."""
    if stands.currency == base:
        return ONE
    return stands.fx_rate if base and stands.base_currency == base else None


def _is_foreign(stands: InvoiceVersion) -> bool:
    return bool(stands.base_currency) and stands.base_currency != stands.currency


def _no_rate(version: PaymentVersion, part: Settled) -> Missing:
    base = version.base_currency or "the legal entity's currency"
    return Missing(
        "fx_rate_missing",
        invoice_word(version.engagement_id, version.source, part.invoice_id),
        f"payment {version.id} and invoice {part.invoice_id} do not both say their rate to {base}; "
        "send a revision of the one that lacks it, with fx_rate and base_currency",
    )


def invoice_word(engagement_id: str, source: str, invoice_id: str) -> str:
    """What a document waits on that names an invoice."""
    return f"invoice:{engagement_id}:{source}:{invoice_id}"


def _converted(amount: int, currency: str, base: str, rate: int) -> int:
    return convert(amount, EXPONENTS[currency], EXPONENTS[base], rate, FX_PLACES)


def _step(name: str, base_amount: int, base: str, amount: int, currency: str, rate: int, of: str) -> TraceStep:
    shown = f"{format_amount(amount, currency)} {currency} at {format_plain(rate, FX_PLACES)}, {of}"
    return TraceStep(name, f"{format_amount(base_amount, base)} {base}", shown)
