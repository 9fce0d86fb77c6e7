"""What becomes of a record: applied, duplicate, stale, held or dead-lettered, and what the user sees of it."""

from __future__ import annotations

import msgspec
import pytest

from billtide.codecs import dead_letter

from ..builders import (
    Object,
    Task,
    approval,
    assignment,
    engagement,
    expense,
    invoice,
    payment,
    period,
    ready_task,
    resource,
    time_entry,
    year,
)

SENT = {
    "time-entries": time_entry(),
    "expenses": expense(),
    "approvals": approval(),
    "engagements": engagement(revision=2),
    "assignments": assignment(),
    "invoices": invoice(lines=[{"billing_id": "crm:fee:E1:2026-01-01:billing:0", "amount": "800"}]),
    "payments": payment(allocations=[]),
}
OLDER = {
    "time-entries": {"revision": 2},
    "expenses": {"revision": 2},
    "approvals": {"sequence": 2},
    "engagements": {"revision": 3},
    "assignments": {"revision": 2},
    "invoices": {"revision": 2},
    "payments": {"revision": 2},
}


def counts(task: Task, stream: str) -> dict[str, int]:
    """The counts of a stream that are not zero."""
    return {name: value for name, value in msgspec.to_builtins(msgspec.structs.asdict(task.state.position(stream))).items() if value}  # fmt: skip


def letter(task: Task) -> dict[str, str]:
    """The facts of the only dead letter."""
    ((_, _, headers),) = task.dead_letters
    return dead_letter.facts(headers.items())


@pytest.mark.parametrize("stream", SENT)
def test_the_same_again_is_a_duplicate_and_a_lower_one_stale(stream: str) -> None:
    """Both change nothing and say nothing; each record has one disposition (M5)."""
    task = ready_task()
    first = SENT[stream] | OLDER[stream]
    before = task.state.position(stream).offset
    outcomes = [task.send(stream, first)]
    task.clear()
    outcomes += [task.send(stream, first), task.send(stream, SENT[stream])]
    counted = counts(task, stream)

    assert outcomes == ["applied", "duplicate", "stale"]
    assert counted["offset"] == before + 3 == sum(count for name, count in counted.items() if name != "offset")
    assert not any(events for name, events in task.out.items() if name != "engagement-figures")
    assert task.dead_letters == []


@pytest.mark.parametrize("kind", ["time-entries", "expenses"])
def test_an_entry_goes_out_as_events_with_its_engagement_as_key(kind: str) -> None:
    """An approved entry is a cost, a billing line, revenue, and new figures."""
    task = ready_task()
    task.send(kind, SENT[kind] | {"status": "approved"})

    assert {stream: len(events) for stream, events in task.out.items() if events} == {
        "accruals": 1,
        "billing": 1,
        "revenue": 1,
        "engagement-figures": 1,
        "audit": 1,
    }


@pytest.mark.parametrize("entry_type", ["time", "expense"])
def test_a_decision_may_come_before_its_entry(entry_type: str) -> None:
    """It is applied, and counts as soon as the entry arrives (M9)."""
    task = ready_task()

    assert task.send("approvals", approval(entry_type=entry_type)) == "applied"
    assert task.out["billing"] == []
    task.send(
        "time-entries" if entry_type == "time" else "expenses", time_entry() if entry_type == "time" else expense()
    )
    assert len(task.out["billing"]) == 1


def test_a_decision_about_an_entry_that_waits_is_held_with_it() -> None:
    """The disposition tells that the money of it is not there yet."""
    task = ready_task()
    task.send("time-entries", time_entry(resource_id="R9"))

    assert task.send("approvals", approval()) == "held"


def test_time_and_expenses_of_one_id_are_two_entries() -> None:
    """Kinds do not meet, in state, in decisions and in ids."""
    task = ready_task()
    task.send("time-entries", time_entry())
    task.send("expenses", expense())
    task.send("approvals", approval(entry_type="expense"))

    assert [event["id"] for event in task.out["billing"]] == ["psa:expense:1:1:billing:0"]
    assert task.figures()["unbilled"] == "800.00"


