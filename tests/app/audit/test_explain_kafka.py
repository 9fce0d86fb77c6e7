"""`billtide explain` against a real broker: the story from the topics, by name, by id, by engagement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from billtide.app.runtime.outgoing import partition_of

from .test_story import corrected

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

pytestmark = pytest.mark.kafka


@pytest.fixture
def published(publish: Callable[..., None]) -> None:
    """The story of the other tests, on topics."""
    sender = corrected()
    publish(sender.memory, sender.inputs)


@pytest.mark.usefixtures("published")
def test_an_entry_is_explained_from_the_topics(run: Callable[..., Result]) -> None:
    """Input records are found by their offsets, events by the audit; the same by full name and by a unique id."""
    shown, as_json = run("explain", "psa:time:11"), run("explain", "11", "--json")
    found = json.loads(as_json.stdout)

    assert shown.exit_code == 0, shown.output
    assert "time-entries partition 0 offset 1: revision 1, held" in shown.stdout
    assert "status approved" in shown.stdout
    assert "billed: 800.00 EUR" in shown.stdout
    assert found["entry"] == {"kind": "time", "source": "psa", "id": "11"}
    assert [step["cause"]["stream"] for step in found["steps"]] == ["time-entries", "reference"]
    assert found["steps"][0]["input"]["value"]["id"] == "11"
    assert all(event["on_topic"] for step in found["steps"] for event in step["events"])


@pytest.mark.usefixtures("published")
def test_an_id_of_two_entries_is_refused_with_their_names(run: Callable[..., Result]) -> None:
    """Exit code 2, and both names; one of them is then explained."""
    both, one = run("explain", "1"), run("explain", "tool:expense:1")

    assert both.exit_code == 2
    assert "psa:time:1, tool:expense:1" in both.stderr
    assert one.exit_code == 0, one.output


@pytest.mark.usefixtures("published")
def test_an_unknown_entry_is_a_finding(run: Callable[..., Result]) -> None:
    """Exit code 1 and what to look at, also for an entry that lies in the partition of another engagement."""
    elsewhere = next(f"E{number}" for number in range(99) if partition_of(f"E{number}".encode(), 3))

    for arguments in (("psa:time:404",), ("psa:time:11", "--engagement", elsewhere)):
        result = run("explain", *arguments)
        assert result.exit_code == 1
        assert "the audit does not tell of entry" in result.stderr
