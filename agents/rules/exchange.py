"""Exchange: how one contract turns an amount of another currency into its own, by its `fx_policy`.

A conversion is one step, or two through a base currency. Each step is exact and rounded once: the first, into the
base currency, half up to its minor unit; the last as the caller rounds. Where a pair is quoted the other way round the
amount is divided by that rate; a reciprocal is never rounded. Source of the two roundings: Dynamics 365 Project
Operations, project cost tracking. The rate that a line shows for several steps, or for a divided one, is what
they come to at 10 places; the trace has the steps.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple, Protocol

import msgspec

from ...codecs.billing import TraceStep
from ...codecs.currencies import EXPONENTS, exponent, format_amount
from ...codecs.decimals import FX_DIGITS_MAX, FX_PLACES, format_scaled, parse_scaled
from ...codecs.engagement import Engagement
from ...codecs.errors import UndecodableError
from ...codecs.fx_policy import FxPolicy
from .money import divide

_FIELD: Final = "$.policies.fx_policy"
_RATE_MAX: Final = 10 ** (FX_DIGITS_MAX + FX_PLACES)


class Rates(Protocol):
    """Where rates are looked up."""

    def fx_rate(self, base: str, quote: str, date: dt.date, rate_type: str = "") -> int | None:
        """Units of quote for one unit of base, 10^-10, or None while unknown."""


class NoRate(NamedTuple):
    """The quotation that is missing."""

    base: str
    quote: str
    date: dt.date
    rate_type: str = ""


class Step(msgspec.Struct, frozen=True, gc=False):
    """One conversion: minor units of `spent` x numerator / denominator are minor units of `into`.

    rate: the quotation used, 10^-10; source: which it is, with its date.
    """

    spent: str
    into: str
    numerator: int
    denominator: int
    rate: int
    source: str


class Conversion(msgspec.Struct, frozen=True, gc=False):
    """From the currency of spend to the contract's.

    first: the step into the base currency, if there is one; last: the step into the contract's; rate: what a line
    shows, 10^-10.
    """

    first: Step | None
    last: Step
    rate: int

    def before(self, amount: int) -> int:
        """Minor units that the last step starts from."""
        first = self.first
        return amount if first is None else divide(amount * first.numerator, first.denominator, "half_up")

    def of(self, amount: int) -> int:
        """Minor units of the contract's currency, each step rounded half up."""
        return divide(self.before(amount) * self.last.numerator, self.last.denominator, "half_up")

    def trace(self, amount: int) -> tuple[TraceStep, ...]:
        """The steps an amount goes through: each rate, and what the first one makes of the amount."""
        last = TraceStep("exchange_rate", format_scaled(self.last.rate, FX_PLACES), self.last.source)
        first = self.first
        if first is None:
            return (last,)
        converted = f"{format_amount(self.before(amount), first.into)} {first.into}"
        return (
            TraceStep("exchange_rate", format_scaled(first.rate, FX_PLACES), first.source),
            TraceStep("converted", converted, f"half up to the minor unit of {first.into}"),
            last,
        )


def quoted(spent: str, into: str, rate: int, date: dt.date) -> Conversion:
    """Conversion by the plain rate of the pair, 10^-10."""
    return _conversion(None, _direct(spent, into, rate, f"{spent}/{into} on {date}"))


def _conversion(first: Step | None, last: Step) -> Conversion:
    """Both steps with the rate they come to."""
    if first is None:
        spent, numerator, denominator = last.spent, last.numerator, last.denominator
    else:
        spent = first.spent
        numerator, denominator = first.numerator * last.numerator, first.denominator * last.denominator
    scale = 10 ** (FX_PLACES + EXPONENTS[spent])
    return Conversion(first, last, divide(numerator * scale, denominator * 10 ** EXPONENTS[last.into], "half_up"))


def _direct(spent: str, into: str, rate: int, source: str) -> Step:
    return Step(spent, into, rate * 10 ** EXPONENTS[into], 10 ** (FX_PLACES + EXPONENTS[spent]), rate, source)


