"""What runs are played on: one broker, found or started as the product does it, or a cluster behind proxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billtide.app import broker as brokers
from billtide.app.broker import Broker

from .cluster import Cluster, start

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Ground:
    """broker: what the driver talks to, replaced when it is started again; cluster: None where it stands alone."""

    broker: Broker
    cluster: Cluster | None = None

    @property
    def brokers(self) -> int:
        """Nodes of the cluster; 0 without one."""
        return len(self.cluster.nodes) if self.cluster is not None else 0

    def discard(self) -> None:
        """Stop all brokers and delete their data."""
        if self.cluster is None:
            brokers.discard(self.broker)
        else:
            self.cluster.discard()


def prepare(directory: Path, nodes: int) -> Ground:
    """Start a cluster of so many nodes, or with 0 the one broker."""
    if not nodes:
        return Ground(brokers.start(directory / "kafka"))
    cluster = start(directory / f"cluster-{nodes}", nodes)
    return Ground(Broker(cluster.bootstrap, "local", cluster.directory), cluster)
