"""A worker with agents small enough to check by eye: it counts records, emits one output each, holds and wakes.

Run as a program it is a whole worker process, set by BILLTIDE_* variables. What a record's value asks for:
`hold/<word>/<id>` waits for a word; `poison...` raises while the file BILLTIDE_TEST_POISON names exists; anything
else is counted. A reference record's value is the word it wakes; one that begins with `bad` cannot be decoded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from billtide.agents import shell
from billtide.agents.wake import in_steps
from billtide.app import worker
from billtide.app.runtime.actors import Actors
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY
from billtide.codecs.entry_state import Hold
from billtide.codecs.errors import UndecodableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Sequence

    from billtide.agents.work import Outcome, Record, Work
    from billtide.tables.reference import Reference

POISON_VARIABLE = "BILLTIDE_TEST_POISON"


class Counted(msgspec.Struct):
    """An output: which record it is of."""

    engagement_id: str
    id: str


class Change(NamedTuple):
    """What reference records changed."""

    wakes: set[str]
    undecodable: list[Any]


def apply(work: Work, record: Record) -> Outcome:
    """Count one record in its engagement's state and say so."""
    engagement, value = record.key.decode(), record.value.decode()
    if value.startswith("bad"):
        raise UndecodableError("malformed", "", "it begins with bad", "send something else")
    state = work.engagement(engagement)
    state.entries += 1
    if value.startswith("hold/"):
        _, word, name = value.split("/")
        key = work.state.holds.key(f"time\x1f{name}")
        work.state.holds.put(key, Hold(state.entries, "rate_missing", engagement, word))
        return "held"
    if value.startswith("poison") and Path(os.environ.get(POISON_VARIABLE, "/nonexistent")).exists():
        message = "a bug in a rule"
        raise RuntimeError(message)
    work.effects.billing.append(Counted(engagement, value))
    return "applied"


def agent(_: str) -> Callable[[AsyncIterable[Any]], Any]:
    """Make an agent for one stream."""

    async def read(slabs: AsyncIterable[Any]) -> None:
        await shell.run(slabs, apply)

    return read


def apply_reference(_: Reference, __: str, records: Sequence[Record]) -> Change:
    """Take in words that wake."""
    change = Change(set(), [])
    for record in records:
        if record.value.startswith(b"bad"):
            change.undecodable.append((record, UndecodableError("malformed", "", "bad", "send another")))
        else:
            change.wakes.add(record.value.decode())
    return change


def wake(work: Work, keys: list[bytes]) -> None:
    """Release holds: each says so once."""
    for key in keys:
        hold = work.state.holds.get(key)
        if hold is not None:
            work.state.holds.delete(key)
            work.effects.billing.append(Counted(hold.engagement_id, "released:" + key.decode()))


def actors() -> Actors:
    """All of it, for every stream of the topology."""
    agents = {stream.agent: agent(stream.name) for stream in TOPOLOGY.inputs}
    return Actors(agents, apply_reference, in_steps, wake)


if __name__ == "__main__":
    sys.exit(worker.run(load(), TOPOLOGY, actors()))
