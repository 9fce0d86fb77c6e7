"""Guarantees turned off, to show that the check notices: each takes one mechanism out of a worker."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from billtide.app.runtime import outgoing, task, transaction
from billtide.tables.state import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from billtide.app.runtime.changelog import Restored

POSITIONS: Final = next(at for at, table in enumerate(TaskState().tables) if table.name == "positions")
GAP_SECONDS: Final = 0.2
"""Between the two transactions of a slab whose position goes apart: as long as a busy broker may take."""


class Sabotage(NamedTuple):
    """apply: takes the guarantee out of this process; scenario: the faults that then do damage, of this kind."""

    about: str
    apply: Callable[[], None]
    scenario: str
    kind: Literal["lost", "duplicated"]


def _named_by(suffix: Callable[[], str]) -> None:
    """Give every producer a transactional id with something of its own after the task's."""
    real = transaction.AIOKafkaProducer

    def make(**given: Any) -> Any:
        return real(**given | {"transactional_id": f"{given['transactional_id']}-{suffix()}"})

    transaction.AIOKafkaProducer = make


def skip_fencing() -> None:
    """Each life of a task has an id of its own, so that nothing ends the transactions of the life before."""
    _named_by(lambda: secrets.token_hex(4))


def worker_transactional_id() -> None:
    """Ids belong to the worker, as one producer for all its tasks would: another worker's producer is not fenced."""
    _named_by(lambda: str(os.getpid()))


def drop_position() -> None:
    """A restored state does not know how far its inputs were applied."""
    real = task.restore

    async def restore(*arguments: Any) -> Restored:
        restored = await real(*arguments)
        restored.state.positions.bytes.clear()
        return restored

    task.restore = restore


class _Apart(list[Any]):
    """Batches without the input positions, which are in batches of their own."""

    positions: list[Any]


def offsets_apart() -> None:
    """Input positions are committed in a transaction of their own, before that of what they stand for."""
    close, write = outgoing.Outgoing.close, transaction.TaskProducer.write

    def closed(self: outgoing.Outgoing, changes: outgoing.Changes) -> list[Any]:
        apart: outgoing.Changes = [[] for _ in changes]
        apart[POSITIONS], changes = changes[POSITIONS], [*changes[:POSITIONS], [], *changes[POSITIONS + 1 :]]
        batches = _Apart(close(self, changes))
        alone = outgoing.Outgoing({}, self._changelog, self._partition, self._partitions, self._batch_bytes_max)
        batches.positions = close(alone, apart)
        return batches

    async def written(self: transaction.TaskProducer, batches: Any) -> None:
        await write(self, batches.positions)
        await asyncio.sleep(GAP_SECONDS)
        await write(self, batches)

    outgoing.Outgoing.close = closed  # type: ignore[method-assign]
    transaction.TaskProducer.write = written  # type: ignore[method-assign]


SABOTAGES: Final = {
    "skip_fencing": Sabotage("a task's former owner is not fenced", skip_fencing, "zombie", "duplicated"),
    "worker_transactional_id": Sabotage(
        "transactional ids by worker, not by task", worker_transactional_id, "zombie", "duplicated"
    ),
    "drop_position": Sabotage("the state forgets the input positions", drop_position, "worker_killed", "duplicated"),
    "offsets_apart": Sabotage("positions are committed apart", offsets_apart, "worker_killed", "lost"),
}