def test_sources_of_one_id_are_two_entries() -> None:
    """Two systems may count from 1 both."""
    task = ready_task()
    task.send("time-entries", time_entry(status="approved"), time_entry(source="jira", status="approved"))

    assert [event["id"] for event in task.out["billing"]] == ["psa:time:1:1:billing:0", "jira:time:1:1:billing:0"]


def test_an_entry_that_moves_is_deleted_here_and_new_there() -> None:
    """Its bill is reversed under the old engagement and made under the new; no id is used twice."""
    task = ready_task()
    task.send("engagements", engagement(id="E2"))
    task.send("time-entries", time_entry(status="approved"))
    task.send("time-entries", time_entry(revision=2, status="deleted"))
    task.send("time-entries", time_entry(revision=2, status="approved", engagement_id="E2"))
    ids = [event["id"] for event in task.out["billing"]]

    assert len(set(ids)) == len(ids)
    assert [(event["engagement_id"], event["amount"]) for event in task.out["billing"]] == [
        ("E1", "800.00"),
        ("E1", "-800.00"),
        ("E2", "800.00"),
    ]


HELD = [
    pytest.param(time_entry(engagement_id="E9"), "engagement_unknown", "engagement:E9",
                 "engagement E9 is unknown; send it with its contract terms", id="unknown-engagement"),
    pytest.param(time_entry(work_date="2027-01-01"), "period_unknown", "period:DE",
                 "no accounting period of DE covers 2027-01-01; send the period", id="unknown-period"),
    pytest.param(time_entry(work_date="2025-11-20"), "period_closed", "period:DE",
                 "the accounting period of DE that covers 2025-11-20 is closed; reopen it, or move the date", id="closed-period"),
    pytest.param(time_entry(resource_id="R9"), "resource_unknown", "resource:R9",
                 "resource R9 is unknown; send it with its cost rates", id="unknown-resource"),
    pytest.param(time_entry(resource_id="R2"), "cost_rate_missing", "resource:R2",
                 "resource R2 has no cost rate on 2026-11-20; send one that is effective then", id="missing-cost-rate"),
    pytest.param(time_entry(resource_id="R3"), "fx_rate_missing", "fx:USD/EUR",
                 "no exchange rate from USD to EUR on 2026-11-20; send one that covers the date", id="missing-exchange-rate"),
    pytest.param(time_entry(assignment_id="A9"), "assignment_unknown", "assignment:psa:A9",
                 "assignment psa:A9 is unknown on this engagement; send it", id="unknown-assignment"),
    pytest.param(time_entry(role="partner"), "rate_missing", "rates:EUR",
                 "no rate card in EUR prices role partner, grade -, item - on 2026-11-20; send a card version, or a rate with the engagement", id="missing-rate"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "reason", "waits_on", "message"), HELD)
def test_what_cannot_be_settled_is_held_with_its_reason(sent: Object, reason: str, waits_on: str, message: str) -> None:
    """The user sees which entry waits, for what, and what to do; nothing is posted."""
    task = ready_task()
    task.refer("periods", period(id="2025", start_date="2025-01-01", end_date="2025-12-31", status="closed"))
    task.refer(
        "resources", resource(id="R2", cost_rates=[]), resource(id="R3", cost_rates=[{"rate": "60", "currency": "USD"}])
    )
    task.clear()

    assert task.send("time-entries", sent) == "held"
    assert task.out["exceptions"] == [
        {
            "id": "psa:time:1:1:held:1", "action": "held", "reason": reason, "kind": "time", "source": "psa", "entry_id": "1",
            "revision": 1, "engagement_id": sent["engagement_id"], "waits_on": waits_on, "message": message,
        }
    ]  # fmt: skip
    assert task.figures(sent["engagement_id"])["held_entries"] == {reason: 1}
    assert not any(task.out[stream] for stream in ("billing", "accruals", "revenue"))


