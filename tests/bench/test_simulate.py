"""The simulator: histories with crashes on a log in memory come to what their input says, and a fault is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SIMULATE = Path(__file__).resolve().parents[2] / "bench" / "simulate.py"
SEEDS = 40
SEEDS_LONG = 10_000
FAULTS = ("crash before the commit", "crash after the commit", "crash during restore", "commit late", "answer lost")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run([sys.executable, SIMULATE, *arguments], capture_output=True, text=True, check=False)


def test_forty_histories_come_to_what_their_input_says(seed: int) -> None:
    """No seed fails, whatever crashes, and each hands hundreds of records to its tasks (M1-M9)."""
    done = simulate("--seeds", str(SEEDS), "--first", str(seed % 1_000_000), "--json")

    assert done.stderr == ""
    figures = json.loads(done.stdout)
    assert (figures["seeds"], figures["failures"]) == (SEEDS, 0)
    assert figures["events"] > SEEDS * 300
    assert done.returncode == 0


def test_a_seed_is_the_same_history_every_time() -> None:
    """What is printed of a seed can be repeated: the same faults, the same number of records delivered."""
    first, second = (simulate("--seed", "11").stdout.splitlines() for _ in range(2))

    assert first[0].split(" in ")[0] == second[0].split(" in ")[0]
    assert first[1] == second[1]


def test_what_can_go_wrong_does() -> None:
    """A few dozen seeds meet owners taken for dead, that are fenced, and faults at every step of a transaction."""
    shown = simulate("--seeds", str(SEEDS)).stdout

    for what in (*FAULTS, "zombie", "failed: fenced", "refetched"):
        assert f"{what}: " in shown


def test_a_failing_seed_says_how_to_repeat_it() -> None:
    """A problem of a seed is told with the command that repeats it alone, and the command exits with 1."""
    spoilt = (
        f"import sys; sys.path.insert(0, {str(SIMULATE.parent)!r}); sys.argv = ['', '--seed', '3', '--json']\n"
        "import simulate; simulate.check.problems = lambda world: ['a euro is missing']; simulate.main()"
    )
    done = subprocess.run([sys.executable, "-c", spoilt], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert json.loads(done.stdout)["failures"] == 1
    assert done.stderr == ("seed 3 failed; repeat it with: python bench/simulate.py --seed 3\n  a euro is missing\n")


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_ten_thousand_histories_come_to_what_their_input_says() -> None:
    """As with forty, for hours of histories."""
    done = simulate("--seeds", str(SEEDS_LONG), "--json")

    assert done.stderr == ""
    assert json.loads(done.stdout)["failures"] == 0
