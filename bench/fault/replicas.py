"""Scenarios of three brokers with three copies, two of which acknowledge: leader, coordinator, majority lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from billtide.app.topology import TOPOLOGY

from .cluster import TRANSACTION

if TYPE_CHECKING:
    from .cluster import Node
    from .world import World

AWAY_SECONDS: Final = (1.0, 4.0)
MAJORITY_SECONDS: Final = 6.0
"""Longer than a commit may take."""


async def leader_killed(world: World) -> None:
    """R9: the broker that leads a task's changelog is killed; another one leads, and the first comes back."""
    for _ in range(2):
        await asyncio.sleep(world.chance.uniform(0.5, 2.0))
        partition = world.chance.randrange(world.settings.partitions)
        topic = world.settings.topic(TOPOLOGY.changelog.name)
        await _away_for_a_while(world, await world.cluster.leader(topic, partition))


async def coordinator_killed(world: World) -> None:
    """R9: the broker that coordinates the group is killed, then one that coordinates a task's transactions."""
    task = f"{world.settings.app_id}-{world.chance.randrange(world.settings.partitions)}"
    for name, kind in ((world.settings.app_id, 0), (task, TRANSACTION)):
        await asyncio.sleep(world.chance.uniform(0.5, 2.0))
        await _away_for_a_while(world, await world.cluster.coordinator(name, kind))


async def majority_killed(world: World) -> None:
    """R9: two of three brokers are killed: nothing can be acknowledged until they are back."""
    await asyncio.sleep(world.chance.uniform(0.5, 2.0))
    nodes = world.chance.sample(world.cluster.nodes, 2)
    for node in nodes:
        await world.kill_node(node)
    await asyncio.sleep(MAJORITY_SECONDS)
    world.alive()
    await world.start_nodes(*nodes)


async def brokers_rolled(world: World) -> None:
    """R9: each broker in turn is shut down in order and started again, as an upgrade does it."""
    for node in world.cluster.nodes:
        await asyncio.to_thread(world.cluster.end, node)
        world.tell(f"broker {node.number} is down", "broker_restarts")
        await world.start_nodes(node)


async def _away_for_a_while(world: World, node: Node) -> None:
    await world.kill_node(node)
    await asyncio.sleep(world.chance.uniform(*AWAY_SECONDS))
    world.alive()
    await world.start_nodes(node)
