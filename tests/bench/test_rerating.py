"""The bench of changes that concern a whole task: it runs, and each change finds what it should."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench" / "rerating.py"


def test_the_bench_prints_one_object() -> None:
    """Of 6,000 entries half are in euros, one person has 3, and more than one step is taken to look at them."""
    done = subprocess.run([sys.executable, BENCH, "--entries", "6000", "--json"], capture_output=True, check=False)
    told = json.loads(done.stdout)
    found = {name: figures["found"] for name, figures in told["looking"].items()}

    assert found == {"a rate card": 3_000, "one person": 3, "eight people": 24, "all, after a start": 6_000}
    assert told["looking"]["one person"]["steps"] > 1
    assert {figures["found"] for figures in told["settling"].values()} == {3_000}
