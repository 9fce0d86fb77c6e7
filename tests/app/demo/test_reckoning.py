"""The independent reckoning, by hand-made cases whose figures are worked out in the text of each test."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Final

import pytest

from billtide.app.demo.reckoning import Expected, Reckoning, reckon

PLAIN: Final[dict[str, dict[str, object]]] = json.loads("""{
  "time-entries": {"source": "psa", "id": "T-1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1",
    "work_date": "2026-03-02", "quantity": "8", "status": "approved"},
  "expenses": {"source": "psa", "id": "X-1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1",
    "spent_on": "2026-03-02", "category": "rail", "amount": "100", "currency": "EUR", "status": "approved"},
  "approvals": {"source": "psa", "entry_id": "T-1", "entry_revision": 1, "engagement_id": "E-1", "verdict": "approved"},
  "engagements": {"source": "crm", "id": "E-1", "revision": 1, "customer_id": "C-1", "legal_entity_id": "DE",
    "currency": "EUR", "contract_type": "time_and_materials", "start_date": "2026-01-01"},
  "assignments": {"source": "psa", "id": "A-1", "revision": 1, "engagement_id": "E-1", "resource_id": "R-1"},
  "rate-cards": {"id": "STD", "version": 1, "scope": "default", "currency": "EUR", "effective_from": "2026-01-01",
    "lines": [{"rate": "100"}]},
  "resources": {"id": "R-1", "revision": 1, "legal_entity_id": "DE", "role": "dev", "grade": "senior",
    "cost_rates": [{"rate": "50", "currency": "EUR", "effective_from": "2026-01-01"}]},
  "fx-rates": {"base": "USD", "quote": "EUR", "valid_from": "2026-03-01", "valid_to": "2026-03-31", "rate": "0.9"},
  "periods": {"legal_entity_id": "DE", "id": "2026-03", "revision": 1, "status": "open",
    "start_date": "2026-03-01", "end_date": "2026-03-31"}}""")
USUAL: Final = ("engagements", "rate-cards", "resources", "periods")


@dataclass(frozen=True)
class Sent:
    """A record as it stands in a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = 0
    offset: int = 0


def sent(stream: str, **changes: object) -> Sent:
    """A record that differs from the plain one of its stream in what is named."""
    fields = {**PLAIN.get(stream, {}), **changes}
    key = fields["id" if stream == "engagements" else "engagement_id"] if "source" in fields else stream
    return Sent(stream, str(key).encode(), json.dumps(fields).encode())


time, spent, decided = (partial(sent, stream) for stream in ("time-entries", "expenses", "approvals"))
terms, card = partial(sent, "engagements"), partial(sent, "rate-cards")


def reckoned(*records: Sent, without: str = "") -> Reckoning:
    """Reckon some records; a usual stream of which none is given holds its plain record, if it is wanted."""
    given = {record.topic for record in records}
    usual = [sent(stream) for stream in USUAL if stream not in {*given, without}]
    inputs: dict[str, list[Sent]] = {}
    for record in (*usual, *records):
        inputs.setdefault(record.topic, []).append(record)
    return reckon(inputs)


def one(*records: Sent) -> Expected:
    """The engagement E-1 of a reckoning in which nothing waits and nothing is undecodable."""
    result = reckoned(*records)
    assert not result.dead_letters
    assert not set(result.held) - {"cap_reached"}
    return result.engagements["E-1"]


def month(number: int, status: str = "open", revision: int = 1) -> Sent:
    ends = (0, 31, 28, 31, 30, 31, 30)
    name = f"2026-{number:02}"
    dates = {"start_date": f"{name}-01", "end_date": f"{name}-{ends[number]}"}
    return sent("periods", id=name, status=status, revision=revision, **dates)


LATER: Final = "next_open_period"
ONE_DAY: Final = sent("fx-rates", valid_to=None)
HOUR_2: Final = time(revision=2, quantity="1", status="submitted")
YEARS: Final = sent("periods", start_date="2025-01-01", end_date="2026-12-31")


