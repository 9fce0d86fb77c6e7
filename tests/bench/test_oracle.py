"""The check after every run: it finds nothing in a sound history, and each thing that is changed in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from fault.feed import PART
from fault.oracle import examined

from billtide.app.demo.firm import part_of_week
from billtide.app.memory import Memory, Read
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY
from billtide.codecs import dead_letter

if TYPE_CHECKING:
    from collections.abc import Callable

SLAB_RECORDS = 200
Topics = dict[str, list[Any]]


@pytest.fixture(scope="module")
def settings() -> Settings:
    """One task, topics named as their streams."""
    return Settings(partitions=1, topic_prefix="")


@pytest.fixture(scope="module")
def topics() -> Topics:
    """All topics after a third of the sample week, as one task in memory leaves them."""
    week, task = part_of_week(7, PART), Memory()
    found: Topics = {stream.name: [] for stream in TOPOLOGY.streams}
    read_back = 0
    for phase in week.phases:
        for stream, sent in phase.items():
            there = found[stream]
            first = len(there)
            there += [
                Read(stream, 0, first + at, one.timestamp, one.key, one.value, tuple(one.headers))
                for at, one in enumerate(sent)
            ]
            take = task.refer if stream in {one.name for one in TOPOLOGY.references} else task.apply
            for at in range(first, len(there), SLAB_RECORDS):
                take(stream, there[at : at + SLAB_RECORDS])
            own = task.left["assignment-forecasts"][read_back:]
            if own:
                read_back += len(own)
                task.apply("assignment-forecasts", own)
    for stream in TOPOLOGY.outputs:
        found[stream.name] = task.left[stream.name]
    state = [pair for table in task.state.tables for pair in table.bytes.items()]
    found["state-changelog"] = [Read("state-changelog", 0, at, 0, *pair, ()) for at, pair in enumerate(state)]
    return found


def test_a_sound_history_has_no_damage(settings: Settings, topics: Topics) -> None:
    """Money, fates, order, dead letters, state, audit and replay agree."""
    damage = examined(settings, topics)

    assert damage.problems == []
    assert not damage


def drop_line(topics: Topics) -> None:
    """A billing line is gone."""
    topics["billing"].pop()


def double_line(topics: Topics) -> None:
    """A billing line is there twice."""
    topics["billing"].append(topics["billing"][-1])


def change_cent(topics: Topics) -> None:
    """A billing line is one cent more, and its id the same."""
    line = topics["billing"][0]
    event = msgspec.json.decode(line.value)
    amount = event["amount"]
    event["amount"] = amount[:-1] + str((int(amount[-1]) + 1) % 10)
    topics["billing"][0] = line._replace(value=msgspec.json.encode(event))


def reverse_too_early(topics: Topics) -> None:
    """A reversal stands before what it reverses."""
    at = next(at for at, line in enumerate(topics["billing"]) if b'"reverses":"' in line.value)
    topics["billing"].insert(0, topics["billing"].pop(at))


def drop_letter(topics: Topics) -> None:
    """A record nobody can read has left no dead letter."""
    letters = topics["dead-letters"]
    letters.remove(next(one for one in letters if dead_letter.facts(one.headers)["topic"] == "time-entries"))


def double_letter(topics: Topics) -> None:
    """A dead letter is there twice."""
    topics["dead-letters"].append(topics["dead-letters"][0])


def change_letter(topics: Topics) -> None:
    """A dead letter has another byte than its record."""
    topics["dead-letters"][0] = topics["dead-letters"][0]._replace(value=b"other")


def skip_record(topics: Topics) -> None:
    """An input has one record more than anything became of."""
    last = topics["time-entries"][-1]
    topics["time-entries"].append(last._replace(offset=last.offset + 1))


def lose_state(topics: Topics) -> None:
    """The changelog lacks an entry's state."""
    at = next(at for at, record in enumerate(topics["state-changelog"]) if record.key[:1] == b"e")
    topics["state-changelog"].pop(at)


def flip_audit(topics: Topics) -> None:
    """One byte of the audit is another."""
    record = topics["audit"][0]
    topics["audit"][0] = record._replace(value=record.value.replace(b'"applied"', b'"applied "', 1))


@pytest.mark.parametrize(
    ("spoil", "counted"),
    [
        (drop_line, "wrong"),
        (double_line, "duplicated"),
        (change_cent, "wrong"),
        (reverse_too_early, "wrong"),
        (drop_letter, "lost"),
        (double_letter, "duplicated"),
        (change_letter, "wrong"),
        (skip_record, "lost"),
        (lose_state, "wrong"),
        (flip_audit, "wrong"),
    ],
)
def test_what_is_changed_is_found(
    spoil: Callable[[Topics], None], counted: str, settings: Settings, topics: Topics
) -> None:
    """Each change alone is counted for what it is, and told in a sentence."""
    spoilt = {stream: list(records) for stream, records in topics.items()}
    spoil(spoilt)
    damage = examined(settings, spoilt)

    assert getattr(damage, counted) > 0
    assert damage.problems
