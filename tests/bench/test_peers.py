"""Other engines under the fault driver: the check counts, a sound run is clean, and what cannot be played is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from fault.catalogue import Scenario, named
from fault.ground import Ground
from fault.peers import course
from fault.peers.charge import RATE, charge
from fault.peers.engines import ENGINES, PEERS, MissingPeerError
from fault.peers.judge import judged
from fault.peers.scenarios import PLAYED
from fault.run import play
from fault.world import World

from billtide.app.broker import Broker

BENCH = Path(__file__).resolve().parents[2] / "bench"
FAULTS = BENCH / "faults.py"
PART = 30
SECONDS_MAX = 240
ENTRIES = [
    {"source": "psa", "id": "1", "revision": 1, "engagement_id": "E-1", "quantity": "2"},
    {"source": "psa", "id": "2", "revision": 1, "engagement_id": "E-1", "quantity": "0.25"},
    {"source": "psa", "id": "3", "revision": 1, "engagement_id": "E-2", "quantity": "1.5"},
]
CHARGES = [
    charge(ENTRIES[0], 2 * RATE),
    charge(ENTRIES[1], 2 * RATE + RATE // 4),
    charge(ENTRIES[2], RATE + RATE // 2),
]


def records(values: list[dict[str, Any]]) -> list[Any]:
    """Records of a topic, one a value."""
    return [SimpleNamespace(value=msgspec.json.encode(value)) for value in values]


def counted(entries: list[dict[str, Any]], charges: list[dict[str, Any]]) -> tuple[int, int, int]:
    """What the check counts: lost, duplicated, wrong."""
    damage = judged(records(entries), records(charges))
    assert len(damage.problems) >= bool(damage)
    return damage.lost, damage.duplicated, damage.wrong


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        pytest.param(CHARGES, (0, 0, 0), id="sound"),
        pytest.param(CHARGES[1:], (1, 0, 0), id="lost"),
        pytest.param([*CHARGES, CHARGES[1]], (0, 1, 0), id="doubled, the total right"),
        pytest.param([*CHARGES, {**CHARGES[1], "total": 5 * RATE // 2}], (0, 1, 1), id="doubled, the total too"),
        pytest.param([*CHARGES[:2], {**CHARGES[2], "total": RATE}], (0, 0, 1), id="a total that began again"),
        pytest.param(CHARGES[:1], (2, 0, 1), id="lost, and the last total is an older one"),
    ],
)
def test_each_kind_of_damage_is_counted(charges: list[dict[str, Any]], expected: tuple[int, int, int]) -> None:
    """A missing charge is lost, one too many duplicated, an engagement whose last total is not its sum wrong."""
    assert counted(ENTRIES, charges) == expected


def test_an_entry_that_the_load_brings_twice_is_charged_twice() -> None:
    """A peer does not know of revisions: each record is a charge, and only one more than that is a duplicate."""
    again = {**CHARGES[2], "total": 3 * RATE}

    assert counted([*ENTRIES, ENTRIES[2]], [*CHARGES, again]) == (0, 0, 0)
    assert counted([*ENTRIES, ENTRIES[2]], CHARGES) == (1, 0, 1)


def test_peers_play_scenarios_that_billtide_plays() -> None:
    """With as many workers, the same load and the same session: no peer has other faults."""
    for name, scenario in PLAYED.items():
        assert scenario._replace(play=named(name).play) == named(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "faust", "--scenario", "killed_fenced"], "worker_killed, zombie_at_random, broker_killed"),
        (["--engine", "faust", "--sabotage", "skip_fencing"], "are for --engine billtide"),
        (["--engine", "faust", "--standbys", "1"], "are for --engine billtide"),
    ],
)
def test_what_a_peer_cannot_play_is_refused(arguments: list[str], said: str) -> None:
    """Before a broker is started, with what it can play."""
    done = subprocess.run([sys.executable, FAULTS, *arguments], capture_output=True, text=True, check=False)

    assert done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_peer_that_is_not_installed_says_what_to_run(tmp_path: Path) -> None:
    """Quix Streams has an environment of its own; without it the error names the command that makes it."""
    with pytest.raises(MissingPeerError, match="run `make peers`"):
        PEERS["quix"]._replace(python=tmp_path / "python").command()


async def nothing(world: World) -> None:
    """No fault."""
    world.tell("nothing happens")


@pytest.mark.kafka
@pytest.mark.timeout(SECONDS_MAX)
def test_stock_faust_without_faults_is_found_sound(
    broker: Broker, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers run, take the driver's load, and the check finds each charge and each total."""
    monkeypatch.setattr(course, "QUIET_SECONDS", 0.0)  # nothing that could come late
    scenario = Scenario("nothing", "no fault", nothing, names=("a",), seconds=1.0, part=PART)

    outcome = play(scenario, seed % 1_000, Ground(broker), tmp_path, ENGINES["faust"])

    assert json.dumps(outcome.damage.problems) == "[]", outcome.told
    assert not outcome.damage
    assert not outcome.done