DEAD = [
    pytest.param("time-entries", b"E1", b"{", "malformed", "", id="malformed"),
    pytest.param("time-entries", b"E1", None, "empty", "", id="tombstone"),
    pytest.param("time-entries", b"E1", time_entry(quantity="6,5"), "invalid_field", "$.quantity", id="wrong-decimal"),
    pytest.param("time-entries", b"E1", time_entry(quantity=6.5), "invalid_field", "$.quantity", id="float"),
    pytest.param("time-entries", b"E1", time_entry(unit="unit"), "invalid_field", "$.unit", id="no-time"),
    pytest.param("time-entries", b"E1", time_entry(rate="1.0000001"), "invalid_field", "$.rate", id="rate-too-fine"),
    pytest.param("time-entries", b"E1", time_entry(schema_version=2), "unsupported_version", "$.schema_version", id="version"),
    pytest.param("time-entries", b"E2", time_entry(), "key_mismatch", "key", id="wrong-key"),
    pytest.param("time-entries", None, time_entry(), "key_mismatch", "key", id="null-key"),
    pytest.param("time-entries", b"\xff\xfe", time_entry(), "key_mismatch", "key", id="binary-key"),
    pytest.param("time-entries", b"E1", time_entry(source="a:b"), "invalid_field", "$.source", id="colon-in-source"),
    pytest.param("time-entries", b"E1", time_entry(id="a\x1fb"), "invalid_field", "$.id", id="separator-in-id"),
    pytest.param("expenses", b"E1", expense(amount="1.005"), "invalid_field", "$.amount", id="half-a-cent"),
    pytest.param("expenses", b"E1", expense(currency="ABC"), "invalid_field", "$.currency", id="no-currency"),
    pytest.param("expenses", None, expense(), "key_mismatch", "key", id="expense-null-key"),
    pytest.param("approvals", b"E2", approval(), "key_mismatch", "key", id="approval-wrong-key"),
    pytest.param("approvals", b"E1", approval(verdict="ok"), "invalid_field", "$.verdict", id="verdict"),
    pytest.param("approvals", b"E1", approval(source="a:b"), "invalid_field", "$.source", id="approval-colon"),
    pytest.param("engagements", b"E2", engagement(revision=2), "key_mismatch", "key", id="engagement-wrong-key"),
    pytest.param("engagements", b"E1", engagement(revision=2, currency="ABC"), "invalid_field", "$.currency", id="engagement-currency"),
    pytest.param("engagements", b"E1", engagement(revision=2, contract_type="capped"), "invalid_field", "$.cap", id="no-cap"),
    pytest.param("engagements", b"E1", engagement(revision=2, source="a:b"), "invalid_field", "$.source", id="engagement-colon"),
    pytest.param("assignments", b"E1", assignment(weeks=[{"week": "2026-11-24", "hours": "1"}]), "invalid_field", "$.weeks[0].week", id="not-a-monday"),
    pytest.param("assignments", b"E1", assignment(rate="x"), "invalid_field", "$.rate", id="assignment-rate"),
    pytest.param("assignments", b"E2", assignment(), "key_mismatch", "key", id="assignment-wrong-key"),
    pytest.param("assignments", b"E1", assignment(resource_id="R\x1f1"), "invalid_field", "$.resource_id", id="separator-in-resource"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "key", "value", "reason", "field"), DEAD)
