"""Intercompany charges: an approved entry of another legal entity's person, in the books of both entities.

    intercompany_sale       resource's entity, its currency            receivable to revenue
    intercompany_purchase   engagement's entity, contract's currency   cost to payable
    sale_elimination        consolidation: the opposite of the sale
    purchase_elimination    consolidation: the opposite of the purchase

So every intercompany account is zero over all entities, in each currency, after any event (M3). The cost stays in the
books of the resource's entity, the sale to the customer in those of the engagement's. Four accruals and no stream of
their own: each is the journal of one entity in one currency, read like every other journal, in the same transaction.
A reversal copies amounts, exchange rates and account numbers of what stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import structs

from ...codecs.accrual import AccrualEvent
from ...codecs.decimals import FX_PLACES, format_plain
from ...codecs.engagement import Engagement
from ...codecs.entry_state import EntryState, EntryVersion, IntercompanyCharge, Posted
from ...codecs.journal import Account
from . import ledger
from .accounts import Accounts, Numbers, category_of, numbered
from .books import Books
from .contract import Contract
from .transfer_price import TransferPrice


class Leg(NamedTuple):
    """One journal of a charge: its kind, what it is of, debit and credit account."""

    kind: ledger.AccrualKind
    of: Literal["sale", "purchase"]
    debit: Account
    credit: Account
    eliminates: bool = False


LEGS: Final = (
    Leg("intercompany_sale", "sale", "intercompany_receivable", "intercompany_revenue"),
    Leg("intercompany_purchase", "purchase", "intercompany_cost", "intercompany_payable"),
    Leg("sale_elimination", "sale", "intercompany_revenue", "intercompany_receivable", eliminates=True),
    Leg("purchase_elimination", "purchase", "intercompany_payable", "intercompany_cost", eliminates=True),
)


def in_sellers_books(cost: Posted, price: TransferPrice | None, version: EntryVersion, contract: Contract) -> Posted:
    """The cost of an entry, in the books of the entity whose person worked."""
    if price is None or isinstance(price.accounting_date, str):
        return cost
    sold = structs.replace(cost, legal_entity_id=price.seller, accounting_date=price.accounting_date, numbers=())
    pair = ledger.ACCOUNTS["cost", version.kind]
    return numbered(sold, pair, category_of(version), contract.accounts_of(price.seller))


def standing(entry: EntryState) -> IntercompanyCharge | None:
    """The charge that stands."""
    known = entry.intercompany
    return known if known is not None and known.sale.live else None


def same_charge(entry: EntryState, price: TransferPrice | None, terms: Engagement) -> bool:
    """Whether the charge that stands is the one that should; `price` is None where there should be none."""
    stands, agreed = standing(entry), terms.policies.intercompany
    if stands is None or price is None or agreed is None:
        return stands is None and price is None
    sale, purchase = stands.sale, stands.purchase
    return (
        (sale.amount, sale.currency, sale.legal_entity_id) == (price.sale.amount, price.sale.currency, price.seller)
        and (purchase.amount, purchase.currency) == (price.purchase.amount, price.purchase.currency)
        and purchase.legal_entity_id == terms.legal_entity_id
        and stands.elimination_entity_id == agreed.elimination_entity_id
    )


def wrong_charge(entry: EntryState, price: TransferPrice | None, terms: Engagement) -> IntercompanyCharge | None:
    """The charge that stands, where it is not the one that should."""
    return None if same_charge(entry, price, terms) else standing(entry)


def charge(entry: EntryState, books: Books, version: EntryVersion, price: TransferPrice, date: dt.date) -> None:
    """Charge an approved entry between its entities, unless the charge stands. date: in the buyer's books."""
    terms, agreed, accounts_of = books.contract.terms, books.contract.intercompany, books.contract.accounts_of
    if agreed is None or isinstance(price.accounting_date, str) or standing(entry) is not None:
        return
    known = entry.intercompany
    ordinal = ledger.next_ordinal(None if known is None else known.sale, version.revision)
    sale, purchase = (
        numbered(
            Posted(version.revision, ordinal, booked.amount, booked.currency, on, entity, terms.customer_id),
            (leg.debit, leg.credit),
            category_of(version),
            accounts_of(entity),
        )
        for leg, booked, on, entity in (
            (LEGS[0], price.sale, price.accounting_date, price.seller),
            (LEGS[1], price.purchase, date, terms.legal_entity_id),
        )
    )
    eliminating = accounts_of(agreed.elimination_entity_id)
    made = IntercompanyCharge(
        sale,
        purchase,
        price.sale.fx_rate,
        price.purchase.fx_rate,
        agreed.elimination_entity_id,
        _numbers(LEGS[2], sale, version, eliminating),
        _numbers(LEGS[3], purchase, version, eliminating),
    )
    entry.intercompany = made
    books.engagement.intercompany_cost += purchase.amount
    for leg, _, _, event in _journals(made, version):
        booked = price.sale if leg.of == "sale" else price.purchase
        books.effects.accruals.append(structs.replace(event, trace=(*price.trace, *booked.trace)))


def _numbers(leg: Leg, posted: Posted, version: EntryVersion, accounts: Accounts | None) -> Numbers:
    """Account numbers of a journal in the books of another legal entity than the posting's."""
    pair = leg.debit, leg.credit
    return () if accounts is None else accounts.numbers(*pair, category_of(version), posted.accounting_date)


def reverse(
    entry: EntryState,
    stands: IntercompanyCharge,
    books: Books,
    version: EntryVersion,
    dates: Mapping[tuple[str, dt.date], dt.date],
) -> None:
    """Take a charge back in all books, on dates that are open there (by entity and accounting date)."""
    replace = structs.replace
    for leg, posted, numbers, event in _journals(stands, version):
        books.effects.accruals.append(
            replace(
                event,
                id=f"{event.id}:reversal",
                action="reversal",
                accounting_date=dates[posted.legal_entity_id, posted.accounting_date],
                lines=ledger.journal(leg.credit, leg.debit, posted.amount, posted.currency, numbers[::-1]),
                reverses=event.id,
            )
        )
    sale, purchase = replace(stands.sale, live=False), replace(stands.purchase, live=False)
    entry.intercompany = replace(stands, sale=sale, purchase=purchase)
    books.engagement.intercompany_cost -= purchase.amount


def _journals(
    charged: IntercompanyCharge, version: EntryVersion
) -> Iterator[tuple[Leg, Posted, Numbers, AccrualEvent]]:
    """The journals that make a charge, each with what it is of and its account numbers."""
    for leg in LEGS:
        posted, other, fx, eliminated = (
            (charged.sale, charged.purchase, charged.sale_fx_rate, charged.sale_elimination_numbers)
            if leg.of == "sale"
            else (charged.purchase, charged.sale, charged.purchase_fx_rate, charged.purchase_elimination_numbers)
        )
        numbers = eliminated if leg.eliminates else posted.numbers
        lines = ledger.journal(leg.debit, leg.credit, posted.amount, posted.currency, numbers)
        event = ledger.accrual(leg.kind, "accrual", version, posted, posted.accounting_date, lines)
        yield (
            leg,
            posted,
            numbers,
            structs.replace(
                event,
                legal_entity_id=charged.elimination_entity_id if leg.eliminates else posted.legal_entity_id,
                counterparty_id=posted.legal_entity_id if leg.eliminates else other.legal_entity_id,
                fx_rate=None if fx is None else format_plain(fx, FX_PLACES),
            ),
        )
