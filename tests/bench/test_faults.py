"""The fault driver: real workers and a real broker come through, and a guarantee turned off is noticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fault import brokerside, recovery
from fault.catalogue import BY_ITSELF, EVERY, POINT_TIMES, SUITES
from fault.soak import DECK

from billtide.app.runtime.failpoints import POINTS

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ROOT / "bench" / "faults.py"
SCENARIO_KEYS = ["name", "runs", "lost", "duplicated", "wrong", "recovery_s_max"]
RECOVERY_SECONDS_MAX = 60.0
SECONDS_MAX = 900


def faults(*arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the command as a user does; what it says, and its figures."""
    done = subprocess.run(
        [sys.executable, FAULTS, "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout)


@pytest.mark.kafka
@pytest.mark.timeout(SECONDS_MAX)
def test_kills_and_rubbish_lose_nothing_double_nothing_and_change_no_cent(seed: int) -> None:
    """A worker killed in a commit, one that ends without its broker, one in another's place, and input too large."""
    wanted = ("killed_commit_sent", "oversize_input", "ended_without_broker", "same_place")
    chosen = [argument for name in wanted for argument in ("--scenario", name)]
    done, told = faults(*chosen, "--seed", str(seed % 1_000_000))

    assert (told["lost"], told["duplicated"], told["wrong"]) == (0, 0, 0), done.stderr
    assert [list(one) for one in told["scenarios"]] == [SCENARIO_KEYS] * len(wanted)
    assert [(one["name"], one["runs"]) for one in told["scenarios"]] == [(name, 1) for name in wanted]
    assert all(one["recovery_s_max"] <= RECOVERY_SECONDS_MAX for one in told["scenarios"])
    assert {"broker_kills": 1, "kills": 1, "oversize": 1, "same_places": 1}.items() <= told["faults"].items()
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.kafka
@pytest.mark.long
@pytest.mark.timeout(SECONDS_MAX)
def test_takeovers_from_warm_copies_lose_nothing_double_nothing_and_change_no_cent(seed: int) -> None:
    """Two workers are killed under load; the others go on from their copies, and every invariant holds."""
    done, told = faults("--scenario", "taken_over", "--standbys", "1", "--seed", str(seed % 1_000_000))

    assert (told["lost"], told["duplicated"], told["wrong"]) == (0, 0, 0), done.stderr
    assert told["recovery"]["kills"] == told["faults"]["kills"] == 2
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.kafka
@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize(
    ("sabotage", "reported"),
    [
        pytest.param("skip_fencing", "duplicated", id="nobody fenced"),
        pytest.param(
            "worker_transactional_id", "duplicated", id="one transactional id per worker", marks=pytest.mark.long
        ),
        pytest.param("drop_position", "duplicated", id="no position in the state", marks=pytest.mark.long),
        pytest.param("offsets_apart", "lost", id="positions apart from the transaction", marks=pytest.mark.long),
    ],
)
def test_a_guarantee_turned_off_is_reported_as_damage(sabotage: str, reported: str) -> None:
    """The same check that finds nothing in sound runs counts the damage, and says how to see it again."""
    done, told = faults("--sabotage", sabotage)

    assert told[reported] > 0, done.stderr
    assert f"--sabotage {sabotage} --seed " in done.stderr
    assert done.returncode == 0, "with a sabotage its damage is what must come"


def test_every_failpoint_has_its_place_and_its_scenario() -> None:
    """Each point is passed at one place of the runtime, and a scenario of its own kills a worker there."""
    runtime = ROOT / "app" / "runtime"
    text = "".join(path.read_text() for path in runtime.glob("*.py"))
    placed = re.findall(r'reach(?:_soon)?\("(\w+)"\)', text)
    listed = subprocess.run([sys.executable, FAULTS, "--list"], capture_output=True, text=True, check=True).stdout

    assert sorted(placed) == sorted(POINTS)
    assert {f"killed_{point}" for point in POINTS} <= set(listed.split())


def test_each_scenario_is_part_of_the_full_suite() -> None:
    """Or of the points one by one, all of which the full suite passes many times in two scenarios."""
    in_full = set(SUITES["full"]) | set(SUITES["points"]) | {"killed_in_transaction", "refused"}

    assert {scenario.name for scenario in EVERY} == in_full
    assert set(SUITES["smoke"]) <= in_full


def test_the_full_suite_does_as_many_faults_as_it_promises() -> None:
    """Kills at points, counted; and in thirty minutes of the soak at least ten decks, if a fault takes ten seconds."""
    decks = 30 * 60 / 10 / sum(DECK.values())
    done = {action.__name__.strip("_"): times * decks for action, times in DECK.items()}

    assert len(BY_ITSELF) >= 12
    assert POINT_TIMES * len(BY_ITSELF) >= 100
    assert min(done["zombie"], done["broker_killed"], done["cut"] + done["cut_one_way"]) >= 20
    assert done["taken_over"] + 2 * done["zombie"] + done["scaled"] >= 50, "each of these moves tasks"


def test_the_generation_of_a_group_is_read_as_the_broker_writes_it() -> None:
    """Version 3 of GroupMetadataValue begins with the protocol type and the generation; a tombstone has none."""
    value = b"\x00\x03" + b"\x00\x08consumer" + b"\x00\x00\x00\x2a" + b"\x00\x05range"

    assert brokerside._generation(value) == 42
    assert brokerside._generation(None) == 0
    assert brokerside._is_of(b"\x00\x02\x00\x03abc", "abc")
    assert not brokerside._is_of(b"\x00\x01\x00\x03abc\x00\x01t\x00\x00\x00\x00", "abc"), "an offset of the group"


def test_takeovers_are_told_beside_the_session() -> None:
    """Median and worst of what was timed."""
    assert recovery.told([7.0, 6.5, 9.123], 6.0) == {"kills": 3, "median_s": 7.0, "max_s": 9.12, "session_s": 6.0}
