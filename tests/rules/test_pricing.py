"""Which rate applies: every layer of precedence, every kind of line, dated versions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from billtide.agents.rules.pricing import RateBook, Whose
from billtide.codecs.decimals import format_plain
from billtide.codecs.errors import UndecodableError

from .builders import DAY, MILLION, Known, Ledger, card, contract, person, terms, version

if TYPE_CHECKING:
    from billtide.codecs.rate_card import ParsedCard

    from .. import builders as records

LINES = [
    {"rate": "10"},
    {"rate": "20", "item": "onsite"},
    {"rate": "30", "role": "analyst"},
    {"rate": "40", "role": "analyst", "grade": "senior"},
]


def price(book: RateBook, role: str = "analyst", grade: str = "", item: str = "", date: dt.date = DAY) -> str | None:
    """The rate a book gives, as text."""
    found = book.resolve(role, grade, item, date)
    return None if found is None else f"{format_plain(found.rate, 6)}/{found.unit}"


def flat(rate: str, scope: str = "default", **changes: object) -> ParsedCard:
    """A card with one rate for everything."""
    scope_id = "" if scope == "default" else "X"
    return card(id=scope, scope=scope, scope_id=scope_id, lines=[{"rate": rate}], **changes)


@pytest.mark.parametrize(
    ("role", "grade", "item", "expected"),
    [
        pytest.param("analyst", "senior", "onsite", "40/hour", id="role-and-grade"),
        pytest.param("analyst", "junior", "onsite", "30/hour", id="role"),
        pytest.param("analyst", "", "", "30/hour", id="role-without-grade"),
        pytest.param("partner", "senior", "onsite", "20/hour", id="item"),
        pytest.param("partner", "senior", "remote", "10/hour", id="default"),
        pytest.param("", "senior", "", "10/hour", id="a-grade-alone-prices-nothing"),
        pytest.param("", "", "", "10/hour", id="nothing-said"),
    ],
)
def test_inside_a_card_the_most_telling_line_wins(role: str, grade: str, item: str, expected: str) -> None:
    """Role and grade, then role, then item, then the card's default."""
    assert expected == price(RateBook(terms(), [[card(lines=LINES)]]), role, grade, item)
    assert expected == price(RateBook(terms(rates=LINES), []), role, grade, item)


PERSONAL = [
    *LINES,
    {"rate": "50", "region": "dach"},
    {"rate": "60", "region": "dach", "role": "analyst"},
    {"rate": "70", "region": "uk", "item": "onsite"},
    {"rate": "80", "resource_id": "R7"},
    {"rate": "90", "resource_id": "R7", "role": "partner"},
    {"rate": "95", "resource_id": "R8", "role": "partner"},
]


@pytest.mark.parametrize(
    ("who", "work", "expected"),
    [
        pytest.param(("R7", "dach"), ("analyst", "senior", ""), "80/hour", id="person over region"),
        pytest.param(("R7", ""), ("partner", "", "onsite"), "90/hour", id="person with role over person"),
        pytest.param(("R8", "dach"), ("partner", "", ""), "95/hour", id="person with role"),
        pytest.param(("R8", "dach"), ("analyst", "", ""), "60/hour", id="another role than the person's line"),
        pytest.param(("R8", ""), ("analyst", "", ""), "30/hour", id="another role, no region"),
        pytest.param(("R1", "dach"), ("analyst", "senior", ""), "60/hour", id="region with role over role and grade"),
        pytest.param(("R1", "dach"), ("partner", "", "onsite"), "50/hour", id="region over item"),
        pytest.param(("R1", "uk"), ("partner", "", "onsite"), "70/hour", id="region with item"),
        pytest.param(("R1", "uk"), ("partner", "", ""), "10/hour", id="no line of the region for the work"),
        pytest.param(("R1", "apac"), ("analyst", "senior", ""), "40/hour", id="a region without lines"),
        pytest.param(("R1", ""), ("analyst", "", ""), "30/hour", id="a person without a region"),
        pytest.param(("dach", "R7"), ("analyst", "", ""), "30/hour", id="ids of another kind"),
    ],
)
def test_lines_of_the_person_win_over_those_of_the_region_over_all_others(
    who: tuple[str, str], work: tuple[str, str, str], expected: str
) -> None:
    """Among each of them the order is the same: role and grade, role, item, default."""
    books = (
        RateBook(terms(), [[card(schema_version=2, lines=PERSONAL)]]),
        RateBook(terms(schema_version=2, rates=PERSONAL), []),
    )

    for book in books:
        found = book.resolve(*work, DAY, book.whose(person(id=who[0], region=who[1])))
        assert found is not None
        assert expected == f"{format_plain(found.rate, 6)}/{found.unit}"


