"""A table: typed values over bytes, written once a transaction, restored to what it was."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from billtide.codecs.records import Position
from billtide.tables.table import VERSION, Table, UnknownVersionError

KEYS = [b"pa", b"pb", b"pc"]


def table() -> Table[Position]:
    """An empty table of positions."""
    return Table("positions", "p", Position)


class TableIsADict(RuleBasedStateMachine):
    """Whatever is put, changed in place, deleted, committed and restored, a table reads like a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.table = table()
        self.model: dict[bytes, int] = {}
        self.committed: dict[bytes, int] = {}
        self.changelog: dict[bytes, bytes | None] = {}

    @rule(key=st.sampled_from(KEYS), offset=st.integers(0, 9))
    def put(self, key: bytes, offset: int) -> None:
        """Set a value."""
        self.table.put(key, Position(offset))
        self.model[key] = offset

    @rule(key=st.sampled_from(KEYS))
    def change_in_place(self, key: bytes) -> None:
        """Change a value that was read and put it again."""
        value = self.table.get(key)
        if value is not None:
            value.offset += 1
            self.table.put(key, value)
            self.model[key] += 1

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: bytes) -> None:
        """Remove a value, there or not."""
        self.table.delete(key)
        self.model.pop(key, None)

    @rule()
    def commit(self) -> None:
        """End a transaction: the changelog takes one record a key."""
        changes = self.table.changes()
        assert len({key for key, _ in changes}) == len(changes)
        self.table.commit(changes)
        self.changelog.update(changes)
        self.committed = dict(self.model)

    @rule()
    def crash(self) -> None:
        """Throw the table away and restore it from the changelog: uncommitted changes are gone."""
        self.table = table()
        self.table.bytes.update({key: raw for key, raw in self.changelog.items() if raw is not None})
        self.model = dict(self.committed)

    @invariant()
    def reads_like_the_model(self) -> None:
        """Every key reads as the dict says, before and after commits; the length counts what is committed."""
        for key in KEYS:
            value = self.table.get(key)
            assert (None if value is None else value.offset) == self.model.get(key)
        assert len(self.table) == len(self.committed)


TestTableIsADict = TableIsADict.TestCase
TestTableIsADict.settings = settings(max_examples=80, stateful_step_count=25)


def test_a_value_changed_often_leaves_once() -> None:
    """The changelog gets the last value of a key, however often it changed."""
    positions = table()
    for offset in range(5):
        positions.put(b"pa", Position(offset))

    assert [key for key, _ in positions.changes()] == [b"pa"]
    assert positions.decode(positions.changes()[0][1] or b"").offset == 4


def test_a_deleted_value_leaves_a_tombstone() -> None:
    """A deletion reaches the changelog as None, also of a key that was only put in this transaction."""
    positions = table()
    positions.put(b"pa", Position(1))
    positions.delete(b"pa")

    assert positions.get(b"pa") is None
    assert positions.changes() == [(b"pa", None)]


def test_encoding_changes_nothing() -> None:
    """Until the transaction is committed the changes can be encoded again."""
    positions = table()
    positions.put(b"pa", Position(1))

    assert positions.changes() == positions.changes()
    assert len(positions) == 0


def test_keys_of_tables_never_meet() -> None:
    """Tables share one changelog: each key opens with its table's tag."""
    assert table().key("time-entries") == b"ptime-entries"
    assert table().key("zürich") == b"pz\xc3\xbcrich"


@pytest.mark.parametrize("raw", [b"", b"\x00abc", bytes([VERSION[0] + 1]) + msgspec.msgpack.encode(Position())])
def test_a_record_of_another_version_stops_the_worker(raw: bytes) -> None:
    """What a newer worker wrote is not guessed at; the message says which table and which versions."""
    with pytest.raises(UnknownVersionError, match="table positions: a changelog record has version byte"):
        table().decode(raw)


def test_a_record_opens_with_its_version() -> None:
    """One byte, then msgpack."""
    positions = table()
    positions.put(b"pa", Position(1))

    assert positions.changes() == [(b"pa", VERSION + msgspec.msgpack.encode(Position(1)))]
