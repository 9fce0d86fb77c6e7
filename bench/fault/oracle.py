"""The one check after every run, from the topics alone: I1 to I13 of what a billing stream must keep.

| invariant | judged by |
|---|---|
| I1 money and hours | to the minor unit: `app/demo/reckoning.py` reckons from the inputs, `verdict.py` compares |
| I1 each record has one fate | `accounts.records`: audit rows, dead letters, duplicates, stale ones against inputs |
| I2 no event twice | ids of all events, read-committed |
| I3 order | audit sequences without gap; a billing line is reversed after it stands, and once: `accounts.order` |
| I4 state | tables of the changelog against those of a replay in memory: `accounts.tables` |
| I5 nothing open, no position past the applied | `brokerside.open_transactions`, `brokerside.group_offsets` |
| I6 the same again | every event comes out again byte by byte: `app/audit/replay.py` |
| I7 no zombie's writes | events that the audit does not tell of: `app/audit/verification.py` |
| I8 liveness | the driver: lag 0 in time after the last fault |
| I10 dead letters | each once, the bytes, key, headers and place of its record: `accounts.letters` |
| I11 bounded | `brokerside.bounds`: memory and descriptors of the workers |
| I12 the audit is whole | hashes and ends of the chains: `app/audit/verification.py` |
| I13 no secrets | `brokerside.secrets`: the password in no log |

I9, at most one posting in the ERP, comes with the connectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from billtide.app.audit import replay, verification
from billtide.app.demo.progress import following
from billtide.app.demo.reading import read_streams
from billtide.app.demo.run import check
from billtide.app.topology import TOPOLOGY

from . import accounts
from .damage import Damage

if TYPE_CHECKING:
    from billtide.app.demo.run import Checked
    from billtide.app.settings import Settings

SHOWN_MAX = 20


async def judged(settings: Settings) -> Damage:
    """Read everything and judge it. Workers may run, but must have nothing left to do."""
    damage = Damage()
    async with following(settings) as progress:
        damage += _money(await check(settings, progress))
        positions = dict(progress.positions)
    found = await read_streams(settings, [stream.name for stream in TOPOLOGY.streams])
    damage += accounts.records(found, positions)
    damage += accounts.letters(found, settings.topic)
    damage += accounts.order(found["billing"])
    damage += await accounts.tables(settings)
    damage += await _audit(settings)
    return damage


def _money(checked: Checked) -> Damage:
    """The reckoning against what was written."""
    damage = Damage()
    verdict = checked.verdict
    if verdict.lost > 0:
        damage.lose(verdict.lost, f"{verdict.lost} records have no disposition")
    if verdict.lost < 0:
        damage.double(-verdict.lost, f"{-verdict.lost} dispositions more than records")
    if verdict.duplicated:
        damage.double(verdict.duplicated, f"{verdict.duplicated} events were written before")
    for problem in verdict.problems:
        if not problem.startswith("event id "):
            damage.mistake(problem)
    return damage


async def _audit(settings: Settings) -> Damage:
    """The chains, the events they tell of, and the same events done again."""
    damage = Damage()
    verified = await verification.verify(settings)
    for problem in verified.problems():
        damage.mistake(str(problem))
    _, differences = await replay.from_topics(settings)
    for difference in differences:
        damage.mistake(f"done again: {difference}")
    return damage
