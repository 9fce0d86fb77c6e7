"""Re-rating: a change back in time leaves as the smallest difference, and only where it makes one."""

from __future__ import annotations

import pytest

from billtide.agents.rerating import PEOPLE_MAX, concerned

from ..builders import Task, assignment, engagement, expense, fx_rate, rate_card, ready_task, resource, time_entry, year

STREAMS = ("billing", "accruals", "revenue")


def posted(task: Task) -> list[tuple[str, str, str]]:
    """What left for the ledgers: stream, kind or method, id's last words."""
    return [
        (stream, event.get("kind") or event["method"], event["id"].split(":", 4)[4])
        for stream in STREAMS
        for event in task.out[stream]
    ]


def with_an_approved_entry() -> Task:
    """8 hours at 100 are billed, their cost of 400 is accrued."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    return task


def test_a_new_rate_leaves_the_cost_alone() -> None:
    """The charge and its revenue are reversed and posted anew; the cost accrual stands as it is."""
    task = with_an_approved_entry()
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}]))

    assert posted(task) == [
        ("billing", "time", "billing:0:reversal"),
        ("billing", "time", "billing:1"),
        ("revenue", "as_billed", "revenue:0:reversal"),
        ("revenue", "as_billed", "revenue:1"),
    ]
    assert task.amounts() == ["-800.00", "720.00"]
    assert task.out["billing"][0]["rate"] == "100"


def test_a_new_cost_rate_leaves_the_bill_alone() -> None:
    """Only the cost is accrued anew."""
    task = with_an_approved_entry()
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "60", "currency": "EUR"}]))

    assert posted(task) == [("accruals", "cost", "cost:0:reversal"), ("accruals", "cost", "cost:1")]
    assert task.figures()["cost"] == "480.00"


@pytest.mark.parametrize(
    ("rates", "moved", "billed"),
    [
        pytest.param([{"rate": "100"}, {"rate": "120", "region": "uk"}], {"region": "uk"}, ["-800.00", "960.00"], id="moved there"),
        pytest.param([{"rate": "100"}, {"rate": "120", "region": "dach"}], {"region": ""}, ["-960.00", "800.00"], id="moved away"),
        pytest.param([{"rate": "120", "region": "uk"}], {"region": "uk"}, ["-800.00", "960.00"], id="from a shared card"),
        pytest.param([{"rate": "100"}, {"rate": "120", "region": "apac"}], {"region": "uk"}, [], id="to a region without a line"),
        pytest.param([{"rate": "120", "resource_id": "R1"}, {"rate": "90", "region": "uk"}], {"region": "uk"}, [], id="a line of their own"),
    ],
)  # fmt: skip
def test_a_person_who_moves_is_billed_by_the_rates_there(
    rates: list[dict[str, object]], moved: dict[str, object], billed: list[str]
) -> None:
    """The region is the person's as it is known now: what is billed by a line for it follows, and no cost does."""
    task = ready_task(engagement(schema_version=2, rates=rates))
    task.refer("resources", resource(revision=2, region="dach"))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.refer("resources", resource(revision=3, **moved))

    assert task.amounts() == billed
    assert not task.out["accruals"]


def test_a_person_who_moves_to_where_there_is_a_rate_is_billed() -> None:
    """What was held for want of a rate waits for cards, but the person's new region ends the wait as well."""
    task = ready_task(engagement(schema_version=2, currency="USD", rates=[{"rate": "120", "region": "uk"}]))
    task.refer("fx-rates", fx_rate(base="EUR", quote="USD", rate="1"))
    task.send("time-entries", time_entry(status="approved"))
    assert [held["reason"] for held in task.out["exceptions"]] == ["rate_missing"]
    task.clear()
    task.refer("resources", resource(revision=2, region="uk"))

    assert task.amounts() == ["960.00"]


def test_a_cost_that_only_its_own_currency_shows_is_accrued_anew() -> None:
    """400 and 408 dollars may be worth the same cent to the contract; the ledgers get the dollars."""
    task = ready_task()
    task.refer("fx-rates", fx_rate(rate="0.0001"))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "50", "currency": "USD"}]))
    task.send("time-entries", time_entry(status="approved"))
    task.clear()
    task.refer("resources", resource(revision=3, cost_rates=[{"rate": "51", "currency": "USD"}]))

    assert [event["lines"][0]["amount"] for event in task.out["accruals"]] == ["400.00", "408.00"]


