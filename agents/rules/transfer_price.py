"""Transfer price: what a resource's legal entity charges the engagement's for an approved entry.

    cost              the entry's cost
    cost_plus         cost x (100 + percent) / 100, rounded by the contract's policy
    percent_of_sale   price x percent / 100, rounded by the contract's policy
    rate_card         worked quantity x the card's rate, rounded by the contract's policy

Each entity books it in its own currency, the seller in that of the cost, the buyer in the contract's: where that is
another one, converted by the contract's `fx_policy`, without one at the rate of the work date, rounded once, half up.
Expenses are passed on at cost.
Source of the form: Dynamics 365, resourcing unit cost and inter-organizational sales; OECD Transfer Pricing Guidelines
7.34-7.36 for cost that is only passed on.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from ...codecs.billing import TraceStep
from ...codecs.currencies import exponent, format_amount
from ...codecs.decimals import PERCENT_DIGITS_MAX, PERCENT_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.entry_state import EntryVersion, Price
from ...codecs.errors import UndecodableError
from ...codecs.exception import HoldReason
from ...codecs.intercompany import TransferPolicy
from ...codecs.resource import ParsedResource
from .accounts import Accounts
from .calendar import Calendar
from .exchange import NoRate, found_conversion
from .money import divide
from .pricing import RateBook

if TYPE_CHECKING:
    from .contract import Contract
    from .valuation import Lookups

FIELD: Final = "$.policies.intercompany"


class Entities(Protocol):
    """What a contract may ask about legal entities other than its own."""

    def calendar(self, entity_id: str) -> Calendar:
        """Its accounting calendar, with the contract's policy for closed periods."""

    def accounts(self, entity_id: str) -> Accounts | None:
        """Its account numbers for the contract; None where all are posted by name."""

    def transfer_book(self, entity_id: str, currency: str) -> RateBook:
        """Rates in a currency at which it charges the contract's entity."""


class TransferTerms(NamedTuple):
    """The policy in integers. percent: 10^-4; currency: of transfer rates."""

    policy: TransferPolicy
    percent: int
    currency: str
    elimination_entity_id: str


class Unknown(NamedTuple):
    """Why there is no transfer price yet: the fields of Missing."""

    reason: HoldReason
    waits_on: str
    message: str


class Amount(NamedTuple):
    """Minor units of a currency; fx_rate: 10^-10, what the transfer price was converted at, None when it was not."""

    amount: int
    currency: str
    fx_rate: int | None = None
    trace: tuple[TraceStep, ...] = ()


class TransferPrice(msgspec.Struct, frozen=True, gc=False):
    """What `seller`, the resource's entity, charges: `sale` in its books, `purchase` in those of the engagement's.

    accounting_date: in the seller's books, or the reason why nothing can be posted there now.
    """

    seller: str
    accounting_date: dt.date | HoldReason
    sale: Amount
    purchase: Amount
    trace: tuple[TraceStep, ...]


def transfer_terms(terms: Engagement) -> TransferTerms | None:
    """Read the policy, None without one; raises UndecodableError naming a wrong field."""
    agreed = terms.policies.intercompany
    if agreed is None:
        return None
    field = f"{FIELD}.percent"
    takes_percent = agreed.transfer_price in {"cost_plus", "percent_of_sale"}
    if takes_percent == (agreed.percent is None):
        problem = f"transfer_price {agreed.transfer_price} " + ("needs it" if takes_percent else "takes none")
        raise UndecodableError("invalid_field", field, problem, "send it with cost_plus and percent_of_sale alone")
    percent = parse_scaled(agreed.percent or "0", PERCENT_PLACES, field, PERCENT_DIGITS_MAX)
    if percent < 0:
        raise UndecodableError("invalid_field", field, f"{agreed.percent!r} is below zero", "send zero or more")
    currency = agreed.currency or terms.currency
    exponent(currency, f"{FIELD}.currency")
    return TransferTerms(agreed.transfer_price, percent, currency, agreed.elimination_entity_id)


