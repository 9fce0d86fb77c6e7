"""Records on topics: decoders of every shape, agents with a firm's week behind them, reference data, headers."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from billtide.agents.wake import waiting
from billtide.app.demo.firm import in_order, sample_week
from billtide.app.intake.admission import ACCEPTED, readable
from billtide.app.memory import APPLIES, Memory, Read
from billtide.app.shapes import SHAPES
from billtide.codecs import cloudevents, dead_letter
from billtide.codecs.errors import UndecodableError
from billtide.tables.state import TaskState

from .mutation import PIECES, mutated, mutated_json, odd_text
from .verdict import check_undecodable

if TYPE_CHECKING:
    from random import Random

    from billtide.app.demo.happenings import Sent

GOLDEN: Final = Path(__file__).resolve().parents[2] / "tests" / "golden"
WEEK_SEED: Final = 11
BEFORE: Final = 300
"""Records of the week's load that a task has behind it when an odd one comes."""
FACT: Final = dead_letter.PREFIX


@cache
def wire() -> list[tuple[str, bytes]]:
    """A good record of every shape, in full and with the least, by its stream: the golden bytes."""
    found = []
    for file in sorted(GOLDEN.rglob("*.json")):
        event = file.name.removesuffix(".json").removesuffix(".least")
        found += [(name, file.read_bytes()) for name in (event, f"{event}s", f"{event[:-1]}ies") if name in SHAPES]
    return found


def wire_record(chance: Random) -> None:
    """Decode a mutated record of any shape; what a sender may send is tried on its agent, too."""
    stream, data = chance.choice(wire())
    changed = mutated_json(chance, data) if chance.random() < 0.6 else mutated(chance, data)
    try:
        if stream in ACCEPTED and chance.random() < 0.3:
            readable(stream, changed)
        else:
            SHAPES[stream].decode(changed)
    except UndecodableError as error:
        check_undecodable(error)


class Firm(NamedTuple):
    """A task with part of a week behind it, and good records to make odd ones of."""

    task: Memory
    tables: list[dict[bytes, bytes]]
    reference: bytes
    sent: list[tuple[str, Sent]]


@cache
def firm() -> Firm:
    """Take in the master data and some of the load of a sample week."""
    week = sample_week(WEEK_SEED)
    task = Memory()
    order = [*in_order(week.masters), *in_order(week.load)]
    late = list(in_order(week.late))
    for at, (stream, sent) in enumerate(order[: sum(map(len, week.masters.values())) + BEFORE]):
        _take(task, stream, [_record(stream, at, sent.key, sent.value, tuple(sent.headers))])
    good = [(stream, sent) for stream, sent in order + late if _is_object(sent.value)]
    by_stream: dict[str, list[tuple[str, Sent]]] = {}
    for stream, sent in good:
        by_stream.setdefault(stream, []).append((stream, sent))
    tables = [dict(table.bytes) for table in task.state.tables]
    return Firm(
        task, tables, pickle.dumps(task.reference), [one for found in by_stream.values() for one in found[:150]]
    )


def _is_object(value: bytes | None) -> bool:
    """Whether a record of the week is JSON: a few are sent broken."""
    try:
        return isinstance(msgspec.json.decode(value or b""), dict)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def agent_record(chance: Random) -> None:
    """Give a task one to three mutated records of its inputs, whole transactions: nothing but dead letters may come."""
    known = firm()
    task = Memory(0, known.task.reference, _state(known))
    for at in range(chance.choice((1, 1, 3))):
        stream, sent = chance.choice(known.sent)
        if stream not in APPLIES:
            continue
        value = mutated_json(chance, sent.value or b"{}")
        key = sent.key if chance.random() < 0.95 else mutated(chance, sent.key or b"")
        _take(task, stream, [_record(stream, 10_000 + at, key, value, ())])
    _check_letters(task)


def reference_record(chance: Random) -> None:
    """Give a task a mutated reference record and settle all that it wakes."""
    known = firm()
    task = Memory(0, pickle.loads(known.reference), _state(known))  # noqa: S301 - our own bytes
    stream, sent = chance.choice([one for one in known.sent if one[0] not in APPLIES])
    _take(task, stream, [_record(stream, 10_000, sent.key, mutated_json(chance, sent.value or b"{}"), ())])
    task.settle(waiting(task.state, None)[:20])
    _check_letters(task)


def headers(chance: Random) -> None:
    """Read headers nobody should send: CloudEvents types, and the facts of dead letters, which must come back."""
    given = tuple((_name(chance), _content(chance)) for _ in range(chance.randrange(4)))
    error = UndecodableError("malformed", _utf8(chance), _utf8(chance), _utf8(chance))
    try:
        cloudevents.check_type(given, "billtide.time-entry.v1")  # type: ignore[arg-type]  # Kafka sends null, too
    except UndecodableError as found:
        check_undecodable(found)
        error = found
    kept = dead_letter.kept(chance.choice((None, b"", b"E-1")), chance.choice((None, b"", b"{}")), given)  # type: ignore[arg-type]
    told = dead_letter.headers("time-entries", 3, 17, 5, kept.headers, error)
    facts = dead_letter.facts(told)
    assert (facts["topic"], facts["offset"], facts["reason"]) == ("time-entries", "17", error.reason)


def _utf8(chance: Random) -> str:
    """Odd text that bytes can hold: what a client hands over, and what stands in messages, was decoded from some."""
    return odd_text(chance).encode(errors="replace").decode()


def _name(chance: Random) -> str:
    return chance.choice(
        ("ce_type", "ce_id", "ce_specversion", "content-type", FACT + "offset", FACT + "topic", _utf8(chance))
    )


def _content(chance: Random) -> bytes | None:
    good = chance.choice((None, b"billtide.time-entry.v1", b"1.0", chance.choice(PIECES)[:500]))
    return mutated(chance, good) if good is not None and chance.random() < 0.5 else good


def _record(stream: str, at: int, key: bytes | None, value: bytes | None, own: tuple[tuple[str, bytes], ...]) -> Read:
    return Read(stream, 0, at, 1_700_000_000_000, key, value, own)


def _take(task: Memory, stream: str, records: list[Read]) -> None:
    (task.apply if stream in APPLIES else task.refer)(stream, records)


def _state(known: Firm) -> TaskState:
    state = TaskState()
    for table, kept in zip(state.tables, known.tables, strict=True):
        table.bytes.update(kept)
    state.restored()
    return state


def _check_letters(task: Memory) -> None:
    for letter in task.left["dead-letters"]:
        facts = dead_letter.facts(letter.headers)
        assert facts["problem"], facts
        assert facts["fix"], facts
