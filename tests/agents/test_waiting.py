"""Holds end exactly once, in their order, as soon as what they wait for arrives (M8)."""

from __future__ import annotations

import pytest

from ..builders import (
    Object,
    Task,
    assignment,
    capped,
    engagement,
    expense,
    fx_rate,
    rate_card,
    ready_task,
    resource,
    time_entry,
    year,
)


def told(task: Task) -> list[tuple[str, str, str]]:
    """What finance was told: entry, action, reason."""
    return [(event["entry_id"], event["action"], event["reason"]) for event in task.out["exceptions"]]


def approved(entry: str, **changes: object) -> Object:
    """An approved time entry."""
    return time_entry(id=entry, status="approved", **changes)


@pytest.mark.parametrize(
    ("changes", "stream", "arrives", "reason"),
    [
        pytest.param({"engagement_id": "E9"}, "engagements", engagement(id="E9"), "engagement_unknown", id="engagement"),
        pytest.param({"work_date": "2027-01-04"}, "periods", year(id="2027", start_date="2027-01-01", end_date="2027-12-31"), "period_unknown", id="period"),
        pytest.param({"resource_id": "R9"}, "resources", resource(id="R9"), "resource_unknown", id="resource"),
        pytest.param({"role": "partner"}, "rate-cards", rate_card(id="more", lines=[{"role": "partner", "rate": "100"}]), "rate_missing", id="rate"),
        pytest.param({"assignment_id": "A9"}, "assignments", assignment(source="psa", id="A9", rate="100"), "assignment_unknown", id="assignment"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("crash", [False, True], ids=["", "crash"])
def test_what_waited_is_settled_when_it_arrives(changes: Object, stream: str, arrives: Object, reason: str, crash: bool) -> None:  # noqa: FBT001  # fmt: skip
    """Held once, released once, in the order of arrival, billed once; also when the task was restored in between."""
    task = ready_task()
    task.send("time-entries", *(approved(entry, **changes) for entry in ("3", "1", "2")))
    held = told(task)
    if crash:
        task.restart()
    for _ in range(2):
        if stream in {"engagements", "assignments"}:
            task.send(stream, arrives)
        else:
            task.refer(stream, arrives)

    assert held == [(entry, "held", reason) for entry in ("3", "1", "2")]
    assert [row for row in told(task) if row[0] in "123"][3:] == [
        (entry, "released", reason) for entry in ("3", "1", "2")
    ]
    assert task.amounts() == ["800.00"] * 3
    assert task.state.holds.waited_on() == []


def test_the_released_event_says_what_arrived() -> None:
    """It closes the hold under its own id, with the word that was waited for."""
    task = ready_task()
    task.send("time-entries", approved("1", resource_id="R9"))
    task.refer("resources", resource(id="R9"))
    released = task.out["exceptions"][-1]

    assert released["id"] == "psa:time:1:1:released:1"
    assert released["message"] == "what it waited for has arrived: resource:R9"


def test_an_entry_that_misses_much_is_told_each_reason_and_released_once() -> None:
    """Each new `held` replaces the one before; its place in the order stays."""
    task = Task()
    task.send("time-entries", approved("1"))
    task.send("engagements", engagement())
    task.refer("periods", year())
    task.refer("resources", resource(cost_rates=[]))
    task.refer("resources", resource(revision=2, cost_rates=[{"rate": "60", "currency": "USD"}]))
    task.refer("fx-rates", fx_rate())
    task.refer("rate-cards", rate_card())

    assert [row[1:] for row in told(task)] == [
        ("held", "engagement_unknown"),
        ("held", "period_unknown"),
        ("held", "resource_unknown"),
        ("held", "cost_rate_missing"),
        ("held", "fx_rate_missing"),
        ("held", "rate_missing"),
        ("released", "rate_missing"),
    ]
    assert task.figures()["held_entries"] == {}


def test_a_hold_is_not_told_again_for_the_same_reason() -> None:
    """A wake that does not help is silent, and so is a revision that waits for the same."""
    task = ready_task()
    task.send("time-entries", approved("1", role="partner"))
    task.refer("rate-cards", rate_card(id="other", lines=[{"role": "tester", "rate": "1"}]))
    task.send("time-entries", approved("1", role="partner", revision=2))

    assert told(task) == [("1", "held", "rate_missing")]


def test_an_entry_withdrawn_while_it_waits_is_released() -> None:
    """Nothing waits any more, and nothing is billed when the person arrives."""
    task = ready_task()
    task.send("time-entries", approved("1", resource_id="R9"))
    task.send("time-entries", time_entry(revision=2, status="deleted", resource_id="R9"))
    task.refer("resources", resource(id="R9"))

    assert told(task) == [("1", "held", "resource_unknown"), ("1", "released", "resource_unknown")]
    assert task.amounts() == []


def test_an_unrelated_change_wakes_nobody() -> None:
    """Only what waits for the word is tried."""
    task = ready_task()
    task.send("time-entries", approved("1", resource_id="R9"))

    assert (task.wake({"resource:R8", "rates:EUR"}), task.wake({"resource:R9"}), task.wake(None)) == (0, 1, 1)


def test_waking_everything_leaves_the_cap_alone() -> None:
    """After a crash all reference words are tried; what waits for cap room is woken by its engagement only."""
    task = ready_task(capped("100"))
    task.send("time-entries", approved("1"))

    assert task.wake(None) == 0


def test_room_under_a_cap_goes_to_the_first_in_line() -> None:
    """A raised cap bills what was held, in order, to the cent; what is still over keeps waiting."""
    task = ready_task(capped("1000"))
    task.send("time-entries", *(approved(entry) for entry in ("3", "1", "2")))
    task.clear()
    task.send("engagements", capped("1900", revision=2))

    assert [(event["entry_id"], event["amount"]) for event in task.out["billing"]] == [("2", "600.00"), ("3", "300.00")]
    assert told(task) == [("2", "released", "cap_reached")]
    assert (task.figures()["billed"], task.figures()["held"]) == ("1900.00", "500.00")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": "deleted"}, id="withdrawn"),
        pytest.param({"status": "approved", "quantity": "0"}, id="corrected"),
    ],
)
def test_room_that_a_correction_makes_is_used_at_once(change: Object) -> None:
    """What lies over the cap is billed in the same transaction that makes room."""
    task = ready_task(capped("1000"))
    task.send("time-entries", approved("1"), approved("2"))
    task.clear()
    task.send("time-entries", time_entry(revision=2, **change))

    assert task.amounts()[0] == "-800.00"
    assert task.amounts()[-1] == "600.00"
    assert told(task) == [("2", "released", "cap_reached")]


def test_expenses_and_time_share_one_line() -> None:
    """Under a cap that includes expenses the order of release is that of the days of work, whatever the kind."""
    task = ready_task(capped("0"))
    task.send("expenses", expense(id="c", status="approved", spent_on="2026-11-21"))
    task.send("time-entries", approved("b"))
    task.send("expenses", expense(id="a", status="approved", spent_on="2026-11-19"))
    task.clear()
    task.send("engagements", capped("5000", revision=2))

    assert [event["entry_id"] for event in task.out["billing"]] == ["a", "b", "c"]


def test_a_period_that_closes_and_opens_again_releases_once() -> None:
    """Late time waits for the reopened period, is posted there, and is not posted again by the next close."""
    task = ready_task()
    task.refer("periods", year("closed", revision=2))
    task.send("time-entries", approved("1"))
    for revision, status in ((3, "future"), (4, "open"), (5, "closed"), (6, "open")):
        task.refer("periods", year(status, revision=revision))

    assert [row[1:] for row in told(task)] == [
        ("held", "period_closed"),
        ("held", "period_future"),
        ("released", "period_future"),
    ]
    assert task.amounts() == ["800.00"]
