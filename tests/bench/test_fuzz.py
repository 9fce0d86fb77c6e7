"""Odd input to everything that reads from outside: a few thousand here, a million in the long suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "bench" / "fuzz.py"
INPUTS = 4_000
INPUTS_LONG = 1_000_000
TARGETS = {"wire", "agents", "reference", "headers", "changelog", "batches", "sheets", "settings", "filters"}


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run([sys.executable, FUZZ, *arguments], capture_output=True, text=True, check=False)


def check(done: subprocess.CompletedProcess[str], inputs: int) -> None:
    """Assert that so many inputs were tried, some of each target, and none failed."""
    assert done.stderr == ""
    figures = json.loads(done.stdout)
    assert figures["failures"] == []
    assert figures["inputs"] == sum(figures["targets"].values()) >= inputs
    assert {name for name, count in figures["targets"].items() if count} == TARGETS
    assert done.returncode == 0


def test_a_few_thousand_inputs_bring_typed_errors_only(seed: int) -> None:
    """Nothing but a reader's documented error comes out, with a sentence, and in bounded time."""
    check(fuzz("--inputs", str(INPUTS), "--seed", str(seed), "--json"), INPUTS)


def test_a_failing_input_says_how_to_repeat_it_and_is_repeated() -> None:
    """A reader that raises something else is told with the command for that input alone, which fails again."""
    spoilt = (
        f"import sys; sys.path.insert(0, {str(FUZZ.parent)!r})\n"
        "import fuzz; from fuzzing import targets\n"
        "def read(chance):\n"
        "    if chance.random() < 0.1: raise KeyError('a bug')\n"
        "fuzz.TARGETS['wire'] = targets.TARGETS['wire'] = targets.Target(read, 1)\n"
        "def some(seed, wanted, processes):\n"
        "    return wanted, targets.tried('wire', seed, 0, wanted['wire'])[:1]\n"
        "fuzz.run = some\n"
        "sys.argv = ['', '--seed', '3', '--target', 'wire', *sys.argv[1:]]\n"
        "fuzz.main()"
    )
    first = subprocess.run([sys.executable, "-c", spoilt, "--inputs", "50", "--json"], capture_output=True, text=True, check=False)  # fmt: skip
    told = json.loads(first.stdout)["failures"][0]
    again = subprocess.run([sys.executable, "-c", spoilt, "--input", str(told["number"])], capture_output=True, text=True, check=False)  # fmt: skip

    assert (first.returncode, again.returncode) == (1, 1)
    assert told["command"] == f"python bench/fuzz.py --seed 3 --target wire --input {told['number']}"
    assert told["where"].startswith("KeyError at ")
    assert f"repeat it with: {told['command']}" in first.stderr
    assert "KeyError: 'a bug'" in again.stderr


def test_a_reader_that_hangs_is_stopped() -> None:
    """An input has two seconds of processor time."""
    hanging = (
        f"import sys; sys.path.insert(0, {str(FUZZ.parent)!r})\n"
        "from fuzzing import targets\n"
        "def read(chance):\n"
        "    while True: pass\n"
        "targets.SECONDS_MAX = 0.2\n"
        "targets.TARGETS['wire'] = targets.Target(read, 1)\n"
        "print(targets.tried('wire', 1, 0, 1)[0].where)"
    )
    done = subprocess.run([sys.executable, "-c", hanging], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.startswith("SlowError at ")


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_million_inputs_bring_typed_errors_only(seed: int) -> None:
    """As with a few thousand."""
    check(fuzz("--inputs", str(INPUTS_LONG), "--seed", str(seed), "--json"), INPUTS_LONG)
