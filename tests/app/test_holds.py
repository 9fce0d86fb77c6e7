"""What waits, as the state has it: by engagement and reason, with its amount where it is known; and tried again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from billtide.agents.holds import QUIET
from billtide.app.holds import Asked, Attempt, Held, Present, tried, waiting
from billtide.app.memory import Memory, Read
from billtide.app.whatif.present import REFERENCES
from billtide.codecs.records import Cursor
from billtide.codecs.wire import encode
from billtide.tables.state import TaskState

from ..builders import (
    approval,
    assignment,
    capped,
    engagement,
    invoice,
    rate_card,
    resource,
    time_entry,
    year,
)

ALL = Asked()


def task_of(*rows: tuple[str, dict[str, Any]]) -> Memory:
    """A task that took these in, one slab each."""
    task = Memory()
    for at, (stream, value) in enumerate(rows):
        key = str(value.get("engagement_id", value.get("id"))).encode()
        take = task.refer if stream in REFERENCES else task.apply
        take(stream, [Read(stream, 0, at, 1_700_000_000_000, key, encode(value), ())])
    return task


def present_of(task: Memory, since: int = 5) -> Present:
    """Its state, as it is restored from a changelog."""
    state = TaskState()
    for kept, table in zip(task.state.tables, state.tables, strict=True):
        table.bytes.update(kept.bytes)
    state.restored()
    return Present(0, state, dict.fromkeys(state.holds.bytes, since))


def listed(task: Memory, asked: Asked = ALL) -> list[Held]:
    """What waits."""
    return [held for _, held in waiting(present_of(task), asked)]


FIRM: tuple[tuple[str, dict[str, Any]], ...] = (
    ("periods", year()),
    ("resources", resource()),
    ("rate-cards", rate_card()),
    ("engagements", engagement()),
    ("engagements", capped("1000", id="E2")),
    ("engagements", engagement(id="E4", contract_type="capped", cap={"amount": "1000", "mode": "stop"})),
    ("time-entries", time_entry(id="1", role="pilot", status="approved")),
    ("time-entries", time_entry(id="2", engagement_id="E2", status="approved")),
    ("time-entries", time_entry(id="3", engagement_id="E2", status="approved")),
    ("time-entries", time_entry(id="4", engagement_id="E3", status="approved")),
    ("time-entries", time_entry(id="5", engagement_id="E4", status="approved")),
    ("time-entries", time_entry(id="6", engagement_id="E4", status="approved")),
    ("assignments", assignment(id="7", resource_id="nobody")),
    ("invoices", invoice(id="8", lines=[{"billing_id": "psa:time:404:1:billing:0", "amount": "500"}])),
)


def test_everything_that_waits_is_named_with_what_it_waits_for() -> None:
    """Entries by source:kind:id, in the order of release; an amount only where it is known, never zero."""
    found = {held.id: held for held in listed(task_of(*FIRM))}

    assert found["psa:time:1"]._replace(sequence=0) == Held(
        "psa:time:1", "time", "E1", "rate_missing", "rates:EUR", 5, 0, 1
    )
    assert (found["psa:time:3"].reason, found["psa:time:3"].amount, found["psa:time:3"].currency) == (
        "cap_reached",
        "600.00",
        "EUR",
    )
    assert (found["psa:time:4"].reason, found["psa:time:4"].amount) == ("engagement_unknown", None)
    assert found["erp:invoice:8"].amount is not None


def test_holds_are_as_many_as_the_figures_say() -> None:
    """By engagement and reason, what is listed is what the engagement's figures count as held; plans they leave out."""
    task = task_of(*FIRM)
    found = Counter((held.engagement_id, held.reason) for held in listed(task) if held.kind != "assignment")
    state = task.state
    engagements = [state.engagements.decode(raw) for raw in state.engagements.bytes.values()]

    assert found == Counter(
        {(one.id, reason): count for one in engagements for reason, count in one.held_entries.items() if count}
    )
    assert len(found) > 3


ASKED = [
    pytest.param(Asked(engagement="E2"), {"psa:time:3"}, id="engagement"),
    pytest.param(Asked(reason="rate_missing"), {"psa:time:1"}, id="reason"),
    pytest.param(Asked(frozenset({"psa:time:4"})), {"psa:time:4"}, id="name"),
    pytest.param(Asked(frozenset({"4"})), {"psa:time:4"}, id="last-part"),
    pytest.param(Asked(frozenset({"4"}), "E1"), set(), id="all-must-hold"),
    pytest.param(Asked(reason="cap_stopped"), {"psa:time:6"}, id="quiet-by-reason"),
    pytest.param(Asked(frozenset({"6"})), {"psa:time:6"}, id="quiet-by-name"),
]


@pytest.mark.parametrize(("asked", "expected"), ASKED)
def test_holds_are_found_by_name_engagement_and_reason(asked: Asked, expected: set[str]) -> None:
    """What nobody has to do anything about is given when it is asked for, and not among all."""
    task = task_of(*FIRM)

    assert {held.id for held in listed(task, asked)} == expected
    assert not QUIET & {held.reason for held in listed(task)}


@pytest.mark.parametrize("reacted", [False, True], ids=["card-is-news", "card-was-reacted-to"])
def test_a_retry_says_what_would_go_on_and_what_still_lacks(*, reacted: bool) -> None:
    """With a card that is there the first goes on, also if its task has been past it; the other still lacks terms."""
    task = task_of(*FIRM)
    if reacted:
        for stream in REFERENCES:
            task.state.cursors.put(task.state.cursors.key(stream), Cursor(99))
        task.state.commit(task.state.changes())
    card = rate_card(version=2, lines=[*rate_card()["lines"], {"role": "pilot", "rate": "90"}])
    references = [(stream, value) for stream, value in FIRM if stream in REFERENCES] + [("rate-cards", card)]
    known: dict[str, list[Any]] = {stream: [] for stream in REFERENCES}
    for at, (stream, value) in enumerate(references):
        known[stream].append(Read(stream, 0, at, 1, b"", encode(value), ()))
    attempts: list[Attempt] = tried(present_of(task), Asked(frozenset({"1", "4"})), known)

    assert [(one.held.id, one.reason, one.waits_on) for one in attempts] == [
        ("psa:time:1", "", ""),
        ("psa:time:4", "engagement_unknown", "engagement:E3"),
    ]
    assert "psa:time:1" in {held.id for held in listed(task)}


def test_an_accrued_entry_waits_with_what_it_is_accrued_at() -> None:
    """Decided by somebody whom the terms do not name, its work in progress stands."""
    terms = engagement(id="E5", policies={"approvers": [{"approver_id": "R-9", "level": "manager"}]})
    decided = approval(engagement_id="E5", entry_id="9", approver_id="R-7")
    rows = (*FIRM[:3], ("engagements", terms), ("time-entries", time_entry(id="9", engagement_id="E5")))
    (waits,) = listed(task_of(*rows, ("approvals", decided)))

    assert (waits.reason, waits.amount, waits.currency) == ("approver_not_allowed", "800.00", "EUR")
