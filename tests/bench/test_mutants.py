"""The faults put into copies of the tree: their texts stand in the tree, and every one of them is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def mutants(*lines: str) -> subprocess.CompletedProcess[str]:
    """Run some lines of Python that know the module of the bench as `mutants`."""
    program = "\n".join([f"import sys; sys.path.insert(0, {str(BENCH)!r}); import mutants", *lines])
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_every_fault_has_its_place_in_the_tree() -> None:
    """The text of each fault stands exactly once in its file; whoever changes it mends bench/mutations.py."""
    done = mutants("for fault in mutants.MUTATIONS: mutants.check(fault)", "print(len(mutants.MUTATIONS))")

    assert done.stderr == ""
    assert int(done.stdout) >= 10


def test_a_text_that_is_gone_is_an_error() -> None:
    """A fault that could not be put in must not count as noticed."""
    done = mutants("mutants.check(mutants.Mutation('gone', 'agents/work.py', 'no such text', ''))")

    assert "gone: its text stands 0 times in agents/work.py; mend the list" in done.stderr


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_every_fault_is_noticed() -> None:
    """No mutant survives the fast suites and forty seeds."""
    command = [sys.executable, BENCH / "mutants.py", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert json.loads(done.stdout)["survived"] == []
