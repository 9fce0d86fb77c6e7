"""Reference data: what each record changes, what it wakes, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from billtide.agents.reference import STREAMS
from billtide.codecs import engagement as engagements
from billtide.codecs.errors import UndecodableError
from billtide.tables.reference import FxTable, Reference

from ..builders import Object, Task, account_map, engagement, fx_rate, period, rate_card, resource


def put(reference: Reference, stream: str, sent: Object) -> str | None:
    """Take one record of a reference topic in, as its agent does."""
    how = STREAMS[stream]
    return how.put(reference, how.decode(msgspec.json.encode(sent)))


def refused(stream: str, sent: Object, reference: Reference | None = None) -> UndecodableError:
    """The error a record is refused with; it changes nothing."""
    reference = reference or Reference()
    before = reference.version
    with pytest.raises(UndecodableError) as caught:
        put(reference, stream, sent)
    assert before == reference.version
    return caught.value


FIRST = {
    "rate-cards": (rate_card(), "rates:EUR"),
    "resources": (resource(), "resource:R1"),
    "fx-rates": (fx_rate(), "fx:USD/EUR"),
    "periods": (period(), "period:DE"),
    "account-maps": (account_map({"account": "revenue", "number": "4000"}), "accounts:DE"),
}


@pytest.mark.parametrize("stream", FIRST)
def test_a_record_wakes_what_waits_for_it_once(stream: str) -> None:
    """The first says whom it wakes; the same again changes nothing and wakes nobody."""
    sent, word = FIRST[stream]
    reference = Reference()

    assert [word, None] == [put(reference, stream, sent) for _ in range(2)]
    assert reference.version == 1


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        pytest.param("resources", resource(revision=2, cost_rates=[]), id="resource"),
        pytest.param("fx-rates", fx_rate(revision=2, rate="0.8"), id="exchange-rate"),
        pytest.param("periods", period(revision=2, status="closed"), id="period"),
        pytest.param("rate-cards", rate_card(version=2, effective_from="2026-06-01"), id="card-version"),
        pytest.param("account-maps", account_map(version=2), id="map-version"),
    ],
)
def test_a_later_revision_counts_and_an_earlier_one_does_not(stream: str, sent: Object) -> None:
    """A higher revision wakes again; the first one sent late after it is passed over."""
    first, word = FIRST[stream]
    reference = Reference()
    put(reference, stream, first)

    assert [word, None] == [put(reference, stream, sent), put(reference, stream, first)]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"lines": [{"role": "analyst", "rate": "101"}]}, id="rate"),
        pytest.param({"effective_to": "2026-12-31"}, id="dates"),
        pytest.param({"currency": "USD"}, id="currency"),
        pytest.param({"scope": "customer", "scope_id": "C1"}, id="scope"),
    ],
)
def test_a_rate_card_version_is_immutable(changes: Object) -> None:
    """The same version with another content is refused: its key is id and version, so one would overwrite the other."""
    reference = Reference()
    put(reference, "rate-cards", rate_card())
    error = refused("rate-cards", rate_card(**changes), reference)

    assert (error.field, error.fix) == ("$.version", "send a new version")
    assert error.problem == "version 1 of 'std' was already sent with other rates"


def test_a_restarted_worker_prices_with_the_first_content() -> None:
    """It reads the whole topic again, which keeps every record: the first content counts, however often it came.

    From the last record of the version alone, which is all a compacted topic keeps, it would take the refused content.
    """
    first, refused_one = rate_card(), rate_card(lines=[{"role": "analyst", "rate": "101"}])
    log = [first, refused_one, first, refused_one]

    def read(records: list[Object]) -> int:
        task = Task()
        task.refer("rate-cards", *records)
        [[card]] = task.reference.cards.values()
        return card.lines["analyst", "", "", "", ""].rate

    assert (read(log), read(log[-1:])) == (100_000_000, 101_000_000)


def test_an_account_map_version_is_immutable() -> None:
    """What was posted by it must be found in it."""
    reference = Reference()
    put(reference, "account-maps", account_map())
    error = refused("account-maps", account_map({"account": "revenue", "number": "4000"}), reference)

    assert (error.field, error.fix) == ("$.version", "send a new version")
    assert error.problem == "version 1 of 'DE' was already sent with other numbers"


@pytest.mark.parametrize(
    ("stream", "sent", "field"),
    [
        pytest.param("rate-cards", rate_card(currency="XXX"), "$.currency", id="card-currency"),
        pytest.param("rate-cards", rate_card(scope_id="C1"), "$.scope_id", id="default-card-for-somebody"),
        pytest.param("rate-cards", rate_card(scope="customer"), "$.scope_id", id="customer-card-for-nobody"),
        pytest.param("rate-cards", rate_card(lines=[{"rate": "1"}, {"rate": "2"}]), "$.lines[1]", id="two-defaults"),
        pytest.param("rate-cards", rate_card(lines=[{"rate": "1"}, {"rate": "x", "role": "a"}]), "$.lines[1].rate", id="rate"),
        pytest.param("rate-cards", rate_card(schema_version=2, lines=[{"rate": "1", "resource_id": "R7"}] * 2), "$.lines[1]", id="a-person-twice"),
        pytest.param("rate-cards", rate_card(schema_version=2, lines=[{"rate": "1", "region": "dach"}] * 2), "$.lines[1]", id="a-region-twice"),
        pytest.param("rate-cards", rate_card(schema_version=2, lines=[{"rate": "1", "resource_id": "R7", "region": "dach"}]), "$.lines[0]", id="a-person-and-a-region"),
        pytest.param("rate-cards", rate_card(lines=[{"rate": "1", "resource_id": "R7"}]), "$.schema_version", id="a-person-in-version-1"),
        pytest.param("rate-cards", rate_card(effective_to="2025-12-31"), "$.effective_to", id="card-ends-before-it-starts"),
        pytest.param("resources", resource(cost_rates=[{"rate": "1", "currency": "ZZZ"}]), "$.cost_rates[0].currency", id="cost-currency"),
        pytest.param("resources", resource(cost_rates=[{"rate": "1,0", "currency": "EUR"}]), "$.cost_rates[0].rate", id="cost-rate"),
        pytest.param("resources", resource(weekly_capacity_hours="full"), "$.weekly_capacity_hours", id="capacity"),
        pytest.param("fx-rates", fx_rate(rate="0"), "$.rate", id="rate-zero"),
        pytest.param("fx-rates", fx_rate(rate="-0.9"), "$.rate", id="rate-negative"),
        pytest.param("fx-rates", fx_rate(rate="0.00000000001"), "$.rate", id="rate-too-fine"),
        pytest.param("fx-rates", fx_rate(valid_to="2026-10-31"), "$.valid_to", id="ends-before-it-starts"),
        pytest.param("periods", period(end_date="2026-10-31"), "$.end_date", id="period-ends-before-it-starts"),
        pytest.param("account-maps", account_map(effective_to="2025-12-31"), "$.effective_to", id="map-ends-before-it-starts"),
        pytest.param("account-maps", account_map(*[{"account": "revenue", "number": "4000", "practice": "cloud"}] * 2), "$.lines[1]", id="two-numbers"),
        pytest.param("account-maps", account_map({"account": "petty_cash", "number": "1"}), "$.lines[0].account", id="no-such-account"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_field(stream: str, sent: Object, field: str) -> None:
    """Nothing of a refused record is kept."""
    assert field == refused(stream, sent).field


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param([("01", "30", 9, 1)], {"01": 9, "15": 9, "30": 9}, id="both-ends-included"),
        pytest.param([("10", "20", 9, 1)], {"09": None, "10": 9, "20": 9, "21": None}, id="outside-is-unknown"),
        pytest.param([("01", "30", 9, 1), ("10", "12", 8, 1)], {"09": 9, "10": 8, "12": 8, "13": 9}, id="the-later-start-wins"),
        pytest.param([("10", "12", 8, 1), ("01", "30", 9, 1)], {"09": 9, "11": 8, "13": 9}, id="whichever-came-first"),
        pytest.param([("01", "30", 9, 1), ("01", "10", 7, 2)], {"10": 7, "11": None}, id="a-revision-replaces-its-range"),
        pytest.param([("01", "30", 9, 2), ("01", "10", 7, 1)], {"10": 9, "11": 9}, id="a-lower-revision-does-not"),
        pytest.param([("01", "02", 1, 1), ("05", "06", 2, 1)], {"03": None, "06": 2}, id="gaps"),
    ],
)  # fmt: skip
def test_the_rate_in_force_on_a_date(ranges: list[tuple[str, str, int, int]], expected: dict[str, int | None]) -> None:
    """Of the ranges that cover a date the one that starts last; none covers it: unknown, not the nearest."""

    def day(number: str) -> dt.date:
        return dt.date(2026, 11, int(number))

    table = FxTable()
    for start, end, rate, revision in ranges:
        table.put(day(start), day(end), rate, revision)

    assert expected == {date: table.on(day(date)) for date in expected}


def test_a_rate_without_an_end_is_for_one_day() -> None:
    """valid_to defaults to valid_from; pairs and directions are apart."""
    reference = Reference()
    put(reference, "fx-rates", {name: value for name, value in fx_rate().items() if name != "valid_to"})
    first, second = dt.date(2026, 11, 1), dt.date(2026, 11, 2)

    assert reference.fx_rate("USD", "EUR", first) == 9_000_000_000
    assert reference.fx_rate("USD", "EUR", second) is None
    assert reference.fx_rate("EUR", "USD", first) is None


def test_cards_come_by_precedence_and_in_the_engagements_currency() -> None:
    """Customer, practice, region, default; a scope the engagement does not name has no cards."""
    reference = Reference()
    for scope, scope_id in (
        ("default", ""),
        ("region", "dach"),
        ("practice", "cloud"),
        ("customer", "C1"),
        ("customer", "C2"),
    ):
        put(reference, "rate-cards", rate_card(id=scope + scope_id, scope=scope, scope_id=scope_id))
    put(reference, "rate-cards", rate_card(id="dollars", currency="USD"))

    def ids(**changes: Any) -> list[list[str]]:
        terms = engagements.decode(msgspec.json.encode(engagement(**changes)))
        return [[card.id for card in group] for group in reference.cards_for(terms) if group]

    assert ids(practice="cloud", region="dach") == [["customerC1"], ["practicecloud"], ["regiondach"], ["default"]]
    assert ids() == [["customerC1"], ["default"]]
    assert ids(currency="USD", customer_id="C9") == [["dollars"]]
