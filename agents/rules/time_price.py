"""Price of time where a contract or an entry says more than quantity x rate.

An entry in several tiers of a rate is priced part by part, and their sum is rounded; its line shows the amount by its
quantity, rounded to the 10^-6 towards the side from which the contract's mode comes back to the amount.

Steps, in this order, each in the trace where it changes something: rate, multiplier, discount, billable quantity,
rounding of the quantity, minimum or maximum charge, rounding of the amount. The line shows the billed quantity and
the charged rate, so that it multiplies out to its amount (M1); where a minimum or maximum charge replaces the
amount, the line names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from ...codecs.billing import ChargeLimit, TraceStep
from ...codecs.currencies import format_amount
from ...codecs.decimals import RATE_PLACES, format_plain
from ...codecs.engagement import Engagement, Rounding
from ...codecs.entry_state import EntryVersion, Price
from .charged_rate import ChargedRate
from .money import divide
from .pricing import ResolvedRate
from .quantity import BilledQuantity, shown
from .rounding_terms import residue_of

_SHOWN: Final[dict[Rounding, Rounding]] = {"half_up": "half_up", "half_even": "half_even", "up": "down", "down": "up"}
"""How the shown rate of several tiers is rounded, so that quantity x rate, rounded by the key, is the amount again."""


class TimePrice:
    """How one contract prices time. A value: never changed once made.

    plain: quantity x rate is all, unless the entry says more. of(version, found rate) is the price and its trace.
    """

    __slots__ = ("_by_invoice", "_quantity", "_rate", "_terms", "_worth", "plain")

    def __init__(
        self, terms: Engagement, day: int, worth: Callable[[str, str, str], tuple[int, int]], *, limited: bool
    ) -> None:
        """Read the terms; raises UndecodableError. day and worth: as a contract has them; limited: as its rates are."""
        self._terms = terms
        self._worth = worth
        self._rate = ChargedRate(terms)
        self._quantity = BilledQuantity(terms, day)
        self._by_invoice = terms.policies.rounding_place == "invoice"
        self.plain: Final = self._rate.plain and self._quantity.exact and not limited and not self._by_invoice

    def billed(self, version: EntryVersion, rate_unit: str) -> tuple[int, str]:
        """Billed quantity in 10^-6 of a unit, and that unit; `rate_unit` is what a rate is per."""
        quantity, unit, _ = self._quantity.of(version, rate_unit)
        return quantity, unit

    def of(self, version: EntryVersion, found: ResolvedRate) -> tuple[Price, tuple[TraceStep, ...]]:
        """Price a version whose rate is found."""
        terms, rounding = self._terms, self._terms.policies.rounding
        quantity, unit, rounded = self._quantity.of(version, found.unit)
        if found.parts:
            rate, exact = self._in_tiers(version, found, quantity, unit)
        else:
            rate = self._rate.of(version, found)
            exact = self._exact(quantity, unit, rate.rate, rate.unit)
        product = divide(*exact, rounding)
        steps = (*rate.trace, *self._difference(version, rate.rate, rate.unit), *rounded)
        amount, limited_by = _within_limits(product, quantity, rate)
        residue = residue_of(exact, amount, limited=bool(limited_by)) if self._by_invoice else None
        billed = (quantity, unit, limited_by, rate.volume, residue)
        price = Price(rate.rate, rate.unit, amount, terms.currency, rounding, None, *billed)
        factors = f"{shown(quantity, unit)} x {format_plain(rate.rate, RATE_PLACES)}/{rate.unit}"
        if limited_by:
            instead = f"{factors} would be {self._money(product)}"
            steps = (*steps, TraceStep(limited_by, self._money(amount), instead))
        if len(steps) == len(found.trace):
            return price, found.trace
        source = f"{factors}: policies of {terms.id} revision {terms.revision}"
        return price, (*steps, TraceStep("rounding", rounding, source))

    def _in_tiers(
        self, version: EntryVersion, found: ResolvedRate, quantity: int, unit: str
    ) -> tuple[ResolvedRate, tuple[int, int]]:
        """The rate to show for an entry in several tiers, and its exact amount; see _exact."""
        rounding, parts = self._terms.policies.rounding, found.parts
        charged = [self._rate.of(version, structs.replace(found, rate=rate)) for rate, _ in parts]
        value = sum(one.rate * size for one, (_, size) in zip(charged, parts, strict=True))
        numerator, denominator = self._worth(unit, found.unit, self._terms.currency)
        whole = denominator * sum(size for _, size in parts)
        product = divide(quantity * value * numerator, whole, rounding)
        rate = divide(abs(product) * denominator, abs(quantity) * numerator, _SHOWN[rounding])
        factors = f"{self._money(product)} / {shown(quantity, unit)}, each part at the rate of its tier"
        step = TraceStep("tier_rate", f"{format_plain(rate, RATE_PLACES)}/{found.unit}", factors)
        others = [one.trace[-1] for one in charged[1:] if len(one.trace) > len(found.trace)]
        shown_rate = structs.replace(charged[0], rate=rate, trace=(*charged[0].trace, *others, step))
        return shown_rate, (quantity * value * numerator, whole)

    def _money(self, amount: int) -> str:
        return f"{format_amount(amount, self._terms.currency)} {self._terms.currency}"

    def _amount(self, quantity: int, unit: str, rate: int, rate_unit: str) -> int:
        """Minor units of a quantity in 10^-6 of a unit, at a rate in 10^-6 per another; rounded once."""
        return divide(*self._exact(quantity, unit, rate, rate_unit), self._terms.policies.rounding)

    def _exact(self, quantity: int, unit: str, rate: int, rate_unit: str) -> tuple[int, int]:
        """Numerator and denominator of quantity x rate in minor units."""
        numerator, denominator = self._worth(unit, rate_unit, self._terms.currency)
        return quantity * rate * numerator, denominator

    def _difference(self, version: EntryVersion, rate: int, rate_unit: str) -> tuple[TraceStep, ...]:
        """What is billed instead of the worked quantity, and what the difference would be worth."""
        billable, unit = version.billable_quantity, version.unit
        if billable is None or billable == version.quantity:
            return ()
        not_charged = self._amount(version.quantity, unit, rate, rate_unit) - self._amount(
            billable, unit, rate, rate_unit
        )
        worked, charged = shown(version.quantity, unit), shown(billable, unit)
        down = abs(billable) < abs(version.quantity)
        return (
            TraceStep("billable_quantity", charged, f"the entry's own, {worked} worked"),
            TraceStep(
                "not_charged" if down else "over_charged",
                self._money(not_charged if down else -not_charged),
                f"{worked} less {charged}" if down else f"{charged} less {worked}",
            ),
        )


def _within_limits(amount: int, quantity: int, rate: ResolvedRate) -> tuple[int, ChargeLimit]:
    """An amount in minor units between the charges of its rate, with the limit that changed it.

    Limits are whole minor units, so that they may as well hold after rounding. A negative entry is limited as the
    opposite of the positive one; without a quantity nothing is billed.
    """
    size, least, most = abs(amount), rate.minimum_charge, rate.maximum_charge
    if least is not None and size < least and quantity:
        return (least if quantity > 0 else -least), "minimum_charge"
    if most is not None and size > most:
        return (most if quantity > 0 else -most), "maximum_charge"
    return amount, ""
