"""What is kept of an entry between events: its versions and what of it stands in the ledgers. Changelog shape."""

from __future__ import annotations

import datetime as dt

import msgspec

from .approval import ApprovalLevel, ApprovalTarget, EntryType, Verdict
from .billing import ChargeLimit
from .decimals import RATE_PLACES
from .engagement import Rounding
from .exception import HoldReason
from .time_entry import EntryStatus, ProgressExcluded
from .wire import ExpenseUnit


class SpentLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of an expense, in minor units of the currency of spend.

    amount: tax and personal part included, None when quantity x the unit price of the terms says it; quantity:
    10^-6 of `unit`; unit_price: the line's own, 10^-6 of the currency; recoverable_tax and personal: the parts
    of the amount that are no cost.
    """

    category: str
    amount: int | None
    quantity: int = 10**RATE_PLACES
    unit: ExpenseUnit = "unit"
    unit_price: int | None = None
    recoverable_tax: int = 0
    personal: int = 0


class EntryVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One revision of a time entry or expense, in units of the rules.

    quantity: 10^-6 of `unit`; amount: minor units of `currency`, as far as the expense says it; rate: the
    entry's own rate per hour, in 10^-6 of the contract's currency; billable_quantity: 10^-6 of `unit`, None when
    it is quantity; lines: of an expense that is more than an amount of one category; receipt: there is one;
    submitted_on: the day it was handed in, None where the source does not say it.
    """

    kind: EntryType
    source: str
    id: str
    revision: int
    status: EntryStatus
    engagement_id: str
    resource_id: str
    work_date: dt.date
    quantity: int
    unit: str
    billable: bool
    role: str
    grade: str
    item: str
    task_id: str
    assignment_id: str
    rate: int | None
    amount: int
    currency: str
    billable_quantity: int | None = None
    work_type: str = ""
    lines: tuple[SpentLine, ...] = ()
    receipt: bool = False
    progress_excluded: ProgressExcluded | None = None
    submitted_on: dt.date | None = None

    @property
    def cause(self) -> str:
        """How the ids of its events begin."""
        return f"{self.source}:{self.kind}:{self.id}:{self.revision}"


