"""Volume tiers of a rate: other rates for what lies above so many hours, or so much money."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from .currencies import exponent, parse_amount
from .decimals import RATE_PLACES, parse_rate
from .durations import HOUR, parse_duration
from .errors import UndecodableError
from .wire import DecimalText, OptionalId

TIERS_MAX: Final = 50

TierPeriod = Literal["engagement", "month", "quarter", "contract_year"]


class Tier(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The rate of what lies above a volume, up to the next tier; below the first the line's own rate holds."""

    above: DecimalText
    rate: DecimalText


class VolumeTiers(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Rates that depend on the volume billed at this line of the card, in one engagement.

    measure of the volume: billed hours, or their amount at the line's own rate. It is counted over the engagement, or
    anew for each month, quarter or year of the contract (from its start date) of the work date. `marginal`: each hour
    at the rate of its own tier; `whole_volume`: all at the rate of the tier reached, so that earlier lines change.
    pool: lines that name the same pool are counted as one volume.
    """

    tiers: Annotated[tuple[Tier, ...], msgspec.Meta(min_length=1, max_length=TIERS_MAX)]
    measure: Literal["hours", "amount"] = "hours"
    over: TierPeriod = "engagement"
    applies: Literal["marginal", "whole_volume"] = "marginal"
    pool: OptionalId = ""


class ParsedTiers(msgspec.Struct, frozen=True, gc=False):
    """Tiers as the rules read them. above: microseconds, or 10^-6 of the currency, rising; rates: as ParsedRate has it.

    line: which work they are for, as a trace shows it; the first rate is the line's own.
    """

    above: tuple[int, ...]
    rates: tuple[int, ...]
    by_amount: bool
    over: TierPeriod
    whole: bool
    pool: str
    line: str


def parse_tiers(agreed: VolumeTiers, rate: int, line: str, currency: str, field: str) -> ParsedTiers:
    """Read the tiers of a line with its own rate; raises UndecodableError naming a field below `field`."""
    above, rates = [0], [rate]
    by_amount = agreed.measure == "amount"
    if by_amount and not rate:
        problem = "an amount at a rate of zero never reaches a tier"
        raise UndecodableError("invalid_field", f"{field}.measure", problem, "measure hours, or send a rate")
    micros = 10 ** (RATE_PLACES - exponent(currency))
    for at, tier in enumerate(agreed.tiers):
        place = f"{field}.tiers[{at}].above"
        if by_amount:
            volume = parse_amount(tier.above, currency, place) * micros
        else:
            volume = parse_duration(tier.above, "hour", HOUR, place)
        if volume <= above[-1]:
            problem, fix = "it is not above the tier before it, or zero", "send tiers in rising order"
            raise UndecodableError("invalid_field", place, problem, fix)
        above.append(volume)
        rates.append(parse_rate(tier.rate, f"{field}.tiers[{at}].rate"))
    whole = agreed.applies == "whole_volume"
    return ParsedTiers(tuple(above[1:]), tuple(rates), by_amount, agreed.over, whole, agreed.pool, line)
