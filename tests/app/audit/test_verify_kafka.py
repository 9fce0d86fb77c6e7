"""`billtide verify` against a real broker: 0 when all is whole, 1 with the place when it is not, 2 without topics."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from billtide.app.records import send
from billtide.app.settings import load

from .test_chain import played

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from billtide.app.memory import Memory

pytestmark = pytest.mark.kafka


def test_a_whole_audit_passes(publish: Callable[[Memory], None], run: Callable[..., Result]) -> None:
    """What a task wrote is verified, for people and as JSON."""
    memory = played()
    publish(memory)
    shown, as_json = run("verify"), run("verify", "--json")
    found = json.loads(as_json.stdout)

    assert (shown.exit_code, as_json.exit_code) == (0, 0), shown.output
    assert "the chain is whole and tells of each event once" in shown.stdout
    assert found == {"ok": True, "records": 5, "rows": found["rows"], "events": found["events"], "problems": []}
    assert found["rows"] > 10


def test_what_is_not_in_the_audit_is_found(publish: Callable[[Memory], None], run: Callable[..., Result]) -> None:
    """A record that somebody else wrote to a topic is a finding with its place, exit code 1; so is a flipped byte.

    Figures that no journal bears out are one too.
    """
    memory = played()
    audit = memory.left["audit"]
    audit[1] = audit[1]._replace(value=(audit[1].value or b"").replace(b'"psa"', b'"pse"', 1))
    publish(memory)
    asyncio.run(send(load(), "billing", [(b"E1", b'{"id":"made-up"}', ())]))
    asyncio.run(send(load(), "engagement-figures", [(b"E7", b'{"engagement_id":"E7","unbilled":"5.00"}', ())]))
    shown, as_json = run("verify"), run("verify", "--json")
    found = json.loads(as_json.stdout)

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert [one["stream"] for one in found["problems"]] == ["audit", "billing", "engagement-figures"]
    assert [one["offset"] for one in found["problems"][:2]] == [1, 0]
    assert "audit partition 0 offset 1: its hash is not that of its bytes" in shown.stderr


@pytest.mark.usefixtures("kafka")
def test_without_topics_the_command_says_what_makes_them(run: Callable[..., Result]) -> None:
    """Exit code 2 and the command."""
    result = run("verify")

    assert result.exit_code == 2
    assert "billtide topics create" in result.stderr


def test_partitions_that_would_be_passed_over_are_refused(
    publish: Callable[[Memory], None], run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a smaller BILLTIDE_PARTITIONS than the topics have, nothing is called whole."""
    publish(played())
    monkeypatch.setenv("BILLTIDE_PARTITIONS", "2")
    result = run("verify")

    assert result.exit_code == 2
    assert "set BILLTIDE_PARTITIONS=3" in result.stderr
