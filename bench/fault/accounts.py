"""Accounts of records: what became of each, in which order, and whether state and dead letters say the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from billtide.app.audit.verification import AUDIT
from billtide.app.topology import TOPOLOGY
from billtide.codecs import audit, dead_letter
from billtide.codecs.errors import UndecodableError

from .damage import Damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aiokafka import ConsumerRecord

    from billtide.codecs.audit import AuditRecord
    from billtide.tables.state import TaskState

Place = tuple[str, int]
"""A stream and a partition."""
Found = Mapping[str, Sequence[Any]]
"""Records by stream."""

INPUTS: Final = tuple(stream.name for stream in TOPOLOGY.inputs if stream.role == "input")
REPLAYED: Final = ("entries", "approvals", "engagements", "holds", "assignments")
"""Tables that a replay in the order of the audit must come to. Weeks of people, and what of them waits, come from a
stream the audit does not tell of."""
WEEK_HOLD: Final = b"hweek"


def records(found: Found, states: Sequence[TaskState], topic: Callable[[str], str]) -> Damage:
    """Each input record has exactly one fate: a row of the audit, a dead letter, or counted as duplicate or stale."""
    damage = Damage()
    rows, lettered = _rows(found[AUDIT]), _letters(found["dead-letters"], topic)
    for stream in INPUTS:
        offsets: defaultdict[int, set[int]] = defaultdict(set)
        for record in found[stream]:
            offsets[record.partition].add(record.offset)
        for partition, there in offsets.items():
            place = stream, partition
            position = states[partition].position(stream)
            told, letters = rows.get(place, set()), lettered.get(place, set())
            fates = len(told) + len(letters) + position.duplicate + position.stale
            where = f"{stream} partition {partition}"
            if fates < len(there):
                damage.lose(len(there) - fates, f"{where}: {len(there) - fates} of {len(there)} records have no fate")
            if fates > len(there):
                damage.double(fates - len(there), f"{where}: {fates} fates of {len(there)} records")
            if told & letters or (told | letters) - there:
                damage.mistake(f"{where}: the audit tells of records that are dead letters or are not there")
    return damage


def letters(found: Found, topic: Callable[[str], str]) -> Damage:
    """Each dead letter once, and what it holds is its record: bytes, key and headers."""
    damage = Damage()
    sources = {(topic(name), one.partition, one.offset): one for name, there in found.items() for one in there}
    seen: Counter[tuple[str, int, int]] = Counter()
    for letter in found["dead-letters"]:
        facts = dead_letter.facts(letter.headers)
        place = facts["topic"], int(facts["partition"]), int(facts["offset"])
        seen[place] += 1
        source = sources.get(place)
        headers = tuple(one for one in letter.headers if not one[0].startswith(dead_letter.PREFIX))
        if source is None:
            damage.mistake(f"a dead letter is of {place}, where no record is")
        elif dead_letter.LEFT_OUT in dict(letter.headers):
            if dead_letter.kept(source.key, source.value, source.headers).value is not None or letter.value is not None:
                damage.mistake(f"the dead letter of {place} leaves out what would have fitted")
        elif (source.key, source.value or b"", source.headers) != (letter.key, letter.value or b"", headers):
            damage.mistake(f"the dead letter of {place} does not hold its record")
    for place, count in seen.items():
        if count > 1:
            damage.double(count - 1, f"the record at {place} has {count} dead letters")
    return damage


class _Line(msgspec.Struct):
    """What is read of a billing line."""

    id: str
    action: str
    reverses: str = ""


def order(billing: Iterable[ConsumerRecord]) -> Damage:
    """A line is reversed after it stands, in its own partition, and once. Records of a partition are in order."""
    damage, standing, decode = Damage(), set(), msgspec.json.Decoder(_Line).decode
    for record in billing:
        line = decode(record.value)
        if line.action != "reversal":
            standing.add((record.partition, line.id))
        elif (record.partition, line.reverses) in standing:
            standing.remove((record.partition, line.reverses))
        else:
            damage.mistake(f"{line.id} reverses {line.reverses}, which does not stand before it")
    return damage


def state(partition: int, restored: TaskState, replayed: TaskState) -> Damage:
    """State as the changelog has it against the state that the audit's order of the inputs comes to, byte by byte."""
    damage = Damage()
    for mine, theirs in zip(restored.tables, replayed.tables, strict=True):
        keys = {key for key, _ in mine.bytes.items() ^ theirs.bytes.items() if not key.startswith(WEEK_HOLD)}
        if mine.name in REPLAYED and keys:
            damage.wrong += len(keys)
            damage.problems.append(f"task {partition}, {mine.name}: {_shown(keys)} not as a replay leaves them")
    return damage


def _shown(keys: set[bytes]) -> str:
    first = min(keys).decode(errors="replace")
    return first if len(keys) == 1 else f"{first} and {len(keys) - 1} more"


def readable(told: Iterable[Any]) -> Iterator[AuditRecord]:
    """Audit records that can be read; the others are for the verification to tell of."""
    for record in told:
        with suppress(UndecodableError):
            yield audit.decode(record.value)


def _rows(told: Iterable[Any]) -> dict[Place, set[int]]:
    """Offsets of input records that the audit has rows of. One row may go on in the next audit record."""
    rows: defaultdict[Place, set[int]] = defaultdict(set)
    for read in readable(told):
        rows[read.stream, read.task].update(row.offset for row in read.rows if row.offset != audit.NO_OFFSET)
    return rows


def _letters(found: Iterable[Any], topic: Callable[[str], str]) -> dict[Place, set[int]]:
    """Offsets of dead letters' records by input stream and partition."""
    names = {topic(name): name for name in INPUTS}
    offsets: defaultdict[Place, set[int]] = defaultdict(set)
    for letter in found:
        facts = dead_letter.facts(letter.headers)
        offsets[names.get(facts["topic"], facts["topic"]), int(facts["partition"])].add(int(facts["offset"]))
    return offsets
