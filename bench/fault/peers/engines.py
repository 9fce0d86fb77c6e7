"""The engines of the driver by name, and where each peer's worker and its Python are."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from billtide.app.refusal import RefusedError

from ..catalogue import Scenario
from ..run import BILLTIDE, Engine
from .course import run_through
from .scenarios import PLAYED
from .world import PeerWorld

HERE: Final = Path(__file__).parent
OWN_PYTHON: Final = HERE.parents[2] / ".venv-peers" / "bin" / "python"
"""Of an environment that `make peers` sets up: Quix Streams and billtide exclude each other's versions of packages."""


class MissingPeerError(RefusedError):
    """A peer is not installed; the message says what to do."""


class Peer(NamedTuple):
    """python, script: its worker; ready: what the worker's log says once it takes records."""

    python: Path
    script: Path
    ready: str

    def command(self) -> list[str]:
        """Arguments that start a worker. Raises MissingPeerError."""
        if not self.python.exists():
            raise MissingPeerError(f"{self.python} is not there; run `make peers`, which installs Quix Streams for it")
        return [str(self.python), str(self.script)]


PEERS: Final = {
    "faust": Peer(Path(sys.executable), HERE / "faust_worker.py", "Worker ready"),
    "quix": Peer(OWN_PYTHON, HERE / "quix_worker.py", "is now processing incoming messages"),
}
OWN: Final = "billtide"
ENGINES: Final = {
    OWN: BILLTIDE,
    **{name: Engine(partial(PeerWorld, peer), run_through) for name, peer in PEERS.items()},
}


def for_peer(engine: str, name: str) -> Scenario:
    """Find a scenario for a peer. Raises RefusedError, MissingPeerError."""
    if name not in PLAYED:
        raise RefusedError(f"{engine} plays {', '.join(PLAYED)}; {name} needs billtide's own workers")
    PEERS[engine].command()
    return PLAYED[name]._replace(again=f"--engine {engine} --scenario {name}")
