"""Whether a correction changes money: every field of an entry does, but for those that only say which version it is."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from billtide.agents.rules.differences import same_money
from billtide.codecs.entry_state import EntryVersion, SpentLine

from .builders import version

IDENTITY = {"kind", "source", "id", "revision", "status", "engagement_id"}
CONDITIONS = {"receipt"}
"""What decides whether there is a worth at all, not how much: without it the valuation says what is missing."""
DAYS = {"submitted_on"}
"""What dates a charge when it is posted: it stays there while the money stays the same."""
ANOTHER = {
    str: "another",
    int: 7,
    bool: False,
    dt.date: dt.date(2026, 1, 2),
    type(None): 7,
    tuple: (SpentLine("travel", 7),),
}
"""A value that a version of the builders does not have, by the type of the one it has."""


@pytest.mark.parametrize(
    "field", [name for name in EntryVersion.__struct_fields__ if name not in IDENTITY | CONDITIONS | DAYS]
)
def test_a_change_of_any_other_field_changes_money(field: str) -> None:
    """A field that is added to an entry is compared, or its correction would not be billed again."""
    before = version()
    after = msgspec.structs.replace(before, revision=2, **{field: ANOTHER[type(getattr(before, field))]})

    assert not same_money(before, after)


def test_another_revision_and_status_change_none() -> None:
    """Approving what was submitted posts nothing twice."""
    assert same_money(version(), version(revision=2, status="approved"))