@pytest.mark.parametrize(
    ("stream", "change"),
    [
        pytest.param("engagements", engagement(revision=2, name="Another name"), id="name"),
        pytest.param("engagements", engagement(revision=2, rates=[{"rate": "100"}]), id="own-rate-of-the-same-amount"),
        pytest.param("rate-cards", rate_card(version=2, effective_from="2027-01-01"), id="card-of-next-year"),
        pytest.param("rate-cards", rate_card(id="usd", currency="USD"), id="card-of-another-currency"),
        pytest.param("resources", resource(revision=2, weekly_capacity_hours="32"), id="capacity"),
        pytest.param("resources", resource(id="R2"), id="another-person"),
        pytest.param("fx-rates", fx_rate(), id="exchange-rate-nobody-used"),
        pytest.param("periods", year("closed", revision=2), id="period-closes"),
    ],
)
def test_what_prices_nothing_anew_writes_nothing(stream: str, change: dict[str, object]) -> None:
    """No event for the ledgers leaves, and no entry is written to the changelog again."""
    task = with_an_approved_entry()
    written = len([record for record in task.changelog if record.key.startswith(b"e")])
    if stream == "engagements":
        task.send(stream, change)
    else:
        task.refer(stream, change)

    assert posted(task) == []
    assert len([record for record in task.changelog if record.key.startswith(b"e")]) == written


def test_a_change_for_a_closed_period_waits_until_it_opens() -> None:
    """What stands stays, the entry is held as period_closed; reopened, the difference is posted by itself."""
    task = with_an_approved_entry()
    task.refer("periods", year("closed", revision=2))
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}]))
    assert posted(task) == []
    assert [(event["action"], event["reason"]) for event in task.out["exceptions"]] == [("held", "period_closed")]

    task.refer("periods", year(revision=3))
    assert task.amounts() == ["-800.00", "720.00"]


@pytest.mark.parametrize(("after", "billed"), [("120", "960.00"), (None, "800.00")], ids=["another", "none"])
@pytest.mark.parametrize("first", ["assignment", "entry"])
def test_a_new_rate_of_an_assignment_bills_its_entries_anew(first: str, after: str | None, billed: str) -> None:
    """8 hours at the assignment's 110 are billed at its next rate, or the card's, whatever comes first (M9)."""
    task = ready_task()
    task.send("assignments", assignment(source="psa", rate="110"))
    entry = time_entry(assignment_id="A1", status="approved")
    revised = ("assignments", assignment(source="psa", revision=2, rate=after))
    for stream, sent in (revised, ("time-entries", entry))[:: 1 if first == "assignment" else -1]:
        task.send(stream, sent)

    assert task.figures()["billed"] == billed


def test_a_change_back_gives_the_first_money_under_new_ids() -> None:
    """Terms that change and change back leave the figures as they were, and no id twice (M4)."""
    task = with_an_approved_entry()
    before = task.figures
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}]))
    task.send("engagements", engagement(revision=3))

    assert before()["billed"] == "800.00"
    assert [event["id"].rpartition("billing:")[2] for event in task.out["billing"]] == [
        "0:reversal", "1", "1:reversal", "2",
    ]  # fmt: skip


def test_a_restarted_task_finds_the_entries_of_new_terms() -> None:
    """The entries of an engagement are found from the restored changelog as from memory, new ones among them."""
    task = with_an_approved_entry()
    task.restart()
    task.send("engagements", engagement(revision=2, rates=[{"rate": "90"}]))
    task.send("time-entries", time_entry(id="2", status="approved"))
    task.send("engagements", engagement(revision=3, rates=[{"rate": "80"}]))

    assert task.figures()["billed"] == "1280.00"


def test_a_customer_that_changes_takes_the_bill_over() -> None:
    """The reversal names the customer who was charged, the new charge the one of the new terms; cost stands."""
    task = with_an_approved_entry()
    task.send("engagements", engagement(revision=2, customer_id="C2"))

    assert [(line["customer_id"], line["amount"]) for line in task.out["billing"]] == [
        ("C1", "-800.00"), ("C2", "800.00"),
    ]  # fmt: skip
    assert task.out["accruals"] == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param({"rates:EUR"}, 2, id="cards-in-the-currency-of-the-contract"),
        pytest.param({"rates:USD"}, 0, id="cards-in-another-currency"),
        pytest.param({"fx:USD/EUR"}, 2, id="rates-into-the-currency-of-the-contract"),
        pytest.param({"fx:EUR/USD"}, 0, id="rates-out-of-it"),
        pytest.param({"resource:R1"}, 1, id="one-person"),
        pytest.param({f"resource:X{number}" for number in range(PEOPLE_MAX + 1)}, 2, id="many-people"),
        pytest.param({"period:DE"}, 0, id="periods-price-nothing"),
        pytest.param(None, 2, id="everything"),
    ],
)
def test_only_what_a_change_may_concern_is_looked_at(words: set[str] | None, found: int) -> None:
    """Of all entries those are settled again whose currency or person the change is about."""
    task = ready_task()
    task.refer("fx-rates", fx_rate())
    task.send("time-entries", time_entry())
    task.send("expenses", expense(resource_id="R9"))

    assert sum(map(len, concerned(task.state, words))) == found


def test_a_person_is_not_found_in_a_longer_name() -> None:
    """A change of R1 concerns no entry of R11, whose bytes hold R1 too."""
    task = ready_task()
    task.send("time-entries", time_entry(), time_entry(id="2", resource_id="R11"))

    assert [key for step in concerned(task.state, {"resource:R1"}) for key in step] == [b"etime\x1fpsa\x1fE1\x1f1"]
