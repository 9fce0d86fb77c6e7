"""The state of a task: restored from its changelog it is the state that was."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings

from billtide.codecs.entry_state import Hold
from billtide.codecs.records import Position
from billtide.tables.state import TaskState
from billtide.tables.table import VERSION, UnknownVersionError, UnreadableStateError

from ..builders import Record, Task, approval, assignment, expense, invoice, payment, ready_task, time_entry
from ..rules.histories import History, any_history, chances, play


class Change(NamedTuple):
    """One record of a changelog."""

    key: bytes
    value: bytes | None


def restored(changelog: Sequence[Record | Change]) -> TaskState:
    """A state restored from a changelog."""
    state = TaskState()
    state.restore(changelog)
    state.restored()
    return state


def contents(state: TaskState) -> dict[str, dict[bytes, bytes]]:
    """All committed bytes, by table."""
    return {table.name: dict(table.bytes) for table in state.tables}


def busy_task() -> Task:
    """A task with something in every table but cursors."""
    task = ready_task()
    task.send("time-entries", time_entry(), time_entry(id="2", resource_id="R9"))
    task.send("expenses", expense())
    task.send("approvals", approval())
    task.send("assignments", assignment())
    task.send("invoices", invoice())
    task.send("payments", payment())
    task.send("assignment-forecasts", *task.out["assignment-forecasts"])
    return task


def test_a_restored_state_equals_the_one_that_was() -> None:
    """Every table, byte by byte, and the index of holds."""
    task = busy_task()
    again = restored(task.changelog)

    assert contents(task.state) == contents(again)
    assert task.state.holds.waiting_on("resource:R9") == again.holds.waiting_on("resource:R9") != []
    assert {name for name, kept in contents(again).items() if not kept} == {"cursors"}


@settings(max_examples=40)
@given(any_history, chances)
def test_any_history_is_restored(history: History, chance: Random) -> None:
    """Whatever was applied, the changelog brings it back; compacted to the last record a key, too."""
    task = play(history.interleaved(chance))
    last = {record.key: record.value for record in task.changelog}
    compacted = [Change(key, value) for key, value in last.items()]

    assert contents(task.state) == contents(restored(task.changelog)) == contents(restored(compacted))


def test_a_task_goes_on_after_a_restore_as_if_nothing_had_happened() -> None:
    """What it emits next is what it would have emitted."""
    outs = []
    for crash in (False, True):
        task = busy_task()
        if crash:
            task.restart()
        task.clear()
        task.send("approvals", approval(sequence=2, verdict="recalled"))
        outs.append(task.out)

    assert outs[0] == outs[1]


def test_what_was_not_committed_is_not_restored() -> None:
    """A state whose changes never reached the changelog restores without them."""
    state = TaskState()
    state.positions.put(state.positions.key("time-entries"), state.position("time-entries"))

    assert sum(len(changes) for changes in state.changes()) == 1
    assert contents(restored([])) == contents(state)


def test_unknown_topics_start_at_zero() -> None:
    """A fresh position and a fresh cursor; asking for them writes nothing."""
    state = TaskState()

    assert (state.position("time-entries").offset, state.cursor("periods")) == (0, 0)
    assert [changes for changes in state.changes() if changes] == []


def test_tags_tell_the_tables_apart() -> None:
    """One byte each, all different, so that one changelog serves them all."""
    tags = [table.tag for table in TaskState().tables]

    assert len(set(tags)) == len(tags)
    assert all(len(tag.encode()) == 1 for tag in tags)


def test_a_record_of_an_unknown_table_stops_the_restore() -> None:
    """A table that a newer worker added is not passed over in silence, a deletion in it neither."""
    for value in (b"\x01", None):
        with pytest.raises(UnknownVersionError, match=r"a table b'\?' that this worker does not know"):
            TaskState().restore([Change(b"?x", value)])


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        pytest.param(
            b"px", bytes([VERSION[0] + 1, 0x90]), "table positions: a changelog record has version byte", id="newer"
        ),
        pytest.param(b"gx", b"\xff\x90", "table engagements: a changelog record has version byte", id="much newer"),
        pytest.param(b"ex", b"\x00\x90", "table entries: a changelog record has version byte", id="version 0"),
        pytest.param(b"ex", b"", "table entries: a changelog record has version byte b''", id="no bytes"),
        pytest.param(b"", b"\x01", "a record without a key", id="empty key"),
        pytest.param(None, b"\x01", "a record without a key", id="no key"),
    ],
)
def test_what_cannot_be_read_stops_the_restore(key: bytes, value: bytes, problem: str) -> None:
    """An older worker begins nothing with state it would write back without its end; the message says what it met."""
    good = Change(b"pgood", b"\x01" + msgspec.msgpack.encode(Position(1)))
    with pytest.raises(UnreadableStateError, match=problem):
        TaskState().restore([good, Change(key, value)])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            Change(b"hx", b"\x01\x91\xa1x"), "table holds: a changelog record is not what workers write", id="value"
        ),
        pytest.param(
            Change(b"h\xdc\xff", b"\x01" + msgspec.msgpack.encode(Hold(1, "rate_missing", "E-1", "rates:EUR"))),
            "table holds: no worker makes the key",
            id="key",
        ),
    ],
)
def test_a_broken_hold_stops_the_restore(change: Change, problem: str) -> None:
    """Holds are read at once, for their index; what is no hold is named by its table."""
    state = TaskState()
    state.restore([change])

    with pytest.raises(UnreadableStateError, match=problem):
        state.restored()


def test_an_entry_under_a_broken_key_is_refused() -> None:
    """Which engagement it belongs to cannot be told; it is not passed over."""
    state = restored([Change(b"etime\x1fpsa", b"\x01\x90")])

    with pytest.raises(UnreadableStateError, match="the changelog has the key b'etime"):
        state.entries.of_engagement("E-1")
