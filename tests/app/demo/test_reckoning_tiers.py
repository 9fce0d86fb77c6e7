"""The independent reckoning of volume tiers, by hand-made cases whose figures are worked out beside each."""

from __future__ import annotations

import pytest

from .test_reckoning import YEARS, Sent, card, one, reckoned, terms, time

TIERS = [{"above": "10", "rate": "90"}, {"above": "20", "rate": "80"}]
AMOUNTS = [{"above": "1000", "rate": "90"}]


def tiered(rate: str = "100", start: str = "2026-01-01", **agreed: object) -> Sent:
    """100 an hour, above 10 hours 90 and above 20 hours 80."""
    return terms(start_date=start, rates=[{"rate": rate, "volume_tiers": {"tiers": TIERS, **agreed}}])


def work(day: str, quantity: str = "8", **changes: object) -> Sent:
    """An approved entry of a day."""
    return time(**{"id": f"T-{day}", "work_date": f"2026-{day}", "quantity": quantity, **changes})


THREE_DAYS = (work("03-02"), work("03-03"), work("03-04"))


@pytest.mark.parametrize(
    ("contract", "entries", "cents"),
    [
        pytest.param(tiered(), THREE_DAYS, 222_000, id="10 h at 100, 10 at 90, 4 at 80"),
        pytest.param(tiered(), tuple(reversed(THREE_DAYS)), 222_000, id="whatever comes first"),
        pytest.param(tiered(applies="whole_volume"), THREE_DAYS, 192_000, id="24 h at 80"),
        pytest.param(tiered(applies="whole_volume"), (work("03-02", "10"),), 100_000, id="10 h are not above 10"),
        pytest.param(tiered(applies="whole_volume"), (work("03-02", "10.5"),), 94_500, id="10.5 h are"),
        pytest.param(tiered(over="month"), (work("03-31", "12"), work("04-01", "12")), 236_000, id="anew each month: 10 at 100 and 2 at 90, twice"),
        pytest.param(tiered(over="quarter"), (work("02-28", "12"), work("03-31", "12"), work("04-01", "8")), 302_000, id="anew in April"),
        pytest.param(tiered(over="contract_year", start="2025-03-02"), (work("03-01", "12"), work("03-02", "8")), 198_000, id="anew on 2 March"),
        pytest.param(tiered(measure="amount", tiers=AMOUNTS), THREE_DAYS, 226_000, id="10 h are 1,000, 14 at 90"),
        pytest.param(tiered(), (work("03-02", "12"), work("03-03", "-4")), 80_000, id="taken back: 2 at 90, 2 at 100"),
        pytest.param(tiered(), (work("03-02", "12"), work("03-03", "8", status="submitted")), 118_000, id="submitted work is not billed"),
        pytest.param(tiered(), (work("03-02", "12"), work("03-03", "12", rate="50")), 178_000, id="work at its own rate does not count"),
        pytest.param(terms(rates=[{"rate": "800", "unit": "day", "volume_tiers": {"tiers": TIERS[:1]}}]), (work("03-02", "12"),), 102_250, id="days: 10 h at 100, 2 h at 11.25"),
        pytest.param(terms(discount_percent="10", rates=[{"rate": "100", "volume_tiers": {"tiers": TIERS[:1]}}]), (work("03-02", "12"),), 106_200, id="each part less 10 %"),
    ],
)  # fmt: skip
def test_tiers(contract: Sent, entries: tuple[Sent, ...], cents: int) -> None:
    """What is billed for the entries together."""
    assert one(contract, YEARS, *entries).billed == cents


def test_what_is_submitted_is_worth_what_its_place_is() -> None:
    """8 hours after 12: 8 at 90."""
    assert one(tiered(), work("03-02", "12"), work("03-03", status="submitted")).unbilled == 72_000


@pytest.mark.parametrize(("pool", "cents"), [("", 200_000), ("all", 190_000)])
def test_lines_count_apart_and_pools_together(pool: str, cents: int) -> None:
    """10 hours each of two roles: 20 at 100, or 10 at 100 and 10 at 90."""
    lines = [{"role": role, "rate": "100", "volume_tiers": {"tiers": TIERS, "pool": pool}} for role in ("dev", "lead")]
    both = work("03-02", "10", role="dev"), work("03-03", "10", role="lead")
    assert one(terms(rates=lines), *both).billed == cents


def test_a_shared_card_has_tiers() -> None:
    """12 hours by the card of everybody: 10 at 100, 2 at 90."""
    shared = card(lines=[{"rate": "100", "volume_tiers": {"tiers": TIERS}}])
    assert one(shared, work("03-02", "12")).billed == 118_000


@pytest.mark.parametrize(
    ("rate", "tiers"),
    [
        pytest.param("100", {"tiers": list(reversed(TIERS))}, id="falling"),
        pytest.param("100", {"tiers": [{"above": "0", "rate": "1"}]}, id="above nothing"),
        pytest.param("0", {"tiers": AMOUNTS, "measure": "amount"}, id="an amount at no rate"),
    ],
)
def test_terms_nobody_can_mean(rate: str, tiers: dict[str, object]) -> None:
    """They count as undecodable."""
    assert reckoned(terms(rates=[{"rate": rate, "volume_tiers": tiers}])).dead_letters == 1
