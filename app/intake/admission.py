"""A value on its way in, tried on the agent that will read it, so that nothing is sent that ends as a dead letter."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...agents import reference
from ...agents.context import Contexts
from ...agents.outbox import Headers, Kept
from ...agents.work import Work
from ...codecs import cloudevents
from ...codecs.errors import UndecodableError
from ...tables.reference import Reference
from ...tables.state import TaskState
from ..shapes import SHAPES
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from ...agents.outbox import OutputRecord
    from ...agents.work import Apply


@dataclass(slots=True)
class Candidate:
    """A record as the agent would meet it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def _agents() -> dict[str, Apply]:
    """What each input's agent does with one record."""
    package = reference.__name__.rpartition(".")[0]
    inputs = [stream for stream in TOPOLOGY.inputs if stream.role == "input"]
    return {stream.name: importlib.import_module(f"{package}.{stream.agent}").apply for stream in inputs}


AGENTS: Final = _agents()
ACCEPTED: Final = tuple(stream.name for stream in TOPOLOGY.streams if stream.role in {"input", "reference"})
"""Streams that take records from outside; workers alone write the others."""


def admit(stream: str, value: bytes) -> OutputRecord:
    """The record that carries a value: key by the stream's rule, CloudEvents headers. Raises UndecodableError."""
    if stream not in ACCEPTED:
        problem = f"{stream!r} takes no records from outside"
        raise UndecodableError("invalid_field", "stream", problem, f"send to one of {', '.join(ACCEPTED)}")
    shape = SHAPES[stream]
    decoded = shape.decode(value)
    headers = cloudevents.headers(TOPOLOGY.stream(stream).event_type, shape.event_id_of(decoded))
    record = Candidate(stream, 0, 0, 0, shape.key_of(decoded), value, headers)
    if stream in AGENTS:
        AGENTS[stream](Work(stream, [record], TaskState(), Reference(), Contexts(), Kept()), record)
    else:
        for _, error in reference.apply_reference(Reference(), stream, [record]).undecodable:
            raise error
    return record.key, value, headers