@pytest.mark.parametrize(
    ("mode", "cents"),
    [
        ("half_up", (0, 1, 1, 2, 3)),
        ("half_even", (0, 0, 1, 2, 2)),
        ("up", (1, 1, 1, 2, 3)),
        ("down", (0, 0, 0, 1, 2)),
    ],
)
def test_rounding_modes(mode: str, cents: tuple[int, ...]) -> None:
    """0.4, 0.5, 0.6, 1.5 and 2.5 hours at 0.01 are as many cents, rounded by the mode alike on both sides of zero."""
    for hours, billed in zip(("0.4", "0.5", "0.6", "1.5", "2.5"), cents, strict=True):
        contract = terms(policies={"rounding": mode})
        assert one(contract, time(quantity=hours, rate="0.01")).billed == billed
        assert one(contract, time(quantity=f"-{hours}", rate="0.01")).billed == -billed


@pytest.mark.parametrize(
    ("quantity", "unit", "rate", "cents"),
    [
        ("50", "minute", {"rate": "95.50"}, 7958),  # 50/60 x 95.50 = 79.58333
        ("0.5", "day", {"rate": "100"}, 37500),  # 3.75 hours x 100
        ("6", "hour", {"rate": "1000", "unit": "day"}, 80000),  # 6/7.5 x 1000
        ("20", "minute", {"rate": "1000", "unit": "day"}, 4444),  # 1/22.5 x 1000 = 44.4444
    ],
)
def test_units(quantity: str, unit: str, rate: dict[str, str], cents: int) -> None:
    """Quantity and rate keep their units; a day is the contract's 7.5 hours, and rounding happens once."""
    contract = terms(rates=[rate], policies={"hours_per_day": "7.5"})
    assert one(contract, time(quantity=quantity, unit=unit)).billed == cents


@pytest.mark.parametrize(
    ("currency", "hours", "rate", "price"),
    [
        ("JPY", "1.25", "12345", 15431),  # 15431.25: no places
        ("KWD", "0.333", "25.125", 8367),  # 8.366625: three places
    ],
)
def test_minor_units(currency: str, hours: str, rate: str, price: int) -> None:
    """Yen have no minor unit and Kuwaiti dinar have a thousand fils; hours x 0.5 USD cost is rounded twice."""
    fx = sent("fx-rates", quote=currency, rate="100")
    person = sent("resources", cost_rates=[{"rate": "0.5", "currency": "USD"}])
    got = one(terms(currency=currency), fx, person, time(quantity=hours, rate=rate))
    # 1.25 x 0.5 = 0.625 -> 0.63 USD -> 63 JPY; 0.333 x 0.5 = 0.1665 -> 0.17 USD -> 17.000 KWD
    assert (got.billed, got.cost) == (price, 63 if currency == "JPY" else 17000)


def capped(mode: str = "split", **cap: object) -> Sent:
    return terms(contract_type="capped", cap={"amount": "1000", "mode": mode, **cap})


def test_a_cap_is_split_to_the_minor_unit() -> None:
    """Under a cap of 1000, 800 + 800 + 100 bill 1000 and hold 700, in one, two or three entries."""
    got = reckoned(capped(), time(), time(id="T-2"), spent())
    figures = got.engagements["E-1"]
    assert (figures.billed, figures.held, figures.earned, figures.cost) == (100000, 70000, 100000, 90000)
    assert list(figures.by_entry.values()) == [10_000, 80_000, 10_000]  # the expense is of the day before
    assert (figures.cap_reached, got.held) == (1, {"cap_reached": 1})


def test_a_cap_may_leave_expenses_outside() -> None:
    """With 1600 of time and 100 of expenses, a cap of 1000 on time bills 1100 and holds 600."""
    got = one(capped(includes_expenses=False), time(quantity="16"), spent())
    assert (got.billed, got.held) == (110000, 60000)


