"""Replay: what was done once comes out again, byte by byte, and one wrong byte is told."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from billtide.app.audit.replay import REFERENCES, Told, compare, given
from billtide.app.audit.verification import AUDIT, EVENTS
from billtide.app.cli.explain_text import lines
from billtide.app.demo.firm import sample_week
from billtide.app.intake.admission import admit
from billtide.codecs import audit

from ...builders import assignment, engagement, invoice, payment, period, rate_card, resource, time_entry, year
from ..demo.memory import Memory, Read, inputs_of, slabs
from .test_story import Sender, corrected
from .test_story import told as story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from billtide.app.demo.firm import Week


class Done(NamedTuple):
    """A task that has worked, and the records it has met by stream."""

    task: Memory
    inputs: dict[str, list[Read]]


def worked(seed: int) -> Done:
    """A task that has met the sample week in a mixture of its streams, reference data and all."""
    week, chance = sample_week(seed), random.Random(seed)
    task = Memory()
    for phase in week.phases:
        for stream, batch in slabs(phase, chance):
            task.send(stream, batch)
    return Done(task, taken_in(week))


def taken_in(week: Week) -> dict[str, list[Read]]:
    """The records of a week by stream, as one partition has them."""
    return {
        stream: [Read(stream, 0, at, s.timestamp, s.key, s.value, tuple(s.headers)) for at, s in enumerate(sent)]
        for stream, sent in inputs_of(*week.phases).items()
    }


def again(left: dict[str, list[Read]], inputs: dict[str, list[Read]]) -> Told:
    """The same work as the audit tells of it."""
    told = Told(0, inputs, {name: inputs[name] for name in REFERENCES if name in inputs})
    for record in left[AUDIT]:
        told.take(audit.decode(record.value))
    return told


@pytest.fixture(scope="module")
def week() -> Done:
    """The week that all tests of this file replay."""
    return worked(11)


def test_a_week_comes_out_again(week: Done) -> None:
    """In the order the audit tells, every event is the same: its id, and each byte of its value."""
    told = again(week.task.left, week.inputs)

    assert told.gone == []
    assert compare(told.memory, week.task.left, told.told) == []
    assert sum(len(told.memory.left[stream]) for stream in EVENTS) == len(told.told) > 10_000


def test_reference_data_counts_from_when_it_was_known() -> None:
    """An entry that was held for its rate is held again: the card is not known before the audit says so."""
    sender = corrected()
    told = again(sender.memory.left, by_stream(sender))
    held = [json.loads(record.value or b"")["reason"] for record in told.memory.left["exceptions"]]

    assert "rate_missing" in held
    assert compare(told.memory, sender.memory.left, told.told) == []


def test_what_a_rate_priced_anew_comes_out_again() -> None:
    """An entry that nothing holds and that a new card version prices anew is priced anew in the replay too."""
    sender = corrected()
    before = len(sender.memory.left["billing"])
    sender.send("rate-cards", rate_card(version=2, lines=[{"role": "analyst", "rate": "110"}]))
    told = again(sender.memory.left, by_stream(sender))

    assert len(sender.memory.left["billing"]) > before
    assert compare(told.memory, sender.memory.left, told.told) == []


def test_what_a_rate_priced_anew_without_an_event_comes_out_again() -> None:
    """An entry wholly beyond a cap that stops is repriced in silence: the audit tells of it, as a later bill shows."""
    roles = [{"role": "analyst", "rate": "100"}, {"role": "pilot", "rate": "100"}]
    cheaper = [roles[0], {"role": "pilot", "rate": "90"}]
    cap = {"amount": "1000", "mode": "stop"}
    sender = Sender()
    sender.send("resources", resource())
    sender.send("periods", year())
    sender.send("engagements", engagement(contract_type="capped", cap=cap))
    sender.send("rate-cards", rate_card(lines=roles))
    sender.send("time-entries", time_entry(id="1", status="approved", quantity="10"))
    sender.send("time-entries", time_entry(id="2", status="approved", role="pilot"))
    events = {stream: len(sender.memory.left[stream]) for stream in EVENTS}
    sender.send("rate-cards", rate_card(version=2, lines=cheaper))
    row = audit.decode(sender.memory.left[AUDIT][-1].value).rows[0]

    assert {stream: len(sender.memory.left[stream]) for stream in EVENTS} == events
    assert (row.outcome, row.id, row.events) == ("woken", "2", ())

    sender.send("engagements", engagement(contract_type="capped", cap=cap | {"amount": "2000"}, revision=2))
    told = again(sender.memory.left, by_stream(sender))

    assert "woken by reference data: nothing is posted yet of what has changed" in "\n".join(lines(story(sender, "2")))
    assert len(sender.memory.left["billing"]) == events["billing"] + 1
    assert compare(told.memory, sender.memory.left, told.told) == []


def test_room_that_moves_under_a_cap_comes_out_again() -> None:
    """Late entries, a wake, an invoice and other terms move room from entry to entry: each event is the same again."""

    def worked_on(at: int, **changes: object) -> dict[str, object]:
        return time_entry(id=str(at), status="approved", work_date=f"2026-11-{30 - at}", **changes)

    def agreed(revision: int, amount: str, mode: str) -> dict[str, object]:
        return engagement(contract_type="capped", cap={"amount": amount, "mode": mode}, revision=revision)

    sender = Sender()
    sender.send("resources", resource())
    sender.send("periods", year())
    sender.send("rate-cards", rate_card())
    sender.send("engagements", agreed(1, "1000", "split"))
    sender.send("time-entries", *(worked_on(at) for at in range(1, 4)), worked_on(4, role="pilot"))
    sender.send("invoices", invoice(lines=[{"billing_id": "psa:time:1:1:billing:0", "amount": "100"}]))
    lines = [{"role": "analyst", "rate": "100"}, {"role": "pilot", "rate": "90"}]
    sender.send("rate-cards", rate_card(version=2, lines=lines))
    sender.send("time-entries", worked_on(5, quantity="1"))
    sender.send("engagements", agreed(2, "1500", "stop"))
    sender.send("time-entries", worked_on(5, revision=2, quantity="-1"))
    told = again(sender.memory.left, by_stream(sender))

    assert len(sender.memory.left["billing"]) > 12
    assert compare(told.memory, sender.memory.left, told.told) == []


def test_a_plan_that_a_resource_holds_is_held_again() -> None:
    """An assignment that nothing held waits once its person's cost begins later: its wake is found in the replay too."""
    sender = Sender()
    sender.send("resources", resource())
    sender.send("periods", year())
    sender.send("engagements", engagement())
    sender.send("assignments", assignment())
    later = [{"rate": "50", "currency": "EUR", "effective_from": "2030-01-01"}]
    sender.send("resources", resource(revision=2, cost_rates=later))
    told = again(sender.memory.left, by_stream(sender))
    held = [json.loads(record.value or b"")["reason"] for record in sender.memory.left["exceptions"]]

    assert held == ["cost_rate_missing"]
    assert compare(told.memory, sender.memory.left, told.told) == []


