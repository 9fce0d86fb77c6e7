"""The bench of takeovers: it runs, and the survivor of a killed worker reads its state only where no copy is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "takeover.py"
ENTRIES = 4_000


@pytest.mark.kafka
def test_a_survivor_with_a_copy_reads_next_to_nothing() -> None:
    """Restored as a whole it reads at least what its tasks held at the start, with a copy a small part of that."""
    done = subprocess.run(
        [sys.executable, BENCH, "--entries", str(ENTRIES), "--kills", "1", "--json"], capture_output=True, check=False
    )
    assert done.stdout, done.stderr.decode()
    told = json.loads(done.stdout)

    assert [*told] == ["whole", "warm"]
    assert {one["kills"] for one in told.values()} == {1}
    assert all(one["records"] >= ENTRIES for one in told.values())
    assert told["whole"]["records_read"] > ENTRIES / 4
    assert told["warm"]["records_read"] < ENTRIES / 10
