"""Volume tiers on the wire: what is read, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from billtide.codecs import rate_card as rate_cards
from billtide.codecs.errors import UndecodableError

from ..builders import rate_card

if TYPE_CHECKING:
    from billtide.codecs.volume_tiers import ParsedTiers

    from ..builders import Object


def parsed(currency: str = "EUR", rate: str = "100", **tiers: object) -> ParsedTiers | None:
    """The tiers of a card's only line."""
    lines = [{"role": "analyst", "rate": rate, "volume_tiers": tiers}]
    sent = rate_card(currency=currency, lines=lines)
    return rate_cards.parse(rate_cards.decode(msgspec.json.encode(sent))).lines["analyst", "", "", "", ""].tiers


def above(*volumes: str) -> list[Object]:
    """Tiers above these volumes, each at 1."""
    return [{"above": volume, "rate": "1"} for volume in volumes]


def test_thresholds_are_microseconds_or_millionths() -> None:
    """Hours become microseconds, amounts 10^-6 of the currency whatever its minor unit; the own rate comes first."""
    hours = parsed(tiers=above("1.5", "2"))
    euros = parsed(tiers=above("1.5"), measure="amount")
    yen = parsed("JPY", tiers=above("15"), measure="amount")
    assert hours is not None
    assert euros is not None
    assert yen is not None

    assert (hours.above, hours.rates) == ((5_400_000_000, 7_200_000_000), (100_000_000, 1_000_000, 1_000_000))
    assert (euros.above, yen.above) == ((1_500_000,), (15_000_000,))


@pytest.mark.parametrize(
    ("sent", "field", "problem"),
    [
        pytest.param({"tiers": []}, "$.lines[0].volume_tiers.tiers", "length >= 1", id="none"),
        pytest.param({"tiers": above("0")}, "$.lines[0].volume_tiers.tiers[0].above", "not above", id="zero"),
        pytest.param({"tiers": above("9", "9")}, "$.lines[0].volume_tiers.tiers[1].above", "not above", id="not-rising"),
        pytest.param({"tiers": above("9.001"), "measure": "amount"}, "$.lines[0].volume_tiers.tiers[0].above", "more than 2 decimal places", id="parts-of-a-cent"),
        pytest.param({"tiers": above("9"), "measure": "amount", "rate": "0"}, "$.lines[0].volume_tiers.measure", "never reaches a tier", id="amount-of-free-work"),
        pytest.param({"tiers": [{"above": "9", "rate": "-1"}]}, "$.lines[0].volume_tiers.tiers[0].rate", "below zero", id="rate-below-zero"),
        pytest.param({"tiers": above("9"), "over": "week"}, "$.lines[0].volume_tiers.over", "'week'", id="unknown-period"),
    ],
)  # fmt: skip
def test_tiers_that_make_no_sense_are_refused(sent: Object, field: str, problem: str) -> None:
    """The field is named with what is wrong."""
    with pytest.raises(UndecodableError) as refused:
        parsed(**sent)

    assert refused.value.field == field
    assert problem in refused.value.problem