def test_documents_that_a_period_releases_come_out_again() -> None:
    """An invoice and its payment that wait for a period are settled by its wake, in the replay too."""
    sender = corrected()
    lines = [{"billing_id": "psa:time:1:2:billing:0", "amount": "200"}]
    sender.send("invoices", invoice(lines=lines, issued_on="2027-01-08"))
    sender.send("payments", payment("200", received_on="2027-01-09"))
    sender.send("periods", year(), period(id="2027", start_date="2027-01-01", end_date="2027-12-31"))
    told = again(sender.memory.left, by_stream(sender))
    kinds = [json.loads(record.value or b"")["kind"] for record in sender.memory.left["accruals"]]

    assert kinds[-2:] == ["invoice", "payment"]
    assert compare(told.memory, sender.memory.left, told.told) == []


@pytest.mark.parametrize("stream", EVENTS)
def test_what_is_not_the_same_is_told(stream: str) -> None:
    """A changed field is named with both values; an event that is gone, or came twice, is named by its id."""
    sender = corrected()
    told = again(sender.memory.left, by_stream(sender))
    first, *rest = sender.memory.left[stream]
    value = json.loads(first.value or b"")
    changed = first._replace(value=json.dumps(value | {"revision": 77}).encode())

    def problems(records: list[Read]) -> list[str]:
        found = compare(told.memory, sender.memory.left | {stream: records}, told.told)
        assert {(one.stream, one.id) for one in found} == {(stream, value["id"])}
        return [one.problem for one in found]

    assert problems([changed, *rest]) == ["revision is 1, on the topic 77"]
    assert problems(rest) == ["it comes out again and is not on the topic"]
    assert problems([first, first, *rest]) == ["it comes out 1 times and is on the topic 2 times"]


