"""One entry's story: everything that happened to it, nothing of others, and what stands now."""

from __future__ import annotations

import json

import pytest

from billtide.app.audit.entry import Entry, asked, entry_of
from billtide.app.audit.explanation import POSTINGS
from billtide.app.audit.story import Story
from billtide.app.audit.verification import AUDIT, EVENTS
from billtide.app.cli.explain_text import as_object, lines
from billtide.app.memory import Memory, Read

from ...builders import approval, capped, expense, invoice, payment, rate_card, resource, time_entry, year


class Sender:
    """Sends objects to a task in memory, and keeps the records as the topics would."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.inputs: list[Read] = []

    def send(self, stream: str, *objects: dict[str, object]) -> None:
        """One slab."""
        start = sum(record.topic == stream for record in self.inputs)
        records = [
            Read(stream, 0, at, 1_700_000_000_000, b"E1", json.dumps(one).encode(), ())
            for at, one in enumerate(objects, start)
        ]
        self.inputs += records
        take = self.memory.refer if stream in {"rate-cards", "resources", "periods"} else self.memory.apply
        take(stream, records)


def corrected() -> Sender:
    """Entry 1: held for its rate, released, approved, billed in part under a cap, corrected; entry 11 and an expense 1."""
    sender = Sender()
    sender.send("resources", resource())
    sender.send("periods", year())
    sender.send("engagements", capped("1000"))
    sender.send("time-entries", time_entry(id="1"), time_entry(id="11", status="approved", work_date="2026-11-19"))
    sender.send("rate-cards", rate_card())
    sender.send("approvals", approval(approver_id="R-9"))
    sender.send("expenses", expense(id="1", source="tool"))
    sender.send("time-entries", time_entry(id="1", revision=2, quantity="3", status="approved"))
    return sender


def told(sender: Sender, name: str) -> Story:
    """The story of an entry, read from what a task took in and left."""
    story = Story(asked(name))
    left = sender.memory.left
    story.take_audit(0, left[AUDIT])
    if len(story.entries) == 1:
        (story.entry,) = story.entries
    for stream in EVENTS:
        story.take_events(stream, 0, left[stream])
    story.take_postings(left[POSTINGS])
    for step in story.own_steps():
        story.take_input(step, next(r for r in sender.inputs if (r.topic, r.offset) == (step.stream, step.row.offset)))
    return story


def test_a_story_has_every_step_in_order() -> None:
    """Each record about the entry, the wake that released it, and nothing of the entry whose id begins alike."""
    story = told(corrected(), "psa:time:1")

    assert [(step.stream, step.row.offset, step.row.revision, step.row.outcome) for step in story.steps] == [
        ("time-entries", 0, 1, "held"),
        ("reference", -1, 1, "woken"),
        ("approvals", 0, 1, "held"),
        ("time-entries", 2, 2, "held"),
    ]
    assert story.engagements() == ["E1"]
    assert {entry_of(name) for name in story.events} == {Entry("time", "psa", "1")}


def test_every_event_of_the_entry_is_in_one_step() -> None:
    """What the topics hold of an entry is what its steps tell, each event once."""
    sender = corrected()
    story = told(sender, "psa:time:1")
    steps = [name for step in story.steps for name, found in story.events_of(step) if found is not None]
    mine = [
        event["id"]
        for stream in EVENTS
        for event in (json.loads(record.value or b"") for record in sender.memory.left[stream])
        if event["id"].startswith("psa:time:1:")
    ]

    assert sorted(steps) == sorted(mine)
    assert len(steps) > 8


def test_what_stands_is_what_is_not_reversed() -> None:
    """After the correction its part under the cap is billed, the first part is reversed, and the rest still waits."""
    standing = told(corrected(), "psa:time:1").standing()

    assert standing.sums["billed"] == standing.sums["revenue"] == {"EUR": "200.00"}
    assert standing.sums["work_in_progress"] == {"EUR": "0.00"}
    assert standing.sums["cost"] == {"EUR": "150.00"}
    assert standing.events == ["psa:time:1:2:billing:0", "psa:time:1:2:cost:0", "psa:time:1:2:revenue:0"]
    assert standing.hold is not None
    assert (standing.hold["reason"], standing.hold["revision"]) == ("cap_reached", 1)


def test_a_release_by_another_entry_is_a_step() -> None:
    """Room under the cap comes with the deletion of another entry: the step names that entry's record."""
    sender = corrected()
    sender.send("time-entries", time_entry(id="11", revision=2, status="deleted"))
    last = told(sender, "psa:time:1").steps[-1]
    text = "\n".join(lines(told(sender, "psa:time:1")))

    assert (last.row.id, last.row.offset) == ("11", 3)
    assert "time-entries partition 0 offset 3: psa:time:11, revision 2, applied" in text
    assert told(sender, "psa:time:1").standing().hold is None


