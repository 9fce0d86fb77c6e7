"""A copy of a task's state goes on only where it surely was: at its last record, which must come again."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from billtide.app.runtime.changelog import Copy, LogChangedError
from billtide.tables.table import VERSION

LIMIT_SECONDS = 60.0


class Read(NamedTuple):
    """What a consumer brings."""

    offset: int
    key: bytes = b"gE-1"
    value: bytes = VERSION + b"1"
    timestamp: int = 1


@pytest.fixture
def copy() -> Copy:
    """Of a log that begins at 0, read to offset 7."""
    copy = Copy(0)
    copy.apply([Read(3), Read(7, b"gE-2")])
    return copy


def test_the_last_record_comes_again_and_is_not_applied_twice(copy: Copy) -> None:
    """Reading goes on at the last record; what follows it is applied."""
    assert copy.resume(0, 12, LIMIT_SECONDS) == 7
    copy.apply([Read(7, b"gE-2"), Read(9, b"gE-3")])
    copy.confirm(12)

    assert copy.records == 3
    assert set(copy.state.engagements.bytes) == {b"gE-1", b"gE-2", b"gE-3"}


@pytest.mark.parametrize(
    "found", [Read(8, b"gE-2"), Read(7), Read(7, b"gE-2", VERSION + b"2"), Read(7, b"gE-2", timestamp=2)]
)
def test_another_record_in_its_place_is_another_log(copy: Copy, found: Read) -> None:
    """Offset, key, value and time must be what they were; nothing of the other log is applied."""
    copy.resume(0, 12, LIMIT_SECONDS)
    with pytest.raises(LogChangedError, match="the record at offset 7, the last one read, is not there any more"):
        copy.apply([found, Read(9, b"gE-3")])

    assert copy.records == 2


def test_a_log_with_nothing_from_there_on_is_another(copy: Copy) -> None:
    """Compaction may leave a hole up to the end: without the record again, nobody knows whose end it is."""
    copy.resume(0, 12, LIMIT_SECONDS)
    copy.confirm(7)
    with pytest.raises(LogChangedError, match="nothing is left at offset 7"):
        copy.confirm(12)


def test_an_empty_copy_begins_at_the_beginning() -> None:
    """Where nothing is read yet there is nothing to compare."""
    copy = Copy(5)

    assert copy.resume(5, 9, LIMIT_SECONDS) == 5
    copy.apply([Read(6)])
    assert copy.records == 1


def test_a_copy_that_is_always_a_moment_behind_lacks_nothing_for_long(copy: Copy) -> None:
    """What was there at a question is read by a later one: it was whole then, though the log has grown on."""
    copy.reached(8, 12, asked=100.0)
    copy.reached(13, 20, asked=110.0)
    assert (copy.whole_at, copy.lag) == (100.0, 7)
    copy.reached(21, 21, asked=120.0)
    assert (copy.whole_at, copy.lag) == (120.0, 0)
