"""Entries are found by their engagement: from the changelog, in the transaction at hand, and after it."""

from __future__ import annotations

from billtide.codecs.entry_state import EntryState
from billtide.tables.entries import Entries

from ..rules.builders import version


def test_entries_of_an_engagement_are_found_wherever_they_are() -> None:
    """Committed, changed in this transaction before anybody asked, and added after: all of them, in one order."""
    table = Entries()
    committed, changed, added, other = (
        f"etime\x1fpsa\x1f{engagement}\x1f{entry}".encode()
        for engagement, entry in (("E1", "3"), ("E1", "1"), ("E1", "2"), ("E2", "1"))
    )
    for key in (committed, other):
        table.put(key, EntryState(version()))
    table.commit(table.changes())
    table.put(changed, EntryState(version()))
    assert table.of_engagement("E1") == [changed, committed]

    table.put(added, EntryState(version()))
    assert table.of_engagement("E1") == [changed, added, committed]
    assert table.of_engagement("E3") == []
