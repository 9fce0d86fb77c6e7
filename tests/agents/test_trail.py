"""The audit trail: each event is told once, with the record that brought it about, in a chain that never breaks."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given, settings

from billtide.agents import trail, wake
from billtide.agents.outbox import Kept
from billtide.agents.reference import apply_reference
from billtide.agents.work import Work
from billtide.codecs import audit

from ..builders import (
    Task,
    approval,
    assignment,
    capped,
    engagement,
    invoice,
    payment,
    rate_card,
    ready_task,
    time_entry,
)
from ..rules.histories import History, any_history, chances, play

AUDITED = ("billing", "accruals", "revenue", "exceptions")


def records(task: Task) -> list[audit.AuditRecord]:
    """The audit records a task has written."""
    return [msgspec.convert(value, audit.AuditRecord) for value in task.out["audit"]]


def rows(task: Task) -> list[audit.AuditRow]:
    """The rows of all its audit records."""
    return [row for record in records(task) for row in record.rows]


def told(task: Task) -> Counter[str]:
    """How often each event id is in the audit."""
    return Counter(event for row in rows(task) for event in row.events)


def left(task: Task) -> Counter[str]:
    """How often each event id is on the audited streams."""
    return Counter(event["id"] for stream in AUDITED for event in task.out[stream])


@settings(max_examples=60)
@given(any_history, chances)
def test_what_is_told_is_what_left(history: History, chance: Random) -> None:
    """In any order of streams the event ids of the audit are those of the topics, each as often."""
    task = play(history.interleaved(chance))

    assert told(task) == left(task)


@settings(max_examples=20)
@given(any_history, chances)
def test_the_chain_goes_on_after_a_crash(history: History, chance: Random) -> None:
    """Each hash follows from the one before and the sequence has no gap, however often the task is restored."""
    task = play(history.interleaved(chance), restart_every=2)
    before = audit.GENESIS
    for number, value in enumerate(task.out["audit"]):
        before, right = audit.hash_of(msgspec.json.encode(value), before)
        assert right
        assert value["sequence"] == number
    head = task.state.chain_head()

    assert (head.sequence, head.hash) == (len(task.out["audit"]), before)


@pytest.mark.parametrize(
    ("stream", "sent", "subject"),
    [
        pytest.param("time-entries", time_entry(), ("time", "psa", "1", 1, "E1"), id="time-entry"),
        pytest.param("approvals", approval(), ("time", "psa", "1", 1, "E1"), id="approval"),
        pytest.param("engagements", engagement(revision=2), ("engagement", "crm", "E1", 2, "E1"), id="engagement"),
        pytest.param("invoices", invoice(), ("invoice", "erp", "I1", 1, "E1"), id="invoice"),
        pytest.param("payments", payment(allocations=[]), ("payment", "erp", "P1", 1, "E1"), id="payment"),
        pytest.param("assignments", assignment(), ("assignment", "plan", "A1", 1, "E1"), id="assignment"),
    ],
)
def test_a_row_names_its_record_and_its_subject(stream: str, sent: object, subject: tuple[object, ...]) -> None:
    """Stream, offset and time of the record, and what it is about; for an approval the entry it decides."""
    task = ready_task()
    assert isinstance(sent, dict)
    offset = task.offsets[stream]
    task.send(stream, sent)
    (record,) = records(task)
    (row,) = record.rows

    assert (record.stream, record.task) == (stream, 0)
    assert (row.offset, row.timestamp) == (offset, 1_700_000_000_000)
    assert row.outcome == ("held" if stream == "invoices" else "applied")
    assert (row.kind, row.source, row.id, row.revision, row.engagement_id) == subject


def test_duplicates_and_stale_records_have_no_row() -> None:
    """What changes nothing is not told; what is applied beside it is, with its own offset."""
    task = ready_task()
    task.send("time-entries", time_entry(revision=2))
    task.clear()
    task.send("time-entries", time_entry(revision=2), time_entry(revision=1), time_entry(id="2"))

    assert [(row.offset, row.id) for row in rows(task)] == [(3, "2")]


def test_each_event_stands_with_the_record_that_brought_it_about() -> None:
    """Of two entries in one slab each has its own events; a held one tells its exception."""
    task = ready_task()
    task.send("time-entries", time_entry(id="1", status="approved"), time_entry(id="2", role="partner"))

    assert [(row.id, row.outcome, row.events) for row in rows(task)] == [
        ("1", "applied", ("psa:time:1:1:billing:0", "psa:time:1:1:cost:0", "psa:time:1:1:revenue:0")),
        ("2", "held", ("psa:time:2:1:held:1",)),
    ]


def test_a_wake_is_told_without_an_offset() -> None:
    """A rate that arrives releases an entry: the row has no record of its own, and names the entry."""
    task = ready_task()
    task.send("time-entries", time_entry(role="partner"))
    task.clear()
    task.refer("rate-cards", rate_card(id="more", lines=[{"role": "partner", "rate": "100"}]))
    (record,) = records(task)
    (row,) = record.rows

    assert record.stream == "reference"
    assert (row.offset, row.outcome, row.kind, row.id) == (audit.NO_OFFSET, "woken", "time", "1")
    assert "psa:time:1:1:released:1" in row.events


def test_a_record_that_releases_many_is_told_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room under a cap for more entries than one audit record holds: every record keeps its bound, nothing is lost."""
    monkeypatch.setattr(trail, "EVENTS_MAX", 10)
    task = ready_task(capped("0"))
    task.send("time-entries", *(time_entry(id=str(at), status="approved") for at in range(40)))
    task.send("engagements", capped("999999", revision=2))

    assert max(sum(len(row.events) for row in record.rows) for record in records(task)) <= 10
    assert told(task) == left(task)
    assert {row.offset for record in records(task)[-12:] for row in record.rows} == {1}


def test_the_audit_says_which_reference_data_was_known() -> None:
    """The next offsets of the reference streams, as the reader of them keeps them."""
    task = ready_task()
    task.reference.offsets["rate-cards"] = 7
    task.send("time-entries", time_entry())

    assert records(task)[0].reference == {"rate-cards": 7}


def test_the_audit_says_what_was_known_when_it_was_decided() -> None:
    """A wake commits after it has decided: reference data that comes in between was not known to it."""
    task = ready_task()
    task.send("time-entries", time_entry(role="partner"))
    task.clear()
    card = msgspec.json.encode(rate_card(id="more", lines=[{"role": "partner", "rate": "100"}]))
    change = apply_reference(task.reference, "rate-cards", [task.record("rate-cards", b"", card)])
    task.reference.offsets["rate-cards"] = 7
    work = Work("reference", (), task.state, task.reference, task.contexts, Kept())
    wake.wake(work, wake.waiting(task.state, change.wakes))
    task.reference.offsets["rate-cards"] = 8
    task.commit(work)

    assert [record.reference for record in records(task)] == [{"rate-cards": 7}]