def transfer_price(
    version: EntryVersion,
    contract: Contract,
    resource: ParsedResource,
    cost: Amount,
    price: Price | None,
    lookups: Lookups,
    fx_on: dt.date,
) -> TransferPrice | Unknown | NoRate | None:
    """What an entry of this cost and price is charged at, None where its person belongs to the engagement's entity.

    fx_on: the day whose exchange rates count.
    """
    agreed, seller = contract.intercompany, resource.legal_entity_id
    if agreed is None or seller == contract.terms.legal_entity_id:
        return None
    charged = _agreed(version, contract, agreed, resource, cost, price)
    if isinstance(charged, Unknown):
        return charged
    booked = []
    for currency in (cost.currency, contract.currency):
        amount = _in_currency(charged, currency, contract, fx_on, lookups)
        if isinstance(amount, NoRate):
            return amount
        booked.append(amount)
    date = contract.calendar_of(seller).accounting_date(version.work_date)
    accounts = contract.accounts_of(seller)
    if accounts is not None and accounts.holds and isinstance(date, dt.date):
        date = accounts.refusal(date) or date
    return TransferPrice(seller, date, booked[0], booked[1], charged.trace)


def _agreed(
    version: EntryVersion,
    contract: Contract,
    agreed: TransferTerms,
    resource: ParsedResource,
    cost: Amount,
    price: Price | None,
) -> Amount | Unknown:
    """The transfer price in the currency it is agreed in."""
    terms, rounding = contract.terms, contract.rounding
    where = f"terms of {terms.id} revision {terms.revision}"
    if agreed.policy == "rate_card" and version.kind == "time":
        return _by_rate(version, contract, agreed, resource, where)
    if agreed.policy == "percent_of_sale" and version.kind == "time" and price is not None:
        amount, currency = divide(price.amount * agreed.percent, WHOLE, rounding), price.currency
        base = TraceStep("price", _money(price.amount, currency), f"revision {version.revision}, as it is sold")
    else:
        plus = agreed.percent if agreed.policy == "cost_plus" and version.kind == "time" else 0
        amount, currency = divide(cost.amount * (WHOLE + plus), WHOLE, rounding), cost.currency
        base = TraceStep("cost", _money(cost.amount, currency), f"revision {version.revision} by {resource.id}")
        if not plus:
            return Amount(amount, currency, None, (base, TraceStep("transfer_price", _money(amount, currency), where)))
    percent = TraceStep("percent", format_plain(agreed.percent, PERCENT_PLACES), f"{where}: {agreed.policy}")
    result = TraceStep("transfer_price", _money(amount, currency), f"{where}: rounded {rounding}")
    return Amount(amount, currency, None, (base, percent, result))


def _by_rate(
    version: EntryVersion, contract: Contract, agreed: TransferTerms, resource: ParsedResource, where: str
) -> Amount | Unknown:
    currency, seller = agreed.currency, resource.legal_entity_id
    role, grade = version.role or resource.role, version.grade or resource.grade
    book = contract.transfer_book(seller, currency)
    if book is not None and book.personal:
        found = book.resolve(role, grade, version.item, version.work_date, book.whose(resource))
    else:
        found = None if book is None else book.resolve(role, grade, version.item, version.work_date)
    if found is None:
        work = f"role {role or '-'}, grade {grade or '-'}, item {version.item or '-'} on {version.work_date}"
        pair = f"{seller}/{contract.terms.legal_entity_id}"
        return Unknown(
            "rate_missing",
            f"rates:{currency}",
            f"no intercompany rate card of {pair} or {seller} in {currency} prices {work}; send a card version",
        )
    numerator, denominator = contract.worth(version.unit, found.unit, currency)
    amount = divide(version.quantity * found.rate * numerator, denominator, contract.rounding)
    result = TraceStep("transfer_price", _money(amount, currency), f"{where}: rounded {contract.rounding}")
    return Amount(amount, currency, None, (*found.trace, result))


def _in_currency(
    charged: Amount, currency: str, contract: Contract, date: dt.date, lookups: Lookups
) -> Amount | NoRate:
    """The same in the currency of an entity's books."""
    base = charged.currency
    if base == currency:
        return Amount(charged.amount, currency)
    found = found_conversion(contract.exchange, base, currency, date, lookups)
    if isinstance(found, NoRate):
        return found
    return Amount(found.of(charged.amount), currency, found.rate, found.trace(charged.amount))


def _money(amount: int, currency: str) -> str:
    return f"{format_amount(amount, currency)} {currency}"
