"""Volume tiers of the firm: of some T&M engagements' own rates by each measure and period, of one customer's card."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Literal

from ...codecs.engagement import EngagementRate
from ...codecs.rate_card import RateCard, RateLine
from ...codecs.volume_tiers import Tier, VolumeTiers
from .offices import PER_HUNDRED_EURO, amount_text

if TYPE_CHECKING:
    from collections.abc import Callable

BY_CARD: Final = 44
"""T&M engagement of the customer whose card has tiers."""
CUSTOMER: Final = "C-061"
_HOURS: Final = (("24", 17_000), ("60.5", 14_999))
_AMOUNTS: Final = ((400_000, 17_050), (1_200_000, 15_333))


def tiered_rates(number: int, currency: str) -> tuple[EngagementRate, ...]:
    """Own rates with tiers of the engagement with this number; none where none are agreed."""
    return _AGREED[number](currency) if number in _AGREED else ()


def tiered_cards() -> list[RateCard]:
    """The customer's cards, one for each currency."""
    return [
        RateCard(
            id=f"volume-{currency.lower()}",
            version=1,
            scope="customer",
            scope_id=CUSTOMER,
            currency=currency,
            effective_from=dt.date(2025, 1, 1),
            lines=(
                RateLine(rate=amount_text(18_500, currency), volume_tiers=_by_hours(currency)),
                RateLine(role="partner", rate=amount_text(30_000, currency), volume_tiers=_by_hours(currency)),
            ),
        )
        for currency in PER_HUNDRED_EURO
    ]


def _by_hours(currency: str, over: Literal["engagement", "month"] = "engagement", times: int = 1) -> VolumeTiers:
    tiers = tuple(Tier(above=above, rate=amount_text(cents * times, currency)) for above, cents in _HOURS)
    return VolumeTiers(tiers=tiers, over=over, applies="marginal" if over == "engagement" else "whole_volume")


def _by_amount(
    currency: str, over: Literal["quarter", "contract_year"], applies: Literal["marginal", "whole_volume"]
) -> VolumeTiers:
    tiers = tuple(Tier(above=amount_text(top, currency), rate=amount_text(cents, currency)) for top, cents in _AMOUNTS)
    return VolumeTiers(tiers=tiers, measure="amount", over=over, applies=applies)


def _pooled(currency: str) -> tuple[EngagementRate, ...]:
    """Hours of partners and of all others count together."""
    tiers = tuple(Tier(above=above, rate=amount_text(cents, currency)) for above, cents in _HOURS)
    pooled = VolumeTiers(tiers=tiers, pool="everybody")
    return (
        EngagementRate(rate=amount_text(19_000, currency), volume_tiers=pooled),
        EngagementRate(role="partner", rate=amount_text(33_333, currency), volume_tiers=pooled),
    )


_AGREED: Final[dict[int, Callable[[str], tuple[EngagementRate, ...]]]] = {
    23: _pooled,
    29: lambda currency: (
        EngagementRate(rate=amount_text(150_000, currency), unit="day", volume_tiers=_by_hours(currency, "month", 8)),
    ),
    36: lambda currency: (
        EngagementRate(rate=amount_text(18_777, currency), volume_tiers=_by_amount(currency, "quarter", "marginal")),
    ),
    43: lambda currency: (
        EngagementRate(
            rate=amount_text(18_500, currency), volume_tiers=_by_amount(currency, "contract_year", "whole_volume")
        ),
    ),
}
