"""Run a bench with the project's own virtual environment, whichever `python` started it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN_PYTHON = ROOT / ".venv" / "bin" / "python"


def enter() -> None:
    """Start this script again with .venv's Python when this one lacks the project; say what to do without one."""
    if importlib.util.find_spec("billtide") is not None:
        return
    if not OWN_PYTHON.exists() or Path(sys.prefix) == OWN_PYTHON.parents[1]:
        sys.exit("the project is not set up; run `make setup` first")
    os.execv(OWN_PYTHON, [str(OWN_PYTHON), *sys.argv])