def test_a_story_ends_with_what_the_erp_has_answered() -> None:
    """The latest posting state of each of its billing events, and none of the entry whose id begins alike."""
    sender = corrected()
    bills = [{"billing_id": f"psa:time:{name}:billing:0", "amount": "200"} for name in ("1:2", "11:1")]
    sender.send("invoices", invoice(lines=bills))
    sender.send("payments", payment("100"))
    story = told(sender, "psa:time:1")

    assert list(story.standing().postings) == ["psa:time:1:2:billing:0"]
    assert as_object(story)["now"]["postings"]["psa:time:1:2:billing:0"]["state"] == "partly_paid"
    assert [line.strip() for line in lines(story) if "partly paid" in line] == [
        "psa:time:1:2:billing:0: partly paid, invoiced 200.00 EUR, credited 0.00 EUR, on 2026-1"
    ]


def test_an_id_of_several_entries_is_told_as_such() -> None:
    """A time entry and an expense of one id are two entries; one id alone is enough where it is unique."""
    assert told(corrected(), "1").entries == {Entry("time", "psa", "1"), Entry("expense", "tool", "1")}
    assert told(corrected(), "11").entries == {Entry("time", "psa", "11")}
    assert told(corrected(), "A1").entries == set()


def test_a_record_no_longer_kept_is_said() -> None:
    """When retention has removed an input record, its place and time remain."""
    story = told(corrected(), "psa:time:1")
    story.take_input(story.own_steps()[0], None)

    assert any("the topic no longer keeps the record" in line for line in lines(story))


def test_the_text_shows_traces_journals_and_links() -> None:
    """Rate and its source, both sides of a journal, what a reversal reverses, what an approver said."""
    text = "\n".join(lines(told(corrected(), "psa:time:1")))

    for part in (
        "exceptions psa:time:1:1:held:1 (offset 0): held, rate_missing",
        "woken by reference data",
        "verdict approved, approver_id R-9",
        "rate 100/hour: card std version 1",
        "debit  work_in_progress 800.00 EUR",
        "rounded half_up",
        "reverses psa:time:1:1:billing:0",
        "billed: 200.00 EUR",
        "held: cap_reached, waits on cap:E1",
    ):
        assert part in text


def test_the_object_holds_the_events_whole() -> None:
    """--json has each event as it stands on its topic, and each input record."""
    sender = corrected()
    found = as_object(told(sender, "psa:time:1"))
    (line,) = [event for event in found["steps"][3]["events"] if event["id"] == "psa:time:1:2:billing:0"]
    record = sender.memory.left["billing"][line["offset"]]

    assert json.loads(json.dumps(found)) == found
    assert line["value"] == json.loads(record.value or b"")
    assert found["steps"][2]["input"]["value"]["approver_id"] == "R-9"


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        pytest.param("psa:time:4711", Entry("time", "psa", "4711"), id="full"),
        pytest.param("psa:expense:a:b", Entry("expense", "psa", "a:b"), id="colon-in-id"),
        pytest.param("4711", Entry("", "", "4711"), id="id"),
        pytest.param("a:b:c", Entry("", "", "a:b:c"), id="id-with-colons"),
    ],
)
def test_an_entry_is_asked_for(text: str, entry: Entry) -> None:
    """By its full name, or by an id that may hold colons."""
    assert asked(text) == entry


@pytest.mark.parametrize(
    ("event_id", "entry"),
    [
        pytest.param("psa:time:1:3:billing:0", Entry("time", "psa", "1"), id="event"),
        pytest.param("psa:time:1:3:work_in_progress:2:reversal", Entry("time", "psa", "1"), id="reversal"),
        pytest.param("psa:time:1:3:billing:0:2", Entry("time", "psa", "1"), id="share"),
        pytest.param("psa:time:1:3:billing:0:2:reversal", Entry("time", "psa", "1"), id="share-reversed"),
        pytest.param("psa:expense:a:3:b:4:3:cost:0", Entry("expense", "psa", "a:3:b:4"), id="colons"),
        pytest.param("crm:fee:E1:2026-01-01:billing:0", None, id="fee"),
        pytest.param("plan:assignment:A1:1:held:3", None, id="assignment"),
    ],
)
def test_an_event_id_names_its_entry(event_id: str, entry: Entry | None) -> None:
    """Source and kind hold no colon, an entry id may; events of terms and assignments name no entry."""
    assert entry_of(event_id) == entry
