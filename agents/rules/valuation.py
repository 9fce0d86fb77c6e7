"""What a version of an entry is worth: its price for the customer and its cost for the firm, or why unknown.

Reasons are looked for in a fixed order: period, resource, cost rate, assignment, rate, exchange rate,
unit price, receipt. The first one found is what the entry waits for; nothing unknown is ever taken as zero (K3).
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple, Protocol

import msgspec
from msgspec import structs

from ...codecs.billing import TraceStep
from ...codecs.currencies import EXPONENTS
from ...codecs.decimals import FX_PLACES
from ...codecs.durations import HOUR
from ...codecs.entry_state import EntryVersion, Price
from ...codecs.exception import HoldReason
from ...codecs.resource import ParsedResource
from ...codecs.volume_tiers import ParsedTiers
from .contract import Contract
from .dating import Dates
from .exchange import Conversion, NoRate, found_conversion
from .expense import Unpriced, worth_of
from .money import convert, divide
from .pricing import ResolvedRate, fixed_rate
from .tiers import VOLUME_MAX, Reached, at_volume, volume_of
from .transfer_price import Amount, TransferPrice, Unknown, transfer_price

AMOUNT_MAX: Final = 10**12
"""Most minor units of one price or cost: a line of ten billion is a mistake, and a million of them still add up."""


class Lookups(Protocol):
    """Values an entry refers to, as they are known now."""

    def resource(self, resource_id: str) -> ParsedResource | None:
        """The person, or None while unknown."""

    def assignment_rate(self, source: str, engagement_id: str, assignment_id: str) -> tuple[bool, int | None]:
        """Whether the assignment is known, and its rate per hour in 10^-6 if it has one."""

    def volume(self, version: EntryVersion, account: str) -> tuple[int, int]:
        """Volume of an account without this entry: what is ordered before it, and all of it."""

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        """Units of quote for one unit of base, 10^-10, or None while unknown."""


class Missing(NamedTuple):
    """What an entry waits for: the reason, the word that wakes it, and what the user reads."""

    reason: HoldReason
    waits_on: str
    message: str


class Value(msgspec.Struct, frozen=True, gc=False):
    """Worth of a version.

    accounting_date is the reason why it cannot be posted now, where it cannot;
    price is None when the customer never pays for it; cost is in minor units of cost_currency, cost_value the
    same in the contract's currency; dates: None where the contract dates all by the work; transfer: what another legal
    entity charges for its person, None when it is the engagement's own.
    """

    accounting_date: dt.date | HoldReason
    price: Price | None
    trace: tuple[TraceStep, ...]
    cost: int
    cost_currency: str
    cost_value: int
    dates: Dates | None = None
    transfer: TransferPrice | None = None


def value_of(
    version: EntryVersion,
    contract: Contract,
    lookups: Lookups,
    dates: Dates | None = None,
    *,
    posted: bool = False,
    weighed: bool = False,
) -> Value | Missing:
    """Value one version of a time entry or an expense; dates: its days where the contract's policies say them.

    Of one that is posted the worth is told also when its period has closed since: it may be what stands. One that is
    only weighed is posted nowhere, so that no period is told instead of what is missing.
    """
    date = contract.calendar.accounting_date(version.work_date)
    if isinstance(date, str) and not (posted or weighed):
        return missing_period(date, contract, version.work_date)
    valued = _time if version.kind == "time" else _expense
    value = valued(version, contract, lookups, date, version.work_date if dates is None else dates.fx_on)
    if isinstance(value, Value):
        price = 0 if value.price is None else value.price.amount
        # Written out: three calls of within_limit would cost more than the rest of this function.
        if not (
            -AMOUNT_MAX <= value.cost <= AMOUNT_MAX
            and -AMOUNT_MAX <= value.cost_value <= AMOUNT_MAX
            and -AMOUNT_MAX <= price <= AMOUNT_MAX
        ):
            value = beyond_limit(contract)
        else:
            if dates is not None:
                value = structs.replace(value, dates=dates)
            if contract.intercompany is not None:
                value = _transferred(version, contract, lookups, value)
    if isinstance(value, Missing) and isinstance(date, str) and not weighed:
        return missing_period(date, contract, version.work_date)
    return value


def _transferred(version: EntryVersion, contract: Contract, lookups: Lookups, value: Value) -> Value | Missing:
    """The value with what another legal entity charges for it."""
    resource = lookups.resource(version.resource_id)
    if resource is None:
        return _missing_resource(version.resource_id)
    cost, fx_on = Amount(value.cost, value.cost_currency), None if value.dates is None else value.dates.fx_on
    transfer = transfer_price(version, contract, resource, cost, value.price, lookups, fx_on or version.work_date)
    if transfer is None:
        return value
    if isinstance(transfer, Unknown):
        return Missing(*transfer)
    if isinstance(transfer, NoRate):
        return missing_fx(transfer)
    if not (within_limit(transfer.sale.amount) and within_limit(transfer.purchase.amount)):
        return beyond_limit(contract)
    return structs.replace(value, transfer=transfer)


def within_limit(amount: int) -> bool:
    """Whether an amount of one line is small enough for its sums to be kept in 63 bits."""
    return -AMOUNT_MAX <= amount <= AMOUNT_MAX


def beyond_limit(contract: Contract) -> Missing:
    """An amount no engagement can mean: held until the record or the terms are mended, never posted."""
    fix = "send the entry, its rates or the terms again with the right unit"
    return Missing(
        "amount_beyond_limit",
        f"engagement:{contract.terms.id}",
        f"its price or cost is above {AMOUNT_MAX} minor units; {fix}",
    )


def unknown_engagement(engagement_id: str) -> Missing:
    """Nothing can be posted before the contract terms are there."""
    text = f"engagement {engagement_id} is unknown; send it with its contract terms"
    return Missing("engagement_unknown", f"engagement:{engagement_id}", text)


def missing_period(reason: HoldReason, contract: Contract, date: dt.date, entity: str = "") -> Missing:
    """The accounting calendar of a legal entity, the contract's if not said, does not let `date` be posted to."""
    entity = entity or contract.terms.legal_entity_id
    if reason == "account_unmapped":
        fix = "send a version of the map with numbers for all of them"
        message = f"the account map of {entity} lacks a number of an account this contract needs on {date}; {fix}"
        return Missing(reason, f"accounts:{entity}", message)
    if reason == "period_unknown":
        return Missing(reason, f"period:{entity}", f"no accounting period of {entity} covers {date}; send the period")
    state = (
        "is closed; reopen it, or move the date"
        if reason == "period_closed"
        else "has not begun; it is posted when the period opens"
    )
    return Missing(reason, f"period:{entity}", f"the accounting period of {entity} that covers {date} {state}")


