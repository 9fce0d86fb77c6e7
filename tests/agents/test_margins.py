"""Margin by practice and region of the people: exact after every correction, and the rows sum to the engagement."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from billtide.agents.rules.margins import ROWS_MAX

from ..builders import (
    Object,
    Task,
    approval,
    engagement,
    expense,
    period,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BY = {"margin": "by_practice_and_region"}
CLOUD, DATA = {"practice": "cloud", "region": "dach"}, {"practice": "data", "region": "uk"}


def terms(**changes: object) -> Object:
    """An engagement of the delivery practice in the north, whose margin is told apart."""
    return engagement(policies=BY, practice="delivery", region="north", **changes)


def ready(agreed: Object | None = None) -> Task:
    """R1 is of the cloud practice, R2 of data."""
    task = ready_task(agreed or terms())
    task.refer("resources", resource(revision=2, **CLOUD), resource(id="R2", **DATA))
    return task


def told(task: Task) -> dict[str, tuple[str, str, str]]:
    """Earned, cost and margin by practice and region, as the latest figures tell them."""
    return {
        f"{row['practice']}/{row['region']}": (row["earned"], row["cost"], row["margin"])
        for row in task.figures().get("margins", ())
    }


def test_each_person_counts_for_their_practice_and_region() -> None:
    """Two people and an expense of somebody unknown; the rows sum to the engagement."""
    task = ready()
    task.send("time-entries", time_entry(status="approved"), time_entry(id="2", resource_id="R2", status="approved"))
    task.send("expenses", expense(status="approved", resource_id="R9"))

    assert told(task) == {
        "/": ("100.00", "100.00", "0.00"),
        "cloud/dach": ("800.00", "400.00", "400.00"),
        "data/uk": ("800.00", "400.00", "400.00"),
    }


def test_by_default_the_margin_is_one() -> None:
    """No rows, and nothing more is kept with an entry."""
    task = ready(engagement())
    task.send("time-entries", time_entry(status="approved"))

    assert "margins" not in task.figures()


def test_a_correction_moves_exactly_what_it_changes() -> None:
    """Another person, fewer hours, a withdrawal: each row is as if only the last version had ever been."""
    task = ready()
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="approved", resource_id="R2", quantity="3"))
    assert told(task) == {"data/uk": ("300.00", "150.00", "150.00")}
    task.send("time-entries", time_entry(revision=3, status="deleted"))

    assert told(task) == {}


def test_a_correction_that_waits_moves_nothing() -> None:
    """What stands is the first person's until the second one's hours are approved."""
    task = ready()
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, resource_id="R2"))
    assert told(task) == {"cloud/dach": ("800.00", "400.00", "400.00")}
    task.send("approvals", approval(entry_revision=2))

    assert told(task) == {"data/uk": ("800.00", "400.00", "400.00")}


def test_what_is_not_billed_has_cost_and_no_revenue() -> None:
    """A pending entry, and one the customer never pays."""
    task = ready()
    task.send("time-entries", time_entry(), time_entry(id="2", status="approved", billable=False))

    assert told(task) == {"cloud/dach": ("0.00", "800.00", "-800.00")}


def test_what_the_terms_earn_is_the_engagements_own() -> None:
    """Fixed fee: progress is of no person, the cost is."""
    fee = {"amount": "1000", "estimated_cost": "800"}
    task = ready(terms(contract_type="fixed_fee", fee=fee))
    task.send("time-entries", time_entry(status="approved"))

    assert told(task) == {"cloud/dach": ("0.00", "400.00", "-400.00"), "delivery/north": ("500.00", "0.00", "500.00")}


def test_a_person_who_changes_practice_takes_their_work_along() -> None:
    """Wherever they belong now; one who becomes known later too."""
    task = ready()
    task.send("time-entries", time_entry(status="approved"))
    task.send("expenses", expense(status="approved", resource_id="R9"))
    task.refer("resources", resource(revision=3, **DATA), resource(id="R9", **CLOUD))

    assert told(task) == {"cloud/dach": ("100.00", "100.00", "0.00"), "data/uk": ("800.00", "400.00", "400.00")}
    assert len(task.out["billing"]) == 2


def test_new_terms_may_ask_for_it_later() -> None:
    """What is posted already is told apart then, and no longer when they stop asking."""
    task = ready(engagement())
    task.send("time-entries", time_entry(status="approved"))
    task.send("engagements", terms(revision=2))
    assert told(task) == {"cloud/dach": ("800.00", "400.00", "400.00")}
    task.send("engagements", engagement(revision=3))

    assert told(task) == {}


def test_there_are_so_many_rows_and_no_more() -> None:
    """The others share one; what leaves it goes where there is room again, and all still sums up."""
    task = ready()
    people = [resource(id=f"P{at}", practice=f"practice {at:02}") for at in range(ROWS_MAX + 2)]
    task.refer("resources", *people)
    task.send("time-entries", *(time_entry(id=str(at), resource_id=f"P{at}", status="approved") for at in range(ROWS_MAX + 2)))  # fmt: skip
    assert len(told(task)) == ROWS_MAX + 1
    assert told(task)["*/*"] == ("1600.00", "800.00", "800.00")
    task.send("time-entries", time_entry(id="0", revision=2, status="deleted"))
    last = ROWS_MAX + 1
    task.send("time-entries", time_entry(id=str(last), revision=2, status="approved", resource_id=f"P{last}", quantity="1"))  # fmt: skip

    assert len(told(task)) == ROWS_MAX + 1
    assert (told(task)[f"practice {last}/"], told(task)["*/*"]) == (
        ("100.00", "50.00", "50.00"),
        ("800.00", "400.00", "400.00"),
    )


STEPS: list[tuple[str, Object]] = [
    ("engagements", terms(contract_type="capped", cap={"amount": "1000"})),
    ("rate-cards", rate_card()),
    ("resources", resource(**DATA)),
    ("resources", resource(revision=2, **CLOUD)),
    ("resources", resource(id="R2", **DATA)),
    ("time-entries", time_entry()),
    ("time-entries", time_entry(revision=2, quantity="6")),
    ("approvals", approval(entry_revision=2)),
    ("time-entries", time_entry(id="2", resource_id="R2", quantity="2", status="approved")),
    ("expenses", expense(status="approved", resource_id="R2", amount="50")),
    ("time-entries", time_entry(id="3", resource_id="R2", status="approved", quantity="1")),
    ("time-entries", time_entry(id="3", revision=2, resource_id="R2", status="deleted")),
]


@given(st.permutations(STEPS))
def test_any_order_gives_the_same_rows(order: Sequence[tuple[str, Object]]) -> None:
    """M9, and the rows always sum to the engagement's margin."""
    task = Task()
    task.refer("periods", year(), period(legal_entity_id="AT"))
    for stream, value in order:
        (task.refer if stream in {"rate-cards", "resources"} else task.send)(stream, value)
        rows = told(task).values() if task.out["engagement-figures"] else ()
        if task.out["engagement-figures"] and "margins" in task.figures():
            assert sum(Decimal(margin) for _, _, margin in rows) == Decimal(task.figures()["margin"])

    assert told(task) == {"cloud/dach": ("600.00", "300.00", "300.00"), "data/uk": ("250.00", "150.00", "100.00")}