def test_what_cannot_be_read_is_put_aside_as_it_came(stream: str, key: bytes | None, value: bytes | Object | None, reason: str, field: str) -> None:  # fmt: skip
    """Byte for byte, with its own headers, where it stood, and what is wrong; the state does not change."""
    task = ready_task()
    before = {table.name: dict(table.bytes) for table in task.state.tables if table.name != "positions"}
    sent = msgspec.json.encode(value) if isinstance(value, dict) else value

    assert task.send_raw(stream, key, sent, ("traceparent", b"00-1")) == "dead_lettered"
    ((dead_key, dead_value, headers),) = task.dead_letters
    facts = letter(task)
    assert (dead_key, dead_value, headers["traceparent"]) == (key, sent, b"00-1")
    assert (facts["topic"], facts["offset"], facts["reason"], facts["field"]) == (
        stream,
        str(task.offsets[stream] - 1),
        reason,
        field,
    )
    assert facts["problem"]
    assert facts["fix"]
    assert before == {table.name: dict(table.bytes) for table in task.state.tables if table.name != "positions"}


@pytest.mark.parametrize("stream", SENT)
def test_a_record_of_another_type_is_put_aside(stream: str) -> None:
    """Every input checks the CloudEvents type where there is one."""
    task = ready_task()
    key = b"E1"

    assert (
        task.send_raw(stream, key, msgspec.json.encode(SENT[stream]), ("ce_type", b"billtide.x.v1")) == "dead_lettered"
    )
    assert letter(task)["reason"] == "wrong_type"


def test_a_wrong_key_is_shown_beside_the_right_one() -> None:
    """The sender reads which key was expected."""
    task = ready_task()
    task.send_raw("time-entries", None, msgspec.json.encode(time_entry()))

    assert letter(task)["problem"] == "the record's key is absent, its engagement 'E1'"
    assert letter(task)["fix"] == "send the engagement id as the key"


def test_a_bad_record_does_not_stop_those_around_it() -> None:
    """A slab is applied record by record, and counted whole (M5)."""
    task = ready_task()
    good, bad = msgspec.json.encode(time_entry(status="approved")), b"?"
    task.send_records("time-entries", *(task.record("time-entries", b"E1", value) for value in (bad, good, bad, good)))

    assert counts(task, "time-entries") == {"offset": 4, "applied": 1, "duplicate": 1, "dead_lettered": 2}
    assert task.amounts() == ["800.00"]


@pytest.mark.parametrize(
    ("stream", "sent"),
    [
        pytest.param("time-entries", time_entry(quantity="9999999999"), id="hours"),
        pytest.param("time-entries", time_entry(quantity="-9999999999"), id="negative-hours"),
        pytest.param("time-entries", time_entry(quantity="1000000000", rate="999999999"), id="amount"),
        pytest.param("time-entries", time_entry(rate="99999999999999"), id="rate"),
        pytest.param("expenses", expense(amount="999999999999999"), id="expense"),
        pytest.param(
            "assignments", assignment(weeks=[{"week": "2026-11-23", "hours": "99999999999"}]), id="planned-hours"
        ),
        pytest.param("engagements", engagement(revision=2, planned_revenue="999999999999999"), id="planned-revenue"),
    ],
)
def test_a_number_beyond_reason_does_not_stop_the_task(stream: str, sent: Object) -> None:
    """Whatever a record may carry can be kept, or is put aside: one typo must not stop a partition for ever."""
    task = ready_task()
    task.send(stream, sent | {"status": "approved"} if "status" in sent else sent)
    task.restart()

    assert task.send("time-entries", time_entry(id="2", status="approved")) == "applied"


def test_an_open_year_helps_the_builders() -> None:
    """The task that tests start from is ready: a plain entry is applied, not held."""
    assert year()["status"] == "open"
    assert ready_task().send("time-entries", time_entry()) == "applied"


def test_a_record_too_large_for_a_dead_letter_is_put_aside_without_its_value() -> None:
    """Rubbish as large as an input takes must not make a dead letter that no topic takes: it would block for ever."""
    task = ready_task()
    task.send_raw("time-entries", b"E1", b"{" * 8_000_000)
    ((key, value, headers),) = task.dead_letters

    assert (key, value) == (b"E1", None)
    assert headers[dead_letter.LEFT_OUT] == b"value of 8000000 bytes"
    assert dead_letter.facts(headers.items())["reason"] == "malformed"