def test_a_cap_that_holds_whole_entries() -> None:
    """Of three entries of 400 two fit under 1000; of 300 and 800 the one that was worked first."""
    same = reckoned(capped("hold"), time(quantity="0"), *(time(id=f"T-4{n}", quantity="4") for n in range(3)))
    assert same.held == {"cap_reached": 1}
    assert (same.engagements["E-1"].billed, same.engagements["E-1"].held) == (80000, 40000)
    other = one(capped("hold"), time(quantity="3", work_date="2026-03-04"), time(id="T-2"))
    assert (other.billed, other.held) == (80000, 30000)
    assert one(capped("hold"), time(quantity="11")).billed == 0


def test_a_cap_that_stops_charges_no_more() -> None:
    """Of 1600 under a cap of 1000 that stops, 600 are not charged, and nothing waits."""
    result = reckoned(capped("stop"), time(), time(id="T-2"))
    got = result.engagements["E-1"]
    assert (got.billed, got.held, got.non_chargeable) == (100000, 0, 60000)
    assert not result.held


def test_a_correction_replaces() -> None:
    """8 hours corrected to 6 bill 600; the same revision again and a lower one change nothing."""
    got = reckoned(time(revision=2), time(revision=3, quantity="6"), time(revision=3), time())
    assert got.engagements["E-1"].billed == 60000
    assert (got.entries, got.totals) == (1, {"EUR": 60000})


