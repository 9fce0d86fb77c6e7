"""The audit chain read back: one changed byte anywhere is found and placed, and nothing else is blamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billtide.app.audit.chain import Chain
from billtide.app.audit.verification import AUDIT, EVENTS, Verification
from billtide.app.memory import Memory, Read

from ...builders import approval, engagement, rate_card, resource, time_entry, year

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billtide.codecs.records import ChainHead

ENTRIES = 6


def sent(stream: str, *objects: dict[str, object], key: bytes = b"E1") -> list[Read]:
    """Records of a stream, from offset 0."""
    return [Read(stream, 0, at, 1_700_000_000_000, key, json.dumps(one).encode(), ()) for at, one in enumerate(objects)]


def played() -> Memory:
    """A task that has billed some entries, one of them after its approval, and released one."""
    memory = Memory()
    memory.refer("resources", sent("resources", resource()))
    memory.refer("periods", sent("periods", year()))
    memory.apply("engagements", sent("engagements", engagement()))
    memory.apply("time-entries", sent("time-entries", *(time_entry(id=str(at)) for at in range(ENTRIES))))
    memory.refer("rate-cards", sent("rate-cards", rate_card()))
    memory.apply("approvals", sent("approvals", *(approval(entry_id=str(at)) for at in range(ENTRIES))))
    memory.restart()
    memory.apply("engagements", [Read("engagements", 0, 1, 0, b"E1", json.dumps(engagement(revision=2)).encode(), ())])
    return memory


MEMORY = played()
RECORDS = MEMORY.left[AUDIT]
HEAD = MEMORY.state.chain_head()


def problems(records: Iterable[Read], head: ChainHead | None = HEAD) -> dict[int, int]:
    """How many sentences each record gets, by offset; -1 is the end."""
    chain = Chain(0, head)
    found = {record.offset: len(chain.take(record)[1]) for record in records}
    return {offset: count for offset, count in (found | {-1: len(chain.end())}).items() if count}


def test_a_whole_chain_has_no_problem() -> None:
    """From the first record to the head in the state, through a restart."""
    assert len(RECORDS) == 5
    assert problems(RECORDS) == {}


places = st.integers(0, len(RECORDS) - 1).flatmap(
    lambda at: st.tuples(st.just(at), st.integers(0, len(RECORDS[at].value or b"") - 1))
)


@given(places, st.integers(0, 7))
def test_one_changed_bit_is_found_where_it_is(place: tuple[int, int], bit: int) -> None:
    """Whatever byte of a value is changed, that record is named, and no other."""
    at, byte = place
    value = bytearray(RECORDS[at].value or b"")
    value[byte] ^= 1 << bit
    changed = [*RECORDS[:at], RECORDS[at]._replace(value=bytes(value)), *RECORDS[at + 1 :]]

    assert problems(changed).keys() == {at}


def test_every_byte_is_covered() -> None:
    """Not one byte of the whole chain can be changed unseen, its last one and its hashes included."""
    for at, record in enumerate(RECORDS):
        value = record.value or b""
        for byte in range(len(value)):
            flipped = value[:byte] + bytes([value[byte] ^ 1]) + value[byte + 1 :]
            assert problems([*RECORDS[:at], record._replace(value=flipped), *RECORDS[at + 1 :]]).keys() == {at}, byte


@pytest.mark.parametrize(
    ("records", "where"),
    [
        pytest.param(RECORDS[1:], {1}, id="first-missing"),
        pytest.param([*RECORDS[:2], *RECORDS[3:]], {3}, id="one-missing"),
        pytest.param(RECORDS[:-1], {-1}, id="last-missing"),
        pytest.param([], {-1}, id="all-missing"),
        pytest.param([RECORDS[0], RECORDS[2], RECORDS[1], *RECORDS[3:]], {1, 2, 3}, id="order"),
        pytest.param([RECORDS[0]._replace(key=b"1"), *RECORDS[1:]], {0}, id="key"),
        pytest.param([RECORDS[0]._replace(headers=()), *RECORDS[1:]], {0}, id="headers"),
        pytest.param([RECORDS[0]._replace(value=None), *RECORDS[1:]], {0, 1}, id="emptied"),
    ],
)
def test_what_is_missing_or_moved_is_found(records: list[Read], where: set[int]) -> None:
    """A gap is told at the record after it, a shortened chain at its end, by what the state knows."""
    assert problems(records).keys() == where


def test_a_chain_of_another_task_is_refused() -> None:
    """The records of one task are no chain of another, though their hashes fit."""
    assert "it is of task 0" in Chain(1).take(RECORDS[0])[1]


def verification(left: dict[str, list[Read]]) -> Verification:
    """Everything a task has left, verified."""
    found = Verification({0: HEAD})
    for stream in (AUDIT, *EVENTS):
        found.take(stream, 0, left[stream])
    return found


def test_audit_and_topics_agree() -> None:
    """Each event that left is told once."""
    found = verification(MEMORY.left)

    assert found.problems() == []
    assert found.events == sum(len(MEMORY.left[stream]) for stream in EVENTS) > 4 * ENTRIES
    assert found.records == len(RECORDS)


@pytest.mark.parametrize("stream", EVENTS)
def test_a_missing_event_is_named(stream: str) -> None:
    """An event that the audit tells of and that is on no topic is named with the audit record."""
    gone, *rest = MEMORY.left[stream]
    (problem,) = verification(MEMORY.left | {stream: rest}).problems()

    assert json.loads(gone.value or b"")["id"] in problem.problem
    assert (problem.place.stream, "is on no topic" in str(problem)) == (AUDIT, True)


@pytest.mark.parametrize("stream", EVENTS)
def test_an_event_too_many_is_named(stream: str) -> None:
    """An event nobody told of, and one that is there twice, are named where they stand."""
    first = MEMORY.left[stream][0]
    made_up = first._replace(offset=99, value=b'{"id":"psa:time:77:1:billing:0"}')
    again = first._replace(offset=100)
    found = verification(MEMORY.left | {stream: [*MEMORY.left[stream], made_up, again]}).problems()

    assert [problem.place for problem in found] == [(stream, 0, 99), (stream, 0, 100)]
    assert all("the audit does not tell of it" in str(problem) for problem in found)


def test_what_is_read_late_waits_for_its_match() -> None:
    """While workers go on, an event of the second reading whose audit is not read yet is no difference."""
    found = verification(MEMORY.left)
    found.early = False
    found.take("billing", 0, [MEMORY.left["billing"][0]._replace(offset=99, value=b'{"id":"later"}')])

    assert found.problems() == []
