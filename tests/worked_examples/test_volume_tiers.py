"""Published figures of volume tiers, one entry a unit; both kinds are shown for the same volumes."""

from __future__ import annotations

import pytest

from ..builders import engagement, ready_task, time_entry

SEVEN = ("7", [{"above": "5", "rate": "6.5"}, {"above": "10", "rate": "6"}])
"""Stripe, set up tiered pricing: 7 USD up to 5, 6.50 up to 10, 6 above."""
FIVE = ("5", [{"above": "5", "rate": "4"}, {"above": "10", "rate": "3"}, {"above": "15", "rate": "2"}, {"above": "20", "rate": "1"}])  # fmt: skip
"""Stripe, tiers: 5 USD up to 5, then 4, 3, 2, and 1 above 20."""

CASES = [
    pytest.param(SEVEN, "whole_volume", 1, "7.00", id="stripe-tiered-pricing-volume-1"),
    pytest.param(SEVEN, "whole_volume", 5, "35.00", id="stripe-tiered-pricing-volume-5"),
    pytest.param(SEVEN, "whole_volume", 6, "39.00", id="stripe-tiered-pricing-volume-6"),
    pytest.param(SEVEN, "whole_volume", 20, "120.00", id="stripe-tiered-pricing-volume-20"),
    pytest.param(SEVEN, "whole_volume", 25, "150.00", id="stripe-tiered-pricing-volume-25"),
    pytest.param(SEVEN, "marginal", 5, "35.00", id="stripe-tiered-pricing-graduated-5"),
    pytest.param(SEVEN, "marginal", 6, "41.50", id="stripe-tiered-pricing-graduated-6"),
    pytest.param(FIVE, "whole_volume", 6, "24.00", id="stripe-tiers-volume-6"),
    pytest.param(FIVE, "whole_volume", 20, "40.00", id="stripe-tiers-volume-20"),
    pytest.param(FIVE, "whole_volume", 25, "25.00", id="stripe-tiers-volume-25"),
    pytest.param(FIVE, "marginal", 6, "29.00", id="stripe-tiers-graduated-6"),
]


@pytest.mark.parametrize(("card", "applies", "units", "total"), CASES)
def test_a_volume_costs_what_is_published(
    card: tuple[str, list[dict[str, str]]], applies: str, units: int, total: str
) -> None:
    """An hour for each unit, sent one by one: what stands is the published sum, which may fall as the volume rises."""
    rate, tiers = card
    task = ready_task(engagement(rates=[{"rate": rate, "volume_tiers": {"tiers": tiers, "applies": applies}}]))
    for at in range(units):
        task.send("time-entries", time_entry(id=str(at), status="approved", quantity="1"))

    assert task.figures()["billed"] == total
