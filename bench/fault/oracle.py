"""The one check after every run, from the topics alone: I1 to I13 of what a billing stream must keep.

| invariant | judged by |
|---|---|
| I1 money and hours | to the minor unit: `app/demo/reckoning.py` reckons from the inputs, `verdict.py` compares |
| I1 each record has one fate | `accounts.records`: audit rows, dead letters, duplicates, stale ones against inputs |
| I2 no event twice | ids of all events, read-committed |
| I3 order | audit sequences without gap; a billing line is reversed after it stands, and once: `accounts.order` |
| I4 state | tables of the changelog against those of a replay in memory, byte by byte: `accounts.state` |
| I5 nothing open, no position past the applied | `brokerside.open_transactions`, `brokerside.group_offsets` |
| I6 the same again | every event comes out of the replay byte by byte: `app/audit/replay.py` |
| I7 no zombie's writes | events that the audit does not tell of: `app/audit/verification.py` |
| I8 liveness | `run.py`: lag 0 in time after the last fault |
| I10 dead letters | each once, the bytes, key, headers and place of its record: `accounts.letters` |
| I11 bounded | `brokerside.bounds`: memory and descriptors of the workers |
| I12 the audit is whole | hashes and ends of the chains: `app/audit/verification.py` |
| I13 no secrets | `brokerside.secrets`: the password in no log |

I9, at most one posting in the ERP, comes with the connectors.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from billtide.app.audit import replay
from billtide.app.audit.verification import AUDIT, CHANGELOG, EVENTS, Verification
from billtide.app.demo.firm import STREAMS
from billtide.app.demo.outputs import add_up
from billtide.app.demo.progress import OWN_INPUT
from billtide.app.demo.reading import read_streams
from billtide.app.demo.reckoning import reckon
from billtide.app.demo.verdict import judge
from billtide.app.topology import TOPOLOGY
from billtide.tables.state import CHAIN_KEY, TaskState

from . import accounts
from .damage import Damage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord

    from billtide.app.settings import Settings

    from .accounts import Found

OUTCOMES: Final = ("applied", "duplicate", "stale", "held", "dead_lettered")


async def judged(settings: Settings) -> Damage:
    """Read everything and judge it. Workers may run, but must have nothing left to do."""
    return examined(settings, await read_streams(settings, [stream.name for stream in TOPOLOGY.streams]))


def examined(settings: Settings, found: Found) -> Damage:
    """Judge what all topics hold, by stream; the records of each partition in their order."""
    parts = [_part(found, partition) for partition in range(settings.partitions)]
    states = [_restored(part[CHANGELOG]) for part in parts]
    damage = _money(found, states)
    damage += accounts.records(found, states, settings.topic)
    damage += accounts.letters(found, settings.topic)
    damage += accounts.order(found["billing"])
    damage += _verified(parts, states)
    known = {name: found[name] for name in replay.REFERENCES}
    for partition, (part, state) in enumerate(zip(parts, states, strict=True)):
        again = replay.Told(partition, part, known)
        for told in accounts.readable(part[AUDIT]):
            again.take(told)
        again.react()
        damage += accounts.state(partition, state, again.memory.state)
        for difference in (*again.gone, *replay.compare(again.memory, part, again.told)):
            damage.mistake(f"done again: {difference}")
    return damage


def _money(found: Found, states: Iterable[TaskState]) -> Damage:
    """The reckoning from the inputs alone against what was written, and records against what became of them."""
    damage = Damage()
    counted = sum(len(found[stream.name]) for stream in TOPOLOGY.inputs if stream.role == "input")
    positions = [state.positions.decode(raw) for state in states for raw in state.positions.bytes.values()]
    dispositions = sum(getattr(position, outcome) for position in positions for outcome in OUTCOMES)
    reckoning = reckon({name: found[name] for name in STREAMS})
    verdict = judge(reckoning, add_up(found), counted + len(found[OWN_INPUT]), dispositions)
    if verdict.lost > 0:
        damage.lose(verdict.lost, f"{verdict.lost} records have no disposition")
    if verdict.lost < 0:
        damage.double(-verdict.lost, f"{-verdict.lost} dispositions more than records")
    if verdict.duplicated:
        damage.double(verdict.duplicated, f"{verdict.duplicated} events were written before")
    for problem in verdict.problems:
        if not problem.startswith("event id "):  # counted as duplicated
            damage.mistake(problem)
    return damage


def _verified(parts: list[dict[str, list[ConsumerRecord]]], states: list[TaskState]) -> Damage:
    """The chains of the audit are whole, end where the states say, and tell of exactly the events there are."""
    damage = Damage()
    heads = {
        task: state.audit.decode(state.audit.bytes[CHAIN_KEY])
        for task, state in enumerate(states)
        if CHAIN_KEY in state.audit.bytes
    }
    verification = Verification(heads)
    for partition, part in enumerate(parts):
        for stream in (AUDIT, *EVENTS):
            verification.take(stream, partition, part[stream])
    for problem in verification.problems():
        damage.mistake(str(problem))
    return damage


def _part(found: Found, partition: int) -> dict[str, list[ConsumerRecord]]:
    part: defaultdict[str, list[ConsumerRecord]] = defaultdict(list)
    for stream, there in found.items():
        part[stream] = [record for record in there if record.partition == partition]
    return part


def _restored(changelog: Iterable[ConsumerRecord]) -> TaskState:
    state = TaskState()
    state.restore(changelog)
    state.restored()
    return state
