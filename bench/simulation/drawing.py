"""What some engagements agree about sums of work: prepaid balances, volume tiers, lines that are rounded as a sum.

Their terms are made from the plain ones by a chance of their own, all revisions of an engagement alike, so that the
rest of a history stays as it is.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec

from billtide.codecs.engagement import Drawdown, Engagement, EngagementRate, Refill
from billtide.codecs.volume_tiers import Tier, VolumeTiers

from . import agreed
from .sales import Sold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def agreed_besides(chance: Random, sold: Sold) -> Sold:
    """The same engagements, some of them with such an agreement in every revision."""
    return in_every_revision(sold, {terms.id: _change(chance, terms) for terms in sold.engagements})


def in_every_revision(sold: Sold, agreed: Mapping[str, Callable[[Engagement], Engagement] | None]) -> Sold:
    """The same engagements with what is agreed for some of them, by their ids."""
    changes = {name: change for name, change in agreed.items() if change is not None}
    return Sold(
        [changes[terms.id](terms) if terms.id in changes else terms for terms in sold.engagements],
        [
            (at, changes[thing.id](thing) if isinstance(thing, Engagement) and thing.id in changes else thing)
            for at, thing in sold.sent
        ],
    )


def _change(chance: Random, terms: Engagement) -> Callable[[Engagement], Engagement] | None:
    kind = terms.contract_type
    if kind == "retainer" and agreed.rarely(chance, 2):
        return _drawn_down(chance, terms)
    if kind in {"time_and_materials", "capped"} and agreed.rarely(chance, 3):
        return _tiered(chance)
    if kind == "time_and_materials" and agreed.rarely(chance, 2):
        return _summed(chance, terms)
    return None


def _drawn_down(chance: Random, first: Engagement) -> Callable[[Engagement], Engagement]:
    """A prepaid balance; other revisions may use it up in another way, and bill its terms anew."""
    currency = first.currency
    plain, other = _drawdown(chance, currency), _drawdown(chance, currency)
    changes = agreed.rarely(chance, 2)

    def change(terms: Engagement) -> Engagement:
        if terms.fee is None:
            return terms
        fee = msgspec.structs.replace(
            terms.fee,
            billed="advance",
            billed_terms="rebill" if changes else "keep",
            drawdown=other if changes and terms.revision > 1 else plain,
        )
        return msgspec.structs.replace(terms, fee=fee)

    return change


def _drawdown(chance: Random, currency: str) -> Drawdown:
    threshold, amount = agreed.money(chance, 0, 500, currency), agreed.money(chance, 500, 2_000, currency)
    refills = None, None, Refill(threshold=threshold, amount=amount), Refill(threshold=threshold, up_to=amount)
    return Drawdown(
        overage=chance.choice(("bill", "hold", "absorb")),
        unused=chance.choice(("roll_over", "expire", "refund")),
        rest=chance.choice(("keep", "expire", "refund")),
        includes_expenses=chance.choice((True, False)),
        refill=chance.choice(refills),
    )


def _tiered(chance: Random) -> Callable[[Engagement], Engagement]:
    """Own rates with tiers, in all revisions or from the second on."""
    pool = chance.choice(("", "all"))
    lines = tuple(
        EngagementRate(
            role=role,
            rate=rate,
            unit=chance.choice(("hour", "hour", "day")),
            volume_tiers=_tiers(chance, pool),
            minimum_charge=chance.choice((None, None, "300")),
            region=region,
        )
        for role, rate, region in (("analyst", "101.5", ""), ("", "133.333333", ""), ("", "127.5", "north"))
    )
    from_revision = chance.choice((1, 1, 2))

    def change(terms: Engagement) -> Engagement:
        return msgspec.structs.replace(terms, rates=lines) if terms.revision >= from_revision else terms

    return change


def _tiers(chance: Random, pool: str) -> VolumeTiers:
    measure = chance.choice(("hours", "hours", "amount"))
    above = ("500", "2000", "2001") if measure == "amount" else ("4", "15.5", "16")
    rates = chance.choice((("90", "80.005", "70"), ("140.25", "0", "77.777777")))
    return VolumeTiers(
        tiers=tuple(Tier(above=one, rate=rate) for one, rate in zip(above, rates, strict=True)),
        measure=measure,
        over=chance.choice(("engagement", "month", "quarter", "contract_year")),
        applies=chance.choice(("marginal", "marginal", "whole_volume")),
        pool=pool,
    )


def _summed(chance: Random, first: Engagement) -> Callable[[Engagement], Engagement]:
    """Lines of a month rounded as their sum, in all revisions; a day has one length.

    Corrections are rebilled whole, but for those of lines on invoices: such a line stands in the month it was billed
    in, and were the sums agreed only later, the check could not tell that it did not count there then.
    """
    own = EngagementRate(rate=chance.choice(("100.1", "99.997", "33.333333")))

    def change(terms: Engagement) -> Engagement:
        policies = msgspec.structs.replace(
            terms.policies,
            rounding_place="invoice",
            correction="reverse_and_rebill",
            hours_per_day=first.policies.hours_per_day,
        )
        return msgspec.structs.replace(terms, rates=(own, *terms.rates), policies=policies)

    return change