def test_the_nearer_card_wins_over_a_line_for_the_person() -> None:
    """The engagement's own rate for everybody over a shared rate for this person."""
    shared = card(schema_version=2, lines=[{"rate": "200", "resource_id": "R1"}])
    ledger = Ledger(contract(cards=[[shared]], rates=[{"rate": "70"}]))
    ledger.send(version(status="approved"))

    assert ledger.billed() == [("charge", "560.00")]


def test_a_book_remembers_no_more_rates_than_its_lines_tell_apart() -> None:
    """What is remembered is shared by all entries: people without a line of their own add nothing to it."""
    book = RateBook(terms(), [[card(schema_version=2, lines=PERSONAL)]])
    for name in ("R7", *(f"X{number}" for number in range(20))):
        book.resolve("analyst", "", "", DAY, book.whose(person(id=name, region=f"region of {name}")))

    assert book.resolve.cache_info().currsize == 2
    assert book.whose(person(id="R1", region="uk")) == Whose("", "uk")
    assert (book.personal, RateBook(terms(), [[card(lines=LINES)]]).personal) == (True, False)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        pytest.param({"resource_id": "R1"}, "role analyst, grade -, item -, resource R1", id="person"),
        pytest.param({"region": "dach"}, "role analyst, grade -, item -, region dach", id="region"),
    ],
)
def test_the_trace_names_the_person_or_region_of_the_line(line: records.Object, source: str) -> None:
    """Only where the line has one, so that what is told of other lines stays as it was."""
    lines = [{"rate": "100"}, {"rate": "120", **line}]
    ledger = Ledger(contract(schema_version=2, rates=lines), Known(person(region="dach")))
    ledger.send(version(status="approved"))
    (step,) = ledger.effects.billing[0].trace

    assert (step.value, step.source.partition(", ")[2]) == ("120/hour", source)


def test_tiers_of_a_person_are_counted_apart() -> None:
    """The hours of a line for one person are no hours of the line for everybody."""
    tiers = {"tiers": [{"above": "10", "rate": "5"}]}
    lines = [{"rate": "10", "volume_tiers": tiers}, {"rate": "20", "resource_id": "R7", "volume_tiers": tiers}]
    book = RateBook(terms(), [[card(schema_version=2, lines=lines)]])
    found = [book.resolve("", "", "", DAY, book.whose(person(id=name))) for name in ("R1", "R7")]

    assert [rate.tiers.line for rate in found if rate is not None and rate.tiers is not None] == [
        "role -, grade -, item -",
        "role -, grade -, item -, resource R7",
    ]


@pytest.mark.parametrize(
    ("line", "work"),
    [
        pytest.param(
            {"rate": "150", "role": "analyst", "item": "onsite"}, ("analyst", "", "onsite"), id="role-and-item"
        ),
        pytest.param({"rate": "150", "grade": "senior"}, ("analyst", "senior", ""), id="grade-alone"),
        pytest.param(
            {"rate": "150", "grade": "senior", "item": "onsite"}, ("", "senior", "onsite"), id="grade-and-item"
        ),
    ],
)
def test_a_line_that_could_never_win_is_refused(line: records.Object, work: tuple[str, str, str]) -> None:
    """A combination the precedence does not know is an error of the sender, not a rate that silently never applies."""
    try:
        book = RateBook(terms(), [[card(lines=[line])]])
    except UndecodableError as error:
        assert error.field.startswith("$.lines[0]")
    else:
        assert price(book, *work) == "150/hour"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(("own", "customer", "practice", "region", "default"), "5/hour", id="engagement"),
        pytest.param(("customer", "practice", "region", "default"), "4/hour", id="customer"),
        pytest.param(("practice", "region", "default"), "3/hour", id="practice"),
        pytest.param(("region", "default"), "2/hour", id="region"),
        pytest.param(("default",), "1/hour", id="default"),
        pytest.param((), None, id="none"),
    ],
)
def test_the_nearest_card_wins(layers: tuple[str, ...], expected: str | None) -> None:
    """The engagement's card over the customer's, the practice's, the region's and the default one."""
    rates = {"customer": "4", "practice": "3", "region": "2", "default": "1"}
    groups = [[flat(rate, scope)] if scope in layers else [] for scope, rate in rates.items()]
    own = {"rates": [{"rate": "5"}]} if "own" in layers else {}

    assert expected == price(RateBook(terms(**own), groups))


def test_a_nearer_card_without_a_line_for_the_work_lets_the_next_one_speak() -> None:
    """Precedence is found line by line, not card by card."""
    customer = card(id="c", scope="customer", scope_id="C1", lines=[{"role": "partner", "rate": "900"}])
    book = RateBook(terms(), [[customer], [], [], [flat("80")]])

    assert price(book, "analyst") == "80/hour"
    assert price(book, "partner") == "900/hour"