def _time(
    version: EntryVersion, contract: Contract, lookups: Lookups, date: dt.date | HoldReason, fx_on: dt.date
) -> Value | Missing:
    resource = lookups.resource(version.resource_id)
    if resource is None:
        return _missing_resource(version.resource_id)
    worked_on, quantity, unit = version.work_date, version.quantity, version.unit
    for cost_rate in resource.cost_rates:
        if cost_rate.effective_from <= worked_on:
            break
    else:
        fix = "send one that is effective then"
        return Missing(
            "cost_rate_missing",
            f"resource:{resource.id}",
            f"resource {resource.id} has no cost rate on {worked_on}; {fix}",
        )
    currency, spent = contract.currency, cost_rate.currency
    numerator, denominator = contract.worth(unit, "hour", spent)
    cost = divide(quantity * cost_rate.rate * numerator, denominator, "half_up")
    cost_value = cost if spent == currency else _converted(cost, spent, contract, fx_on, lookups)
    if isinstance(cost_value, Missing):
        return cost_value
    if not (contract.bills_time and version.billable):
        return Value(date, None, (), cost, spent, cost_value)
    rate = _rate(version, resource, contract, lookups)
    if isinstance(rate, Missing):
        return rate
    if contract.time_price.plain and version.billable_quantity is None:
        rounding = contract.rounding
        numerator, denominator = contract.worth(unit, rate.unit, currency)
        amount = divide(quantity * rate.rate * numerator, denominator, rounding)
        price, trace = Price(rate.rate, rate.unit, amount, currency, rounding, None), rate.trace
    else:
        price, trace = contract.time_price.of(version, rate)
    return Value(date, price, trace, cost, spent, cost_value)