def _divided(spent: str, into: str, rate: int, source: str) -> Step:
    """By the rate of the opposite pair: units of `spent` for one unit of `into`."""
    return Step(spent, into, 10 ** (FX_PLACES + EXPONENTS[into]), rate * 10 ** EXPONENTS[spent], rate, source)


class Exchange:
    """The conversions of one contract with an `fx_policy`. A value: never changed once made."""

    __slots__ = ("_agreed", "_base", "_currency", "_either", "_named", "_rate_type")

    def __init__(self, terms: Engagement, policy: FxPolicy) -> None:
        """Read the policy; raises UndecodableError naming its field."""
        self._currency = terms.currency
        self._named = f"terms of {terms.id} revision {terms.revision}"
        self._rate_type = policy.rate_type
        self._either = policy.quotation == "either"
        self._base = policy.base_currency
        if self._base is not None:
            exponent(self._base, f"{_FIELD}.base_currency")
        self._agreed = _agreed(policy, terms.currency)

    def conversion(self, spent: str, into: str, date: dt.date, rates: Rates) -> Conversion | NoRate:
        """The conversion from a currency into another on a date, or the quotation that is missing."""
        currency, base = into, self._base
        agreed = self._agreed.get(spent) if into == self._currency else None
        if agreed is not None:
            return _conversion(None, _direct(spent, currency, agreed, f"{spent}/{currency} fixed: {self._named}"))
        first = None
        if base is not None and base not in {spent, currency}:
            found = self._step(spent, base, date, rates)
            if isinstance(found, NoRate):
                return found
            first, spent = found, base
        last = self._step(spent, currency, date, rates)
        if isinstance(last, NoRate):
            return last
        made = _conversion(first, last)
        # A quotation that comes to so much is a mistake: it is waited for, as no line could show it.
        return made if made.rate < _RATE_MAX else NoRate(spent, currency, date, self._rate_type)

    def _step(self, spent: str, into: str, date: dt.date, rates: Rates) -> Step | NoRate:
        kind = f"{self._rate_type} " if self._rate_type else ""
        rate = rates.fx_rate(spent, into, date, self._rate_type)
        if rate is not None:
            return _direct(spent, into, rate, f"{kind}{spent}/{into} on {date}")
        rate = rates.fx_rate(into, spent, date, self._rate_type) if self._either else None
        if rate is not None:
            return _divided(spent, into, rate, f"{kind}{into}/{spent} on {date}, the amount divided by it")
        return NoRate(spent, into, date, self._rate_type)


def found_conversion(
    exchange: Exchange | None, spent: str, into: str, date: dt.date, rates: Rates
) -> Conversion | NoRate:
    """The conversion by a contract's policy, or by the plain rate of the pair without one."""
    if exchange is not None:
        return exchange.conversion(spent, into, date, rates)
    rate = rates.fx_rate(spent, into, date)
    return NoRate(spent, into, date) if rate is None else quoted(spent, into, rate, date)


def exchange_of(terms: Engagement) -> Exchange | None:
    """The contract's way to convert; None for the plain rate of the pair at the work date."""
    policy = terms.policies.fx_policy
    return None if policy is None else Exchange(terms, policy)


def _agreed(policy: FxPolicy, currency: str) -> dict[str, int]:
    """Rates fixed by the terms, 10^-10, by their currency."""
    found: dict[str, int] = {}
    for at, agreed in enumerate(policy.agreed_rates):
        field = f"{_FIELD}.agreed_rates[{at}]"
        exponent(agreed.base, f"{field}.base")
        rate = parse_scaled(agreed.rate, FX_PLACES, f"{field}.rate", FX_DIGITS_MAX)
        if agreed.base == currency or agreed.base in found:
            problem = "it is the engagement's own currency" if agreed.base == currency else "a second rate of it"
            fix = "send one rate for each other currency"
            raise UndecodableError("invalid_field", f"{field}.base", problem, fix)
        if rate <= 0:
            problem, fix = f"{agreed.rate[:40]!r} is not above zero", f"send units of {currency} for one unit of base"
            raise UndecodableError("invalid_field", f"{field}.rate", problem, fix)
        found[agreed.base] = rate
    return found