class FundedShare(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one of several customers pays of a bill. amount: minor units."""

    customer_id: str
    amount: int


class Posted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A posting of an entry that stands, or the last one that stood, kept so that its number is not used again.

    ordinal: tells postings of one revision apart; amount: minor units of currency; legal_entity_id and
    customer_id: of the terms it was made under, which its reversal copies; live: false once it is reversed; numbers:
    account numbers of its journal's debit and credit, which its reversal copies, () where the map has neither; of a
    document of the ERP those of each account it may name; funded_by: the shares of a bill that several customers pay,
    which sum to amount.
    """

    revision: int
    ordinal: int
    amount: int
    currency: str
    accounting_date: dt.date
    legal_entity_id: str
    customer_id: str
    live: bool = True
    numbers: tuple[str, ...] = ()
    funded_by: tuple[FundedShare, ...] = ()


class Volume(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a price counts to a volume with tiers. size: microseconds of billed time, or 10^-6 of the currency."""

    account: str
    size: int


class Price(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the billed or accrued amount came to be; a reversal copies it.

    rate: 10^-6 of the currency per rate_unit; fx_rate: 10^-10, None without conversion; amount: minor units;
    quantity: the billed one in 10^-6 of unit, None when it is the version's; limited_by: the term of the rate that
    made the amount another than quantity x rate; volume: what it counts to, at a rate with tiers;
    residue: what the amount lacks to its exact value, in minor units, as `1/3`, None where each line is rounded alone.
    """

    rate: int
    rate_unit: str
    amount: int
    currency: str
    rounding: Rounding
    fx_rate: int | None
    quantity: int | None = None
    unit: str = ""
    limited_by: ChargeLimit = ""
    volume: Volume | None = None
    residue: str | None = None


class Adjusted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A charge that is corrected by adjusting lines: the version and the price it was made with.

    residues: what each adjusting line counts to the rounding by invoice, in minor units, as in Price; lines beyond its
    end do not count.
    """

    version: EntryVersion
    price: Price
    residues: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an entry draws on a prepaid balance, in minor units, as work of which date."""

    amount: int
    work_date: dt.date


class CountedMargin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an entry adds to its engagement's margin by practice and region: the row, and minor units of it."""

    key: str
    earned: int
    cost: int


class IntercompanyCharge(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the resource's legal entity charges the engagement's: `sale` in its books, `purchase` in the other's.

    Exchange rates: 10^-10, what the transfer price was converted at, None without conversion. Numbers: of the accounts
    that eliminate each, in the books of elimination_entity_id, as in Posted.
    """

    sale: Posted
    purchase: Posted
    sale_fx_rate: int | None
    purchase_fx_rate: int | None
    elimination_entity_id: str
    sale_elimination_numbers: tuple[str, ...] = ()
    purchase_elimination_numbers: tuple[str, ...] = ()


class EntryState(msgspec.Struct, array_like=True, gc=False):
    """An entry: its latest version, earlier versions that still matter, and its postings.

    cost_value: the live cost in minor units of the contract's currency; progress: what of it counts as approved
    cost of a fixed fee; charges: the parts that are billed, or the last one that was, not live;
    approved_value and held_value: minor units, counted in the engagement's figures; posted: the version
    whose postings stand, None when it is the latest; counted_as and counted_time: its share of the hours;
    adjusted: set while the first live part of charges is a charge and the others are its adjusting lines;
    progress_time and progress_on: what it adds to the hours and the dates of a fixed fee's progress; non_chargeable:
    approved value beyond a cap that stops, counted in the figures; usage: what it draws on a prepaid balance;
    invoiced: what stands of it on documents of the ERP, net of credits; fx_on: the day of its exchange rate where that
    is not the work date by policy; margin: what is counted by practice and region, None where that is not told apart;
    intercompany: the charge between its legal entities, or the last one, not live; let_pass: the highest revision that
    corrected work of a date while the period of that date was open, None where the terms do not ask.
    """

    latest: EntryVersion
    earlier: tuple[EntryVersion, ...] = ()
    price: Price | None = None
    work_in_progress: Posted | None = None
    cost: Posted | None = None
    cost_value: int = 0
    progress: int = 0
    progress_ordinal: int = 0
    charges: tuple[Posted, ...] = ()
    approved_value: int = 0
    held_value: int = 0
    hold: HoldReason | None = None
    hold_ordinal: int = 0
    counted_as: str = ""
    counted_time: int = 0
    posted: EntryVersion | None = None
    adjusted: Adjusted | None = None
    progress_time: int = 0
    progress_on: dt.date | None = None
    non_chargeable: int = 0
    usage: Usage | None = None
    invoiced: int = 0
    fx_on: dt.date | None = None
    margin: CountedMargin | None = None
    intercompany: IntercompanyCharge | None = None
    let_pass: dict[dt.date, int] | None = None


class Decision(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The latest verdict of the same people on the same day, at one level, on one revision of an entry."""

    entry_revision: int
    level: ApprovalLevel
    sequence: int
    verdict: Verdict
    approver_id: str = ""
    on_behalf_of: str = ""
    decided_on: dt.date | None = None
    target: ApprovalTarget = "entry"


class Approvals(msgspec.Struct, array_like=True, gc=False):
    """All decisions about one entry that may count; see Decision."""

    decisions: tuple[Decision, ...] = ()


class Hold(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An entry that waits.

    sequence: its place in the engagement's order of release, before all who wait for balance where it had some, so that
    it may be below zero and that of another hold; waits_on: what wakes it, such as `engagement:E-1`, `rates:EUR`,
    `resource:R-7`, `fx:EUR/USD`, `period:DE`, `cap:E-1`.
    """

    sequence: int
    reason: HoldReason
    engagement_id: str
    waits_on: str