@pytest.mark.parametrize(
    ("records", "billed", "unbilled"),
    [
        ([time(status="submitted")], 0, 80000),
        ([time(status="submitted"), decided()], 80000, 0),
        ([time(status="submitted"), decided(verdict="rejected")], 0, 0),
        ([time(), decided(verdict="recalled")], 0, 0),
        ([time(status="draft"), decided()], 0, 0),
        ([time(status="rejected"), decided()], 80000, 0),
        ([time(), time(revision=2, status="deleted"), decided(entry_revision=2)], 0, 0),
        ([time(), HOUR_2], 80000, 0),
        ([time(), time(revision=2, quantity="1", status="draft")], 80000, 0),
        ([time(), time(revision=2, status="rejected"), time(revision=3, quantity="1", status="submitted")], 0, 10000),
        ([time(status="submitted"), HOUR_2, decided()], 80000, 0),
        ([time(status="submitted"), decided(verdict="rejected", sequence=2), decided()], 0, 0),
        ([time(status="submitted"), decided(verdict="rejected"), decided(sequence=2)], 80000, 0),
        ([time(status="submitted"), decided(), decided(verdict="rejected", level="finance")], 0, 0),
        ([time(revision=2, status="submitted"), time(), decided()], 0, 80000),
        ([time(), HOUR_2, decided(verdict="rejected", entry_revision=2)], 0, 0),
        ([time(status="submitted"), HOUR_2], 0, 10000),
        ([time(status="submitted"), decided(verdict="rejected"), HOUR_2], 0, 10000),
        ([time(status="submitted"), decided(), decided(verdict="rejected")], 80000, 0),
    ],
)
def test_which_version_counts(records: list[Sent], billed: int, unbilled: int) -> None:
    """The newest approved version is billed at 100 an hour, above no rejected one; else the newest pending accrues."""
    got = one(*records)
    assert (got.billed, got.unbilled, got.cost) == (billed, unbilled, (billed + unbilled) // 2)


def test_a_decision_may_come_before_its_entry() -> None:
    """The streams read in the opposite order give the same money: 8 approved hours bill 800."""
    streams = {"approvals": [decided()], "time-entries": [time(status="submitted")]}
    streams |= {stream: [sent(stream)] for stream in USUAL}
    backwards = dict(reversed(list(streams.items())))
    assert reckon(streams) == reckon(backwards)
    assert reckon(backwards).totals == {"EUR": 80000}


def test_every_level_must_approve() -> None:
    """With two levels one approval leaves 800 in progress, two bill it; an entry sent as approved needs one."""
    contract = terms(policies={"approval_levels": ["manager", "finance"]})
    draft = time(status="submitted")
    assert one(contract, draft, decided()).unbilled == 80000
    assert one(contract, draft, decided(), decided(level="finance")).billed == 80000
    assert one(contract, time(), decided()).billed == 80000
    overturned = one(contract, time(), time(revision=2, quantity="1", status="rejected"), decided(entry_revision=2))
    assert (overturned.billed, overturned.unbilled) == (0, 10000)


def test_a_decision_is_about_one_kind() -> None:
    """Time and expense of one id are two entries: approving the expense of 100 leaves 800 of time in progress."""
    both = [time(id="1", status="submitted"), spent(id="1", status="submitted")]
    got = one(*both, decided(entry_type="expense", entry_id="1"))
    assert (got.billed, got.unbilled) == (10000, 80000)


def test_accrual_at_approval() -> None:
    """When the contract accrues at approval, 8 submitted hours are worth nothing and wait for nothing."""
    got = reckoned(terms(policies={"accrue_at": "approval"}), time(status="submitted"), without="resources")
    assert (got.engagements["E-1"].unbilled, got.engagements["E-1"].cost, got.held, got.entries) == (0, 0, {}, 1)


def test_a_fixed_fee_is_earned_by_cost() -> None:
    """IFRS 15, example 8: of 700 000 expected cost 420 000 is 60 %, so 600 000 of 1 000 000 is earned."""
    fee = {"amount": "1000000", "estimated_cost": "700000"}
    contract = terms(contract_type="fixed_fee", fee=fee, expenses={"policy": "non_billable"})
    hours = time(quantity="2400")  # x 50 = 120 000
    got = one(contract, hours, spent(amount="300000"), time(id="T-2", status="submitted"))
    assert (got.earned, got.billed, got.fees, got.cost) == (60000000, 0, 0, 42040000)
    assert one(contract, hours, spent(amount="900000")).earned == 100000000  # never above the fee


def test_a_fixed_fee_never_earns_less_than_nothing() -> None:
    """Hours that are taken back for more than was worked earn nothing; the fee is not turned around."""
    fee = {"amount": "1000000", "estimated_cost": "700000"}
    got = one(terms(contract_type="fixed_fee", fee=fee), time(quantity="-8"))
    assert (got.earned, got.cost) == (0, -40000)


def test_hours_count_as_what_they_are() -> None:
    """Hours handed in, approved and non-billable are three sums; 50 minutes are 0.833333 hours, a day here is 7.5."""
    contract = terms(policies={"hours_per_day": "7.5"})
    got = one(
        contract,
        time(quantity="50", unit="minute", status="submitted"),
        time(id="T-2", quantity="1", unit="day"),
        time(id="T-3", quantity="2", billable=False),
        time(id="T-4", quantity="3", status="rejected"),
    )
    assert got.hours == (Fraction(5, 6), Fraction(15, 2), 2)
    assert got.hours.shown() == (Fraction("0.833333"), Fraction("7.5"), 2)


def test_hours_of_what_waits_count_too() -> None:
    """Hours are known before their money is; nobody's hours are for the customer of an internal engagement."""
    waits = reckoned(terms(contract_type="internal"), time(), without="resources")
    assert waits.held == {"resource_unknown": 1}
    assert waits.engagements["E-1"].hours == (0, 0, 8)


def test_mark_up_with_exchange() -> None:
    """100.55 USD at 0.9 cost 90.495 -> 90.50; with 15 % they are priced 104.06925 -> 104.07, not 90.50 x 1.15."""
    contract = terms(expenses={"policy": "mark_up", "mark_up_percent": "15"})
    got = one(contract, sent("fx-rates"), spent(amount="100.55", currency="USD"))
    assert (got.billed, got.earned, got.cost) == (10407, 10407, 9050)
    down = terms(policies={"rounding": "down"}, expenses={"policy": "at_cost", "mark_up_percent": "15"})
    got = one(down, sent("fx-rates"), spent(amount="0.05", currency="USD"))
    assert (got.billed, got.cost) == (4, 5)  # 4.5 cents: the cost is half up whatever the contract says


@pytest.mark.parametrize(
    ("contract", "line"),
    [
        ({"expenses": {"policy": "non_billable"}}, {}),
        ({}, {"billable": False}),
        ({"contract_type": "internal"}, {}),
        ({"contract_type": "non_billable"}, {"status": "submitted"}),
    ],
)
def test_unpriced_work_costs(contract: dict[str, object], line: dict[str, object]) -> None:
    """An expense of 100 that nobody pays for is cost alone."""
    got = one(terms(**contract), spent(**line))
    assert (got.billed, got.unbilled, got.earned, got.cost) == (0, 0, 0, 10000)


def test_unbillable_hours_cost() -> None:
    """8 hours that are not billable need no rate and cost 400; the cost rate that began last before them counts."""
    began = [("2026-01-01", "40"), ("2026-03-02", "50"), ("2026-03-03", "60")]
    rates = [{"rate": rate, "currency": "EUR", "effective_from": begins} for begins, rate in began]
    got = one(sent("resources", cost_rates=rates), card(currency="USD"), time(billable=False))
    assert (got.billed, got.unbilled, got.cost) == (0, 0, 40000)


@pytest.mark.parametrize(
    ("billed", "term", "end", "count"),
    [
        ("advance", "quarter", None, 2),  # 31 January, 30 April; the period of 31 July is unknown
        ("arrears", "quarter", None, 1),  # 29 April; that of 30 July is unknown
        ("advance", "month", "2026-04-30", 4),  # 31 January, 28 February, 31 March, 30 April
        ("arrears", "month", "2026-04-29", 3),  # 27 February, 30 March, 29 April
        ("advance", "year", None, 1),
        ("arrears", "year", None, 0),
    ],
)
def test_a_retainer_bills_its_terms(billed: str, term: str, end: str | None, count: int) -> None:
    """Fees of 30 000 from 31 January fall due term by term as long as their period can be posted to."""
    fee = {"amount": "30000", "term": term, "billed": billed}
    contract = terms(contract_type="retainer", start_date="2026-01-31", end_date=end, fee=fee)
    months = [month(number) for number in range(1, 7)]
    got = one(contract, *months, time(), spent())
    assert (got.fees, got.billed, got.earned) == (3000000 * count, 10000, 3000000 * count + 10000)


def test_a_retainer_waits_in_order() -> None:
    """Of monthly fees of 100 from January on, a February that is not open yet stops all later ones."""
    contract = terms(contract_type="retainer", fee={"amount": "100"})
    assert reckoned(contract, month(1), month(2, "future"), month(3)).totals == {"EUR": 10000}
    assert reckoned(contract, month(1), month(2, "closed"), month(3)).totals == {"EUR": 10000}
    late = terms(contract_type="retainer", fee={"amount": "100", "billed": "arrears"})
    assert reckoned(late, month(1)).totals == {"EUR": 10000}  # 31 January
    moved = terms(contract_type="retainer", fee={"amount": "100"}, policies={"closed_period": "next_open_period"})
    assert reckoned(moved, month(1), month(2, "closed"), month(3)).totals == {"EUR": 30000}


SHARED: Final = [
    ("default", "", [{"rate": "10"}]),
    ("region", "EU", [{"rate": "20"}]),
    ("practice", "P", [{"rate": "30", "role": "none"}]),
    ("customer", "C-1", [{"rate": "40", "item": "night"}]),
    ("customer", "C-1", [{"rate": "50", "role": "dev"}]),
    ("customer", "C-1", [{"rate": "60", "role": "dev", "grade": "senior"}]),
]


PERSONAL: Final = [
    {"rate": "10"},
    {"rate": "20", "role": "dev", "grade": "senior"},
    {"rate": "30", "region": "EU"},
    {"rate": "40", "region": "EU", "role": "dev"},
    {"rate": "50", "resource_id": "R-1"},
    {"rate": "60", "resource_id": "R-1", "item": "night"},
]


@pytest.mark.parametrize(
    ("who", "known", "billed"),
    [
        pytest.param({}, 4, 2000, id="no region"),
        pytest.param({"region": "US"}, 4, 2000, id="another region"),
        pytest.param({"region": "EU"}, 3, 3000, id="region over role and grade"),
        pytest.param({"region": "EU"}, 4, 4000, id="region with role"),
        pytest.param({"region": "EU"}, 5, 5000, id="person over region"),
        pytest.param({}, 6, 6000, id="person with item"),
    ],
)
def test_a_line_for_the_person_wins_over_one_for_the_region(who: dict[str, str], known: int, billed: int) -> None:
    """On a shared card and among the engagement's own rates alike."""
    night, person = time(quantity="1", item="night"), sent("resources", revision=2, **who)
    lines = PERSONAL[:known]

    assert one(card(id="K", version=2, schema_version=2, lines=lines), person, night).billed == billed
    assert one(terms(schema_version=2, rates=lines), person, night).billed == billed


def test_which_rate_wins() -> None:
    """Entry over assignment over the engagement's own over customer, practice, region and default card."""
    place = {"practice": "P", "region": "EU"}
    cards = [card(id=f"K{9 - n}", scope=at[0], scope_id=at[1], lines=at[2]) for n, at in enumerate(SHARED)]
    night = time(quantity="1", item="night")
    for known, rate in ((1, 10), (2, 20), (3, 20), (4, 40), (5, 50), (6, 60)):
        assert one(terms(**place), *cards[:known], night).billed == rate * 100
    own = [{"rate": rate, "effective_from": f"2026-03-0{day}"} for day, rate in ((2, "75"), (1, "70"), (3, "1"))]
    assert one(terms(**place, rates=own), *cards, night).billed == 7500
    planned = time(quantity="1", assignment_id="A-1")
    assert one(*cards, sent("assignments"), planned).billed == 6000
    assert one(*cards, sent("assignments", rate="80"), planned).billed == 8000
    assert one(*cards, sent("assignments", revision=2, rate="85"), sent("assignments"), planned).billed == 8500
    assert one(*cards, time(quantity="1", rate="90", assignment_id="none")).billed == 9000


def test_whose_role_and_grade() -> None:
    """Role and grade are the entry's, else the person's; without either an item's line wins over the card's default."""
    lines = [{"rate": "10"}, {"rate": "20", "item": "night"}, {"rate": "30", "role": "lead", "grade": "junior"}]
    shared = card(lines=[*lines, {"rate": "40", "role": "lead", "grade": "senior"}])
    assert one(shared, time(quantity="1", role="lead")).billed == 4000
    assert one(shared, time(quantity="1", role="lead", grade="junior")).billed == 3000
    nobody = sent("resources", role="", grade="")
    assert one(shared, nobody, time(quantity="1", item="night")).billed == 2000


def test_versions_of_a_card() -> None:
    """The version that began last is in force until it ends; its first content counts; other currencies do not."""

    def version(number: int, begins: str, rate: str, **more: object) -> Sent:
        return card(version=number, effective_from=begins, lines=[{"rate": rate}], **more)

    first, hour = version(1, "2026-01-01", "10"), time(quantity="1")
    assert one(first, version(2, "2026-03-02", "20"), version(3, "2026-03-03", "30"), hour).billed == 2000
    assert one(first, version(2, "2026-01-01", "20"), version(2, "2026-01-01", "30"), hour).billed == 2000
    assert one(version(2, "2026-02-01", "20"), version(3, "2026-01-01", "30"), hour).billed == 2000
    assert one(first, version(1, "2026-01-01", "5", id="AAA", currency="USD"), hour).billed == 1000
    assert one(version(1, "2026-01-01", "10", effective_to="2026-03-02"), hour).billed == 1000
    ended = version(2, "2026-02-01", "20", effective_to="2026-03-01")
    assert reckoned(first, ended, hour).held == {"rate_missing": 1}
    assert one(first, ended, version(1, "2026-01-01", "5", id="ZZZ"), hour).billed == 500


def test_the_latest_revision_of_a_reference_counts() -> None:
    """Revision 2 of a person costs 60 an hour, whatever comes later; an exchange rate that began last wins."""
    assert one(terms(currency="EUR"), terms(contract_type="internal"), time()).billed == 80000
    assert one(sent("periods", revision=2), sent("periods", status="closed"), time()).billed == 80000
    person = sent("resources", revision=2, cost_rates=[{"rate": "60", "currency": "USD"}])
    rates = [sent("fx-rates", rate="0.5", revision=2), sent("fx-rates"), sent("fx-rates", valid_from="2026-02-01")]
    assert one(person, sent("resources"), *rates, time()).cost == 24000  # 8 x 60 x 0.5
    day = sent("fx-rates", valid_from="2026-03-02", valid_to=None, rate="2")
    assert one(person, *rates, day, time()).cost == 96000  # 8 x 60 x 2
    fine = sent("fx-rates", rate="0.0000000001")
    assert one(fine, spent(amount="1000000000000", currency="USD")).cost == 10000  # ten places


@pytest.mark.parametrize(
    ("reason", "without", "records"),
    [
        ("engagement_unknown", "engagements", [time(), spent(), time(id="T-2", status="draft")]),
        ("period_unknown", "periods", [time(), spent()]),
        ("period_future", "", [time(), spent(), month(3, "future")]),
        ("period_closed", "", [time(), spent(), month(3, "closed"), month(4)]),
        ("period_closed", "", [time(), spent(), month(3, "closed"), terms(policies={"closed_period": LATER})]),
        ("resource_unknown", "resources", [time(), time(id="T-2", status="submitted")]),
        ("cost_rate_missing", "", [time(work_date="2025-12-31"), time(id="T-2", work_date="2025-12-31"), YEARS]),
        ("fx_rate_missing", "", [spent(currency="USD"), spent(id="X-2", currency="USD"), ONE_DAY]),
        ("fx_rate_missing", "", [time(), time(id="T-2"), terms(currency="USD"), card(currency="USD")]),
        ("assignment_unknown", "", [time(assignment_id="A-1"), time(id="T-2", assignment_id="A-2")]),
        ("rate_missing", "rate-cards", [time(), time(id="T-2")]),
    ],
)
def test_what_an_entry_waits_for(reason: str, without: str, records: list[Sent]) -> None:
    """Two entries wait for what is missing and have no money at all."""
    got = reckoned(*records, without=without)
    assert (got.held, got.dead_letters) == ({reason: 2}, 0)
    for figures in got.engagements.values():
        assert (figures.billed, figures.unbilled, figures.cost, figures.earned) == (0, 0, 0, 0)


def test_closed_periods_may_move_on() -> None:
    """With next_open_period, work in a closed March is billed because April is open."""
    assert one(terms(policies={"closed_period": LATER}), month(3, "closed"), month(4), time()).billed == 80000


def test_plans() -> None:
    """10 + 20 planned hours at 50 cost 1500; a cancelled plan is none; a cost nobody knows is unknown."""
    weeks = [{"week": "2026-03-02", "hours": "10"}, {"week": "2026-03-09", "hours": "20"}]
    off = sent("assignments", id="A-2", weeks=weeks, status="cancelled")
    got = one(sent("assignments", weeks=weeks), off)
    assert (got.planned_hours, got.planned_cost) == (Fraction(30), 150000)
    assert one(sent("assignments", engagement_id="E-2", weeks=weeks)).planned_hours == 0
    early = [{"week": "2025-12-29", "hours": "1"}]
    assert one(sent("assignments", weeks=early)).planned_cost is None
    assert one(sent("assignments", weeks=weeks, resource_id="R-9")).planned_cost is None


def test_cost_at_completion() -> None:
    """700 as the terms estimate and waste besides, else 500 as planned; 400 or 800 that have arisen; else unknown."""
    plan = sent("assignments", weeks=[{"week": "2026-03-02", "hours": "10"}])
    fee = terms(contract_type="fixed_fee", fee={"amount": "1000", "estimated_cost": "700"})
    nobody = sent("assignments", id="A-2", resource_id="R-9", weeks=[{"week": "2026-03-02", "hours": "1"}])
    cases = (
        ((fee, plan, time()), 70000),
        ((fee, nobody, time(quantity="16")), 80000),
        ((fee, time(progress_excluded="waste")), 110000),
        ((fee, time(progress_excluded="waste", status="submitted")), 70000),
        ((plan, time()), 50000),
        ((plan, time(quantity="16")), 80000),
        ((plan, nobody), None),
        ((time(),), None),
    )
    assert [one(*records).estimate_at_completion for records, _ in cases] == [due for _, due in cases]


FEE: Final = {"amount": "10", "estimated_cost": "5"}
BAD: Final = [
    *(Sent("time-entries", b"E-1", value) for value in (None, b"", b"{", b"[]", b"\xff")),
    *(time(quantity=text) for text in (8, "8,5", "1e3", "+1", ".5", "5.", " 8", "1234567890123456", "1.2345678")),
    *(time(**change) for change in ({"unit": "unit"}, {"unit": "week"}, {"status": "sent"}, {"source": "a:b"})),
    *(time(**change) for change in ({"rate": "1.0000001"}, {"revision": 0}, {"work_date": "2026-02-30"}, {"id": ""})),
    *(spent(**change) for change in ({"amount": "1.005"}, {"currency": "XXY"}, {"currency": "JPY", "amount": "1.5"})),
    *(decided(**change) for change in ({"verdict": "maybe"}, {"source": "a:b"}, {"level": "boss"}, {"sequence": 0})),
    *(replace(plain, key=b"E-2") for plain in (time(), spent(), decided(), terms(), sent("assignments"))),
    *(replace(plain, key=None) for plain in (time(), terms())),
    *(replace(sent(name), headers=(("ce_type", b"billtide.other.v1"),)) for name in PLAIN),
    *(terms(contract_type=kind) for kind in ("capped", "fixed_fee", "retainer", "barter")),
    *(terms(contract_type="fixed_fee", fee={**FEE, "estimated_cost": cost}) for cost in (None, "0", "-1", "")),
    *(terms(policies={"hours_per_day": hours}) for hours in ("0", "-8")),
    terms(planned_revenue="1.005"),
    *(terms(**change) for change in ({"end_date": "2025-12-31"}, {"currency": "XAU"}, {"fee": {"amount": "1.005"}})),
    *(sent("assignments", weeks=[{"week": f"2026-03-0{day}", "hours": "1"}] * day) for day in (2, 3)),
    sent("assignments", weeks=[{"week": "2026-03-03", "hours": "1"}]),
    *(card(**change) for change in ({"currency": "EURO"}, {"scope_id": "C-1"}, {"scope": "customer"})),
    *(
        card(schema_version=2, lines=[{"rate": "1", "region": "EU", **twice}] * 2)
        for twice in ({}, {"resource_id": "R-1"})
    ),
    card(lines=[{"rate": "1", "region": "EU"}]),
    terms(rates=[{"rate": "1", "resource_id": "R-1"}]),
    *(sent("fx-rates", **change) for change in ({"rate": "0"}, {"rate": "-1"}, {"base": "XYZ"})),
    *(sent("resources", **change) for change in ({"weekly_capacity_hours": "x"}, {"schema_version": 2})),
    sent("periods", status="ajar"),
]


@pytest.mark.parametrize("record", BAD)
def test_dead_letters(record: Sent) -> None:
    """An undecodable record is counted and otherwise as if it had never come."""
    good = [time(id="T-9"), *(sent(stream) for stream in USUAL)]
    with_it, without_it = reckoned(record, *good), reckoned(*good)
    assert with_it == replace(without_it, dead_letters=1)


def test_what_can_be_decoded() -> None:
    """Zeros beyond the places, the right ce_type and unknown fields are no reason to refuse a record."""
    long = time(quantity="8.00000000", note_of_the_sender="x")
    typed = replace(spent(amount="100.000"), headers=(("ce_type", b"billtide.expense.v1"), ("other", b"")))
    assert one(long, typed).billed == 90000


def test_totals_by_currency() -> None:
    """Two contracts in EUR and one in JPY: 800 + 100 EUR and 5 yen, never added up together."""
    yen = terms(id="E-3", currency="JPY")
    more = [terms(), terms(id="E-2"), yen, time(), spent(engagement_id="E-2")]
    got = reckoned(*more, spent(engagement_id="E-3", amount="5", currency="JPY"))
    assert got.totals == {"EUR": 90000, "JPY": 5}
    assert (got.entries, got.held) == (3, {})
