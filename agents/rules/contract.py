"""A contract as the rules read it: an engagement's terms in integers, with its rates and its calendar.

Compiled once for each revision of the terms and each change of reference data, then used for every entry.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Final

from ...codecs.currencies import exponent, parse_amount
from ...codecs.decimals import RATE_PLACES
from ...codecs.durations import HOUR, lengths, parse_duration
from ...codecs.engagement import Engagement, Fee
from ...codecs.errors import UndecodableError
from .accounts import Accounts, mapped_calendar
from .approval_terms import approval_terms, review_terms
from .calendar import Calendar
from .dating import dating_of
from .exchange import exchange_of
from .expense_terms import ExpensePrices
from .fee_plan import read_fee_plan
from .fixed_fee import read_fixed_fee
from .funding import funding_of
from .limits import limits_of
from .pricing import RateBook
from .rounding_terms import refuse_rounding
from .time_price import TimePrice
from .transfer_price import Entities, transfer_terms

_SCALE: Final = 10**RATE_PLACES


class Contract:
    """Terms of one engagement, ready for arithmetic. A value: never changed once made.

    places: decimal places of its currency; bills_time: T&M, capped and draws; draws: work uses a
    prepaid balance up; holds_overage: and waits when that is used up; for_customers: neither internal nor
    non-billable; earns_by_cost: fixed fee; day: a day's length in microseconds; limits: its caps;
    fee_amount, planned_revenue: minor units or None; fixed_fee: how a fixed fee is earned and billed, None without
    one; expenses: what the customer pays for them, by category; time_price: its terms for time beyond quantity x
    rate; approval: what is asked beyond approval_levels, None when nothing; adjusts: corrects by lines of the
    difference; is_followed: what becomes of an entry may move others, or the terms; tiered: some of its rates have
    tiers by volume; fee_plan: the fees of a retainer or a subscription by term, None without; review: which
    corrections wait for finance, None when none does;
    writes_off: what is credited is lost; exchange: its fx_policy, None for the plain rate of the pair at the work date;
    dating: what it dates otherwise than by the work date, None where nothing is; accounts: numbers of its accounts,
    None where all are posted by name; rolls_over: its work in progress stands in one period only; splits_margin: its
    margin is told by practice and region; funding: the customers who pay together, None where one pays all;
    intercompany: how people of other legal entities are charged, None when they are not;
    worth(unit, rate_unit, currency): numerator and denominator that turn quantity x rate into minor units.
    """

    __slots__ = (
        "_entities",
        "accounts",
        "accrues_at_submission",
        "adjusts",
        "approval",
        "approval_levels",
        "bills_time",
        "book",
        "calendar",
        "currency",
        "dating",
        "day",
        "draws",
        "earns_by_cost",
        "exchange",
        "expenses",
        "fee",
        "fee_amount",
        "fee_plan",
        "fixed_fee",
        "for_customers",
        "funding",
        "holds_overage",
        "intercompany",
        "is_followed",
        "limits",
        "places",
        "planned_revenue",
        "review",
        "rolls_over",
        "rounding",
        "splits_margin",
        "terms",
        "tiered",
        "time_price",
        "worth",
        "writes_off",
    )

    def __init__(
        self,
        terms: Engagement,
        book: RateBook,
        calendar: Calendar,
        entities: Entities | None = None,
        *,
        accounts: Accounts | None = None,
    ) -> None:
        """Read the terms; raises UndecodableError naming the field of a term that makes no sense.

        Many contracts share their book, their calendar and their accounts. entities: where postings meet legal
        entities other than the terms'.
        """
        policies = terms.policies
        self.terms: Final = terms
        self.currency: Final = terms.currency
        self.places: Final = exponent(terms.currency)
        self.rounding: Final = policies.rounding
        self.approval_levels: Final = policies.approval_levels
        self.adjusts: Final = policies.correction == "adjust"
        self.approval: Final = approval_terms(policies, terms.currency)
        drawdown = terms.fee.drawdown if terms.contract_type == "retainer" and terms.fee is not None else None
        self.draws: Final = drawdown is not None
        self.holds_overage: Final = drawdown is not None and drawdown.overage == "hold"
        self.bills_time: Final = terms.contract_type in {"time_and_materials", "capped"} or self.draws
        self.writes_off: Final = policies.credit == "write_off"
        self.review: Final = review_terms(policies, terms.currency)
        self.for_customers: Final = terms.contract_type not in {"non_billable", "internal"}
        self.earns_by_cost: Final = terms.contract_type == "fixed_fee"
        self.accrues_at_submission: Final = policies.accrue_at == "submission"
        self.day: Final = parse_duration(policies.hours_per_day, "hour", HOUR, "$.policies.hours_per_day")
        self.worth: Final = _worth(self.day)
        self.book: Final = book
        self.accounts: Final = accounts
        self.calendar: Final = mapped_calendar(calendar, accounts)
        self.time_price: Final = TimePrice(terms, self.day, self.worth, limited=book.limited or bool(book.steps.above))
        self.tiered: Final = self.bills_time and bool(book.steps.above)
        self.fee: Final = _fee(terms)
        self.fee_amount: Final = (
            None if self.fee is None else parse_amount(self.fee.amount, terms.currency, "$.fee.amount")
        )
        self.fixed_fee: Final = read_fixed_fee(terms)
        self.fee_plan: Final = read_fee_plan(terms)
        self.splits_margin: Final = policies.margin == "by_practice_and_region"
        self.rolls_over: Final = policies.work_in_progress == "reverse_next_period"
        self.limits: Final = limits_of(terms)
        self.exchange: Final = exchange_of(terms)
        self.dating: Final = dating_of(terms)
        self.expenses: Final = ExpensePrices(terms)
        self.funding: Final = funding_of(terms)
        self.intercompany: Final = transfer_terms(terms)
        self._entities = entities
        self.is_followed: Final = self._is_followed()
        self.planned_revenue: Final = (
            None
            if terms.planned_revenue is None
            else parse_amount(terms.planned_revenue, terms.currency, "$.planned_revenue")
        )
        self._check()

    def _is_followed(self) -> bool:
        terms_follow = self.earns_by_cost or self.funding is not None
        return self.tiered or self.draws or bool(self.limits) or terms_follow

    def _check(self) -> None:
        refuse_rounding(self.terms)
        if self.day > 24 * HOUR:
            raise UndecodableError(
                "invalid_field", "$.policies.hours_per_day", "a day has at most 24 hours", 'send them, such as "8"'
            )
        if self.day <= 0:
            raise UndecodableError(
                "invalid_field",
                "$.policies.hours_per_day",
                "a day has no hours",
                'send a number above zero, such as "8"',
            )
        if self.terms.end_date is not None and self.terms.end_date < self.terms.start_date:
            raise UndecodableError(
                "invalid_field", "$.end_date", "it is before start_date", "send the last day of the engagement"
            )

    def calendar_of(self, entity_id: str) -> Calendar:
        """The accounting calendar of a legal entity in whose books something stands or is to be posted."""
        if self._entities is None or entity_id == self.terms.legal_entity_id:
            return self.calendar
        return self._entities.calendar(entity_id)

    def accounts_of(self, entity_id: str) -> Accounts | None:
        """Account numbers of a legal entity in whose books something is to be posted."""
        if self._entities is None or entity_id == self.terms.legal_entity_id:
            return self.accounts
        return self._entities.accounts(entity_id)

    def transfer_book(self, seller: str, currency: str) -> RateBook | None:
        """Rates at which another legal entity charges its people; None where there are no others."""
        return None if self._entities is None else self._entities.transfer_book(seller, currency)

    def time(self, quantity: int, unit: str) -> int:
        """Microseconds of a quantity in 10^-6 of a unit."""
        return quantity * lengths(self.day)[unit] // _SCALE


@functools.cache
def _worth(day: int) -> Callable[[str, str, str], tuple[int, int]]:
    """What contracts with the same day share: how quantity x rate becomes minor units, in lowest terms."""
    length = lengths(day)

    @functools.cache
    def worth(unit: str, rate_unit: str, currency: str) -> tuple[int, int]:
        """quantity: 10^-6 of `unit`; rate: 10^-6 of the currency per `rate_unit`."""
        numerator = length[unit] * 10 ** exponent(currency)
        denominator = length[rate_unit] * _SCALE * _SCALE
        common = math.gcd(numerator, denominator)
        return numerator // common, denominator // common

    return worth


def _fee(terms: Engagement) -> Fee | None:
    needs = terms.contract_type in {"fixed_fee", "retainer", "subscription"}
    if needs and terms.fee is None:
        raise UndecodableError(
            "invalid_field", "$.fee", f"a {terms.contract_type} engagement has no fee", "send fee.amount"
        )
    return terms.fee if needs else None