def _rate(
    version: EntryVersion, resource: ParsedResource, contract: Contract, lookups: Lookups
) -> ResolvedRate | Missing:
    if version.rate is not None:
        return fixed_rate(version.rate, "the entry's own rate")
    if version.assignment_id:
        known, rate = lookups.assignment_rate(version.source, version.engagement_id, version.assignment_id)
        if not known:
            name = f"{version.source}:{version.assignment_id}"
            return Missing(
                "assignment_unknown", f"assignment:{name}", f"assignment {name} is unknown on this engagement; send it"
            )
        if rate is not None:
            return fixed_rate(rate, f"assignment {version.source}:{version.assignment_id}")
    role, grade = version.role or resource.role, version.grade or resource.grade
    book = contract.book
    if book.personal:
        found = book.resolve(role, grade, version.item, version.work_date, book.whose(resource))
    else:
        found = book.resolve(role, grade, version.item, version.work_date)
    if found is None:
        terms = contract.terms
        work = f"role {role or '-'}, grade {grade or '-'}, item {version.item or '-'} on {version.work_date}"
        return Missing(
            "rate_missing",
            f"rates:{terms.currency}",
            f"no rate card in {terms.currency} prices {work}; send a card version, or a rate with the engagement",
        )
    return found if found.tiers is None else _tiered(version, found, found.tiers, contract, lookups)


def _tiered(
    version: EntryVersion, rate: ResolvedRate, tiers: ParsedTiers, contract: Contract, lookups: Lookups
) -> ResolvedRate | Missing:
    """The rate of the tiers an entry lies in, by what else is billed at the same line."""
    time = contract.time(*contract.time_price.billed(version, rate.unit))
    length = HOUR if rate.unit == "hour" else contract.day
    volume = volume_of(rate, tiers, time, length, version.work_date, contract.terms.start_date)
    if abs(volume.size) > VOLUME_MAX:
        return beyond_limit(contract)
    reached = Reached(*lookups.volume(version, volume.account))
    return at_volume(rate, tiers, volume, reached, contract.currency)


def _expense(
    version: EntryVersion, contract: Contract, lookups: Lookups, date: dt.date | HoldReason, fx_on: dt.date
) -> Value | Missing:
    spent = version.currency
    fx = None if spent == contract.currency else conversion_of(spent, contract, fx_on, lookups)
    if isinstance(fx, Missing):
        return fx
    worth = worth_of(version, contract, fx)
    if isinstance(worth, Unpriced):
        # New terms may end the wait as well as a new revision, which needs no waking.
        return Missing(worth.reason, f"engagement:{contract.terms.id}", worth.message)
    return Value(date, worth.price, worth.trace, worth.cost, spent, worth.cost_value)


def _missing_resource(resource_id: str) -> Missing:
    message = f"resource {resource_id} is unknown; send it with its cost rates"
    return Missing("resource_unknown", f"resource:{resource_id}", message)


def _converted(cost: int, spent: str, contract: Contract, date: dt.date, lookups: Lookups) -> int | Missing:
    """A cost in minor units of the contract's currency. By the plain rate of the pair without a conversion made."""
    if contract.exchange is not None:
        conversion = conversion_of(spent, contract, date, lookups)
        return conversion if isinstance(conversion, Missing) else conversion.of(cost)
    rate = lookups.fx_rate(spent, contract.currency, date)
    if rate is None:
        return missing_fx(NoRate(spent, contract.currency, date))
    return convert(cost, EXPONENTS[spent], contract.places, rate, FX_PLACES)


def conversion_of(spent: str, contract: Contract, date: dt.date, lookups: Lookups) -> Conversion | Missing:
    """How a currency becomes the contract's on a date, or the rate that is missing."""
    found = found_conversion(contract.exchange, spent, contract.currency, date, lookups)
    return missing_fx(found) if isinstance(found, NoRate) else found


def missing_fx(wanted: NoRate) -> Missing:
    """No rate covers the date."""
    base, quote, date, rate_type = wanted
    kind = f" of type {rate_type}" if rate_type else ""
    return Missing(
        "fx_rate_missing",
        f"fx:{base}/{quote}",
        f"no exchange rate{kind} from {base} to {quote} on {date}; send one that covers the date",
    )
