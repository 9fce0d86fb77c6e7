"""Currencies in a reckoning: how one amount becomes another currency's, and what an hour of somebody costs.

A contract may fix rates, name a kind of rate, divide by the opposite quotation, and go through a base currency; the
amount in the base currency is whole in its minor unit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from ...codecs.fx_policy import FxPolicy
from .reckoning_lookups import WaitsError
from .reckoning_numbers import FX_PLACES, MINOR_UNITS, in_minor_units, minor, number, refuse_when

if TYPE_CHECKING:
    import datetime as dt

    from ...codecs.engagement import Engagement
    from ...codecs.resource import Resource
    from .reckoning_facts import Facts

_PLAIN: Final = FxPolicy()


class Way(NamedTuple):
    """From one currency to another. first: units of `base` for one unit, None in one step; last: units of `into`."""

    spent: str
    first: Fraction | None
    base: str
    last: Fraction
    into: str

    def exactly(self, amount: int) -> Fraction:
        """Minor units of the first currency as an amount of the last one; only what is in the base is rounded."""
        exact = Fraction(amount, 10 ** MINOR_UNITS[self.spent])
        if self.first is not None:
            exact = Fraction(in_minor_units(exact * self.first, self.base), 10 ** MINOR_UNITS[self.base])
        return exact * self.last

    def of(self, amount: int) -> int:
        """Minor units of the first currency as those of the last one, rounded half up."""
        return in_minor_units(self.exactly(amount), self.into)


def way(facts: Facts, terms: Engagement, spent: str, on: dt.date, into: str = "") -> Way:
    """How a currency becomes another, the contract's if not said, by the rates of a day; raises WaitsError."""
    policy, into = terms.policies.fx_policy or _PLAIN, into or terms.currency
    if spent == into:
        return Way(spent, None, "", Fraction(1), into)
    fixed = {agreed.base: agreed.rate for agreed in policy.agreed_rates} if into == terms.currency else {}
    if spent in fixed:
        return Way(spent, None, "", number(fixed[spent], FX_PLACES), into)
    base = policy.base_currency
    if base is None or base in {spent, into}:
        return Way(spent, None, "", _quoted(facts, policy, spent, into, on), into)
    return Way(spent, _quoted(facts, policy, spent, base, on), base, _quoted(facts, policy, base, into, on), into)


def _quoted(facts: Facts, policy: FxPolicy, base: str, quote: str, on: dt.date) -> Fraction:
    """Units of `quote` for one unit of `base` on a date."""
    rate = _covering(facts, policy, base, quote, on)
    if rate is None and policy.quotation == "either":
        opposite = _covering(facts, policy, quote, base, on)
        rate = None if opposite is None else 1 / opposite
    if rate is None:
        raise WaitsError("fx_rate_missing")
    return rate


def _covering(facts: Facts, policy: FxPolicy, base: str, quote: str, on: dt.date) -> Fraction | None:
    """Of the quotations of a kind that cover a date, the one that begins last."""
    ranges = facts.fx.get((base, quote, policy.rate_type), {})
    covering = [start for start, fx in ranges.items() if start <= on <= (fx.valid_to or start)]
    return number(ranges[max(covering)].rate, FX_PLACES) if covering else None


def labour_cost(facts: Facts, terms: Engagement, person: Resource, hours: Fraction, on: dt.date, fx_on: dt.date) -> int:
    """Cost of hours of a person: rounded in the currency of the cost, then in the contract's."""
    spent, currency = cost_in_own_currency(person, hours, on)
    return way(facts, terms, currency, fx_on).of(spent)


def cost_in_own_currency(person: Resource, hours: Fraction, on: dt.date) -> tuple[int, str]:
    """Cost of hours of a person in minor units of the currency of the cost, which is told too."""
    in_force = [cost for cost in person.cost_rates if cost.effective_from <= on]
    if not in_force:
        raise WaitsError("cost_rate_missing")
    cost_rate = max(in_force, key=lambda cost: cost.effective_from)
    return in_minor_units(hours * number(cost_rate.rate), cost_rate.currency), cost_rate.currency


def check_fx_policy(terms: Engagement) -> None:
    """Rates that are fixed are above zero, of other currencies, and of each one only; raises UnreadableError."""
    policy = terms.policies.fx_policy
    if policy is None:
        return
    minor("0", policy.base_currency or terms.currency)
    for agreed in policy.agreed_rates:
        minor("0", agreed.base)
        refuse_when(number(agreed.rate, FX_PLACES) <= 0, "a rate of nothing")
    fixed = [agreed.base for agreed in policy.agreed_rates]
    refuse_when(len(set(fixed)) < len(fixed) or terms.currency in fixed, "a rate twice, or of the own currency")
