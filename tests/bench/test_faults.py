"""The fault driver: real workers and a real broker come through, and a guarantee turned off is noticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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

    assert told[reported] > 0
    assert f"--sabotage {sabotage} --seed 7" in done.stderr
    assert done.returncode == 0, "with a sabotage damage is what must come"


def test_every_failpoint_has_its_place_and_its_scenario() -> None:
    """Each point is passed at one place of the runtime, and a scenario of its own kills a worker there."""
    runtime = ROOT / "app" / "runtime"
    text = "".join(path.read_text() for path in runtime.glob("*.py"))
    placed = re.findall(r'reach(?:_soon)?\("(\w+)"\)', text)
    listed = subprocess.run([sys.executable, FAULTS, "--list"], capture_output=True, text=True, check=True).stdout

    assert sorted(placed) == sorted(POINTS)
    assert {f"killed_{point}" for point in POINTS} <= set(listed.split())
