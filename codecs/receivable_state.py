"""What is kept of the ERP's documents between events: their versions and what of them stands. Changelog shapes."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from .entry_state import Posted
from .exception import HoldReason


class InvoiceVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One revision of an invoice or a credit note, in units of the rules.

    lines: billing id and minor units; fx_rate: 10^-10 of base_currency, None without one.
    """

    source: str
    id: str
    revision: int
    engagement_id: str
    document: Literal["invoice", "credit_note"]
    cancelled: bool
    number: str
    issued_on: dt.date
    currency: str
    lines: tuple[tuple[str, int], ...]
    tax: int
    fx_rate: int | None
    base_currency: str
    invoice_id: str

    @property
    def kind(self) -> Literal["invoice"]:
        """What kind of record it is: ids of both documents share one space."""
        return "invoice"

    @property
    def cause(self) -> str:
        """How the ids of its events begin."""
        return f"{self.source}:invoice:{self.id}:{self.engagement_id}:{self.revision}"

    @property
    def on(self) -> dt.date:
        """The day it is posted on, as far as the calendar allows."""
        return self.issued_on

    @property
    def sign(self) -> int:
        """A credit note takes back."""
        return -1 if self.document == "credit_note" else 1

    @property
    def net(self) -> int:
        """What it adds to what is invoiced: minor units without tax, below zero for a credit."""
        return self.sign * sum(amount for _, amount in self.lines)

    @property
    def gross(self) -> int:
        """What it adds to what the customer owes."""
        return self.net + self.sign * self.tax


class InvoiceState(msgspec.Struct, array_like=True, gc=False):
    """A document. stands: the version whose posting stands, None when nothing does; posted: its number, also later.

    paid and credited: what settles it, minor units by the id of the payment or credit note; written_off: what of a
    credit note that stands is lost revenue.
    """

    latest: InvoiceVersion
    stands: InvoiceVersion | None = None
    posted: Posted | None = None
    paid: dict[str, int] = {}
    credited: dict[str, int] = {}
    hold: HoldReason | None = None
    hold_ordinal: int = 0
    written_off: int = 0

    @property
    def open(self) -> int:
        """What is still owed for it, in minor units."""
        gross = 0 if self.stands is None else self.stands.gross
        return gross - sum(self.paid.values()) - sum(self.credited.values())


class Settled(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What of a payment settles an invoice. amount: minor units of the invoice's currency; paid: of the payment's."""

    invoice_id: str
    amount: int
    paid: int


class PaymentVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One revision of a payment, in units of the rules.

    fx_rate and invoice_fx_rate: 10^-10 of base_currency, None without one.
    """

    source: str
    id: str
    revision: int
    engagement_id: str
    reversed: bool
    received_on: dt.date
    currency: str
    invoice_currency: str
    allocations: tuple[Settled, ...]
    fx_rate: int | None
    invoice_fx_rate: int | None
    base_currency: str

    @property
    def kind(self) -> Literal["payment"]:
        """What kind of record it is."""
        return "payment"

    @property
    def cause(self) -> str:
        """How the ids of its events begin."""
        return f"{self.source}:payment:{self.id}:{self.engagement_id}:{self.revision}"

    @property
    def on(self) -> dt.date:
        """The day it is posted on, as far as the calendar allows."""
        return self.received_on

    @property
    def amount(self) -> int:
        """What it settles in all, in minor units of the invoices' currency."""
        return sum(part.amount for part in self.allocations)


class FxDifference(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a payment realises, in minor units of currency: gains above zero.

    invoice_rate: since the invoice, by the change of its currency's rate; payment: between the two currencies of a
    payment that has another than the invoice.
    """

    currency: str
    invoice_rate: int
    payment: int


class PaymentState(msgspec.Struct, array_like=True, gc=False):
    """A payment. stands, posted: as of InvoiceState; fx_difference: what its posting realised."""

    latest: PaymentVersion
    stands: PaymentVersion | None = None
    posted: Posted | None = None
    fx_difference: FxDifference | None = None
    hold: HoldReason | None = None
    hold_ordinal: int = 0


class InvoicedLine(msgspec.Struct, array_like=True, gc=False):
    """A billing event that documents name: minor units by the table key of the document."""

    invoiced: dict[str, int] = {}
    credited: dict[str, int] = {}