def test_a_rate_of_zero_is_a_rate() -> None:
    """Work that is free on the nearer card is not priced by the next one."""
    assert price(RateBook(terms(rates=[{"rate": "0"}]), [[flat("80")]])) == "0/hour"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param("2025-12-31", None, id="before-the-list"),
        pytest.param("2026-03-14", "100/hour", id="14-Mar-is-100"),
        pytest.param("2026-03-15", "110/hour", id="15-Mar-is-110"),
        pytest.param("2026-03-31", "110/hour", id="31-Mar-is-110"),
        pytest.param("2026-04-01", "120/hour", id="1-Apr-is-120"),
        pytest.param("2026-06-30", "120/hour", id="last-day"),
        pytest.param("2026-07-01", None, id="after-the-list"),
    ],
)
def test_a_version_is_in_force_until_the_next(date: str, expected: str | None) -> None:
    """100 from 1 January, 110 from 15 March, 120 from 1 April, ends 30 June (worked example 8)."""
    dates = {"100": "2026-01-01", "110": "2026-03-15", "120": "2026-04-01"}
    versions = [
        flat(rate, version=at, effective_from=start, effective_to="2026-06-30")
        for at, (rate, start) in enumerate(dates.items(), 1)
    ]

    assert expected == price(RateBook(terms(), [reversed(versions)]), date=dt.date.fromisoformat(date))


def test_a_contract_scoped_override_leaves_others_alone() -> None:
    """Contract "Arm Installation" has 110 from 15 March, all others 120 (worked example 8, second half)."""
    general = [flat("100"), flat("120", version=2, effective_from="2026-03-15")]
    arm = RateBook(terms(rates=[{"rate": "110", "effective_from": "2026-03-15"}]), [general])
    other = RateBook(terms(), [general])
    dates = dt.date(2026, 3, 14), dt.date(2026, 3, 15)

    assert [price(arm, date=date) for date in dates] == ["100/hour", "110/hour"]
    assert [price(other, date=date) for date in dates] == ["100/hour", "120/hour"]


def test_of_two_versions_from_the_same_date_the_higher_counts() -> None:
    """A version sent again with a correction replaces the one it corrects."""
    assert price(RateBook(terms(), [[flat("90", version=2), flat("100", version=1)]])) == "90/hour"


def test_an_ended_version_does_not_bring_an_older_one_back() -> None:
    """After effective_to the card says nothing, though an older open-ended version exists."""
    versions = [flat("90"), flat("95", version=2, effective_from="2026-05-01", effective_to="2026-05-31")]

    assert price(RateBook(terms(), [versions])) is None


def test_a_dated_change_of_one_own_rate_keeps_the_others() -> None:
    """The engagement's rates of other roles go on when one role's changes."""
    own = [
        {"role": "analyst", "rate": "100"},
        {"role": "partner", "rate": "300"},
        {"role": "analyst", "rate": "110", "effective_from": "2026-06-01"},
    ]
    book = RateBook(terms(rates=own), [])
    actual = [price(book, role, date=dt.date(2026, month, 1)) for month in (5, 6) for role in ("analyst", "partner")]

    assert actual == ["100/hour", "300/hour", "110/hour", "300/hour"]


def test_cards_of_one_scope_are_asked_in_the_order_of_their_ids() -> None:
    """Two default cards give the same answer whichever arrived first."""
    one, two = card(id="a", lines=[{"rate": "1"}]), card(id="b", lines=[{"rate": "2"}])

    assert price(RateBook(terms(), [[one, two]])) == price(RateBook(terms(), [[two, one]])) == "1/hour"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"rate": 90 * MILLION, "assignment_id": "A"}, "720.00", id="entry"),
        pytest.param({"assignment_id": "A"}, "640.00", id="assignment"),
        pytest.param({"assignment_id": "B"}, "560.00", id="assignment-without-a-rate"),
        pytest.param({}, "560.00", id="engagement-card"),
    ],
)
def test_entry_and_assignment_come_before_every_card(changes: records.Object, expected: str) -> None:
    """The entry's own rate wins over its assignment's, that over the engagement's card."""
    known = Known(person(), rates={"A": 80 * MILLION, "B": None})
    ledger = Ledger(contract(rates=[{"rate": "70"}]), known)
    ledger.send(version(status="approved", **changes))

    assert [("charge", expected)] == ledger.billed()


def test_an_entry_without_role_takes_the_role_of_the_person() -> None:
    """Role and grade of the resource stand in for what the entry does not say."""
    ledger = Ledger(contract(rates=LINES), Known(person(role="analyst", grade="senior")))
    ledger.send(version(status="approved", role=""))

    assert ledger.billed() == [("charge", "320.00")]


def test_the_trace_names_where_a_rate_was_found() -> None:
    """A billing line says the card, its version and scope, and the work it was looked up for."""
    ledger = Ledger()
    ledger.send(version(status="approved"))
    (step,) = ledger.effects.billing[0].trace

    assert (step.step, step.value) == ("rate", "100/hour")
    assert step.source == "card std version 1 (default) from 2026-01-01, role analyst, grade -, item -"
