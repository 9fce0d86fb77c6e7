"""A worker without one of its guarantees: python bench/fault/sabotaged.py NAME."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from billtide.app.settings import load
from billtide.app.worker import run
from fault.sabotage import SABOTAGES

if __name__ == "__main__":
    SABOTAGES[sys.argv[1]].apply()
    sys.exit(run(load()))
