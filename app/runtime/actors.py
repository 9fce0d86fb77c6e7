"""The functions of agents/ the runtime calls, gathered in one value so that a test can bring its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ...agents import reference, wake
from ...agents.work import Work
from ...tables.reference import Reference
from ...tables.state import TaskState

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable

    from ...agents.work import Record, Slab
    from ...codecs.errors import UndecodableError
    from ..topology import Topology


class Agent(Protocol):
    """A function of agents/ that reads one input, slab by slab."""

    def __call__(self, slabs: AsyncIterable[Slab], /) -> Awaitable[None]:
        """Read until the stream ends, which it does when the worker stops."""


class ReferenceChange(Protocol):
    """What a slab of reference records changed."""

    @property
    def wakes(self) -> set[str]:
        """Words of `Hold.waits_on` that may be released now."""

    @property
    def undecodable(self) -> list[tuple[Record, UndecodableError]]:
        """Records that were not understood, each with what is wrong."""


@dataclass(frozen=True, slots=True)
class Actors:
    """agents: by the name in `Stream.agent`; the rest as in agents/reference.py and agents/wake.py (in_steps, wake)."""

    agents: Mapping[str, Agent]
    apply_reference: Callable[[Reference, str, Sequence[Any]], ReferenceChange]
    waiting: Callable[[TaskState, set[str] | None], Iterator[list[bytes]]]
    wake: Callable[[Work, list[bytes]], None]


def actors_of(topology: Topology) -> Actors:
    """Find the agents a topology names: the function of the same name in the module of that name."""
    package = reference.__name__.rpartition(".")[0]
    agents = {
        stream.agent: getattr(importlib.import_module(f"{package}.{stream.agent}"), stream.agent)
        for stream in topology.inputs
    }
    return Actors(agents, reference.apply_reference, wake.in_steps, wake.wake)
