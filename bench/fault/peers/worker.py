"""A peer's worker process: started with what billtide's own is told, ready when its log says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..workers import Worker

if TYPE_CHECKING:
    from billtide.app.settings import Settings

    from .engines import Peer


class PeerWorker(Worker):
    """One worker process of a peer. A log goes on where the life before in the same place has ended."""

    def __init__(self, settings: Settings, name: str, peer: Peer, *, static: bool) -> None:
        """Start it. static: the name is its place in the group."""
        log = settings.data_dir / f"{name}.log"
        self._read_from: Final = log.stat().st_size if log.exists() else 0
        self._ready: Final = peer.ready.encode()
        super().__init__(settings, name, static=static, command=peer.command())

    def is_ready(self) -> bool:
        """Whether it has said that it takes records."""
        return self._ready in self.log.read_bytes()[self._read_from :]
