"""Terms of a reckoning: what no engagement can mean is refused here a second time."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING

from .reckoning_exchange import check_fx_policy
from .reckoning_intercompany import check_intercompany
from .reckoning_numbers import PERCENT_PLACES, minor, number, refuse_when
from .reckoning_tiers import check_tiers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...codecs.approvers import Approver, Delegate
    from ...codecs.engagement import Engagement, EngagementRate, ExpenseCategory, ExpenseTerms, Fee
    from ...codecs.rate_card import RateLine

_MULTIPLIER_PLACES = 4
_MULTIPLIER_MAX = 10
_DAY_HOURS_MAX = 24


def check_terms(terms: Engagement) -> None:
    """Every decimal can be read, and nothing contradicts itself; raises UnreadableError."""
    minor("0", terms.currency)
    check_rates(terms.rates, terms.currency, terms.schema_version)
    _check_caps(terms)
    _check_expenses(terms)
    _check_time(terms)
    _check_approval(terms)
    _check_funding(terms)
    check_fx_policy(terms)
    check_intercompany(terms)
    refuse_when(terms.end_date is not None and terms.end_date < terms.start_date, "ends before it starts")
    draws = terms.fee is not None and terms.fee.drawdown is not None
    cut = terms.contract_type == "capped" or draws or terms.policies.correction == "adjust"
    refuse_when(terms.policies.rounding_place == "invoice" and cut, "lines that are no quantity x rate, as a sum")
    if terms.planned_revenue is not None:
        minor(terms.planned_revenue, terms.currency)
    refuse_when(terms.contract_type in {"fixed_fee", "retainer", "subscription"} and terms.fee is None, "no fee")
    if terms.fee is not None:
        minor(terms.fee.amount, terms.currency)
        if terms.contract_type == "fixed_fee":
            _check_fixed_fee(terms, terms.fee)
        else:
            _check_terms_of_fee(terms, terms.fee)


def check_rates(lines: Iterable[RateLine | EngagementRate], currency: str, schema_version: int) -> None:
    """Rates and their least and most charges can be read, and the least is not above the most.

    A line names a person or their region, not both, and in the second version of its shape alone.
    """
    for line in lines:
        refuse_when(bool(line.resource_id and line.region), "a person and a region")
        refuse_when(bool(line.resource_id or line.region) and schema_version == 1, "a person in the first version")
        number(line.rate)
        check_tiers(line.volume_tiers, line.rate, currency)
        limits = [minor(text, currency) for text in (line.minimum_charge, line.maximum_charge) if text is not None]
        refuse_when(any(limit < 0 for limit in limits), "a charge below zero")
        refuse_when(any(most < least for least, most in pairwise(limits)), "least above most")


def _check_caps(terms: Engagement) -> None:
    caps = [cap for cap in (terms.cap, *terms.caps) if cap is not None]
    refuse_when(terms.contract_type == "capped" and not caps, "capped without cap")
    for cap in caps:
        minor(cap.amount, terms.currency)
        refuse_when(minor(cap.tolerance, terms.currency) < 0, "tolerance below zero")
    refuse_when(len({cap.id for cap in terms.caps}) < len(terms.caps), "a cap twice")


def _check_expenses(terms: Engagement) -> None:
    spent = terms.expenses
    every: list[ExpenseTerms | ExpenseCategory] = [spent, *spent.categories]
    for own in every:
        number(own.mark_up_percent, PERCENT_PLACES)
        for text in (own.line_cap, own.receipt_above):
            refuse_when(text is not None and minor(text, terms.currency) < 0, "a limit below zero")
    for category in spent.categories:
        number(category.unit_price or "0")
    refuse_when(len({own.category for own in spent.categories}) < len(spent.categories), "a category twice")


def _check_time(terms: Engagement) -> None:
    policies = terms.policies
    refuse_when(not 0 < number(policies.hours_per_day) <= _DAY_HOURS_MAX, "hours per day")
    for text in (terms.discount_percent, *(each.percent for each in terms.discounts)):
        refuse_when(not 0 <= number(text, PERCENT_PLACES) <= 100, "discount")  # noqa: PLR2004 - percent
    if policies.time_rounding is not None:
        refuse_when(number(policies.time_rounding.factor_percent, PERCENT_PLACES) <= 0, "factor")
    for agreed in (policies.multipliers, *(change.multipliers for change in policies.multiplier_changes)):
        if agreed is None:
            continue
        texts = [*agreed.by_work_type.values(), agreed.weekend or "0", agreed.holiday or "0"]
        for text in texts:
            refuse_when(not 0 <= number(text, _MULTIPLIER_PLACES) <= _MULTIPLIER_MAX, "multiplier")


def _check_funding(terms: Engagement) -> None:
    if terms.funding is None:
        return
    customers = terms.funding.customers
    names, percents = {customer.customer_id for customer in customers}, [customer.percent for customer in customers]
    tops = [customer.up_to for customer in customers]
    refuse_when(len(names) < len(customers), "a customer twice")
    if any(percents):
        parts = [number(percent or "0", PERCENT_PLACES) for percent in percents]
        refuse_when(any(tops) or min(parts) <= 0 or sum(parts) != 100, "no hundred percent")  # noqa: PLR2004 - percent
        refuse_when((terms.funding.rounding_customer_id or terms.customer_id) not in names, "nobody to pay the rest")
    else:
        refuse_when(tops[-1] is not None or None in tops[:-1], "not all but the last have an amount")
        refuse_when(any(minor(top, terms.currency) <= 0 for top in tops if top is not None), "an amount of nothing")


def _check_approval(terms: Engagement) -> None:
    policies = terms.policies
    limits = [threshold.amount for threshold in policies.approval_thresholds]
    for text in (*limits, policies.auto_approve_under or "0"):
        refuse_when(minor(text, terms.currency) < 0, "a threshold below zero")
    for approver in policies.approvers:
        people: list[Approver | Delegate] = [approver, *approver.delegates]
        for named in people:
            backwards = (
                named.valid_from is not None and named.valid_to is not None and named.valid_to < named.valid_from
            )
            refuse_when(backwards, "valid to before from")


def _check_terms_of_fee(terms: Engagement, fee: Fee) -> None:
    if terms.contract_type in {"retainer", "subscription"}:
        _check_drawdown(terms, fee)
    refuse_when(terms.contract_type == "subscription" and minor(fee.amount, terms.currency) < 0, "a fee below zero")
    after = terms.start_date
    for known in fee.schedule:
        minor(known.amount or "0", terms.currency)
        refuse_when(not after <= known.start_date <= known.end_date, "terms out of order")
        refuse_when(terms.end_date is not None and known.end_date > terms.end_date, "a term after the end")
        after = known.end_date + dt.timedelta(days=1)


def _check_drawdown(terms: Engagement, fee: Fee) -> None:
    """A balance is prepaid; a refill brings an amount, or fills up to one that is not below its threshold."""
    agreed = fee.drawdown
    if agreed is None:
        return
    refuse_when(terms.contract_type != "retainer" or fee.billed != "advance", "nothing is prepaid")
    refuse_when(minor(fee.amount, terms.currency) < 0, "less than nothing is prepaid")
    refill = agreed.refill
    if refill is not None:
        texts = [text for text in (refill.amount, refill.up_to) if text is not None]
        refuse_when(len(texts) != 1, "not one of amount and up to")
        below, brings = minor(refill.threshold, terms.currency), minor(texts[0], terms.currency)
        refuse_when(below < 0 or brings <= 0 or (refill.amount is None and brings < below), "a refill of nothing")


def _check_fixed_fee(terms: Engagement, fee: Fee) -> None:
    refuse_when(fee.drawdown is not None, "a fixed fee that is used up")
    estimate = None if fee.estimated_cost is None else minor(fee.estimated_cost, terms.currency)
    by_cost = fee.progress == "cost_to_cost"
    refuse_when((estimate is None and by_cost) or (estimate is not None and estimate <= 0), "no estimated cost")
    if fee.uninstalled_cost is not None:
        refuse_when(not 0 <= minor(fee.uninstalled_cost, terms.currency) < (estimate or 0), "uninstalled cost")
    if fee.progress == "hours_to_hours":
        refuse_when(number(fee.estimated_hours or "0") <= 0, "no estimated hours")
    refuse_when(fee.progress == "straight_line" and terms.end_date is None, "no end")
    refuse_when(fee.progress == "milestone" and not fee.milestones, "no milestones")
    refuse_when(len({known.id for known in fee.milestones}) < len(fee.milestones), "a milestone twice")
    for known in fee.milestones:
        refuse_when((known.amount is None) == (known.percent is None), "not one of amount and percent")
        alone = known.standalone_price
        refuse_when(alone is not None and minor(alone, terms.currency) <= 0, "costs nothing alone")
    priced = {known.standalone_price is not None for known in fee.milestones}
    refuse_when(True in priced and (len(priced) > 1 or fee.progress != "milestone"), "not all have a price alone")