def test_an_input_that_is_gone_is_told() -> None:
    """Retention has removed a record the audit tells of: its place is a difference."""
    sender = corrected()
    inputs = by_stream(sender)
    told = again(sender.memory.left, inputs | {"approvals": []})

    assert [str(one) for one in told.gone] == [
        "approvals partition 0: the topic no longer keeps offset 0, which the audit tells of"
    ]


def by_stream(sender: Sender) -> dict[str, list[Read]]:
    """What a sender has sent."""
    found: dict[str, list[Read]] = {}
    for record in sender.inputs:
        found.setdefault(record.topic, []).append(record)
    return found


def test_a_file_is_done_line_by_line() -> None:
    """Without an audit the order is that of the lines, and every partition's task knows the reference data."""
    sender = corrected()
    tasks = given(((one.topic, admit(one.topic, one.value or b"")) for one in sender.inputs), 3)
    busy = [task for task in tasks if task.left["billing"]]

    assert len(busy) == 1
    assert compare(busy[0], sender.memory.left) == []


def test_the_command_prints_the_events_of_a_file(run: Callable[..., Result], tmp_path: Path) -> None:
    """With --print no broker is asked; what is printed are lines that name stream and value."""
    sender = corrected()
    file = tmp_path / "sent.jsonl"
    rows = [{"stream": one.topic, "value": json.loads(one.value or b"")} for one in sender.inputs]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run("replay", "--from", str(file), "--print")
    printed = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.exit_code == 0, result.output
    assert [one["value"] for one in printed if one["stream"] == "billing"] == [
        json.loads(record.value or b"") for record in sender.memory.left["billing"]
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--from", "missing.jsonl"), "missing.jsonl cannot be read", id="no-file"),
        pytest.param(("--from", "topics", "--print"), "--from topics stands alone", id="topics-print"),
        pytest.param((), "Missing option '--from'", id="nothing"),
    ],
)
def test_what_cannot_be_replayed_is_refused(run: Callable[..., Result], arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2 and what to do."""
    result = run("replay", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.kafka
def test_topics_and_files_are_compared_on_a_broker(
    publish: Callable[..., None], run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From topics all is the same; a file that lacks a line comes to other events, exit code 1."""
    monkeypatch.setenv("BILLTIDE_PARTITIONS", "1")  # so that a file's task and the published one are the same
    sender = corrected()
    publish(sender.memory, sender.inputs)
    file = tmp_path / "less.jsonl"
    rows = [{"stream": one.topic, "value": json.loads(one.value or b"")} for one in sender.inputs[:-1]]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    same, other = run("replay", "--from", "topics", "--json"), run("replay", "--from", str(file), "--json")
    found = json.loads(other.stdout)

    assert (same.exit_code, json.loads(same.stdout)["differences"]) == (0, []), same.output
    assert other.exit_code == 1
    assert {one["id"] for one in found["differences"]} >= {"psa:time:1:2:billing:0"}
    assert {one["problem"] for one in found["differences"]} == {"it is on the topic and does not come out again"}
