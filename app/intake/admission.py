"""A value on its way in, tried on the agent that will read it, so that nothing is sent that ends as a dead letter."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import inspect

from ...agents import reference
from ...agents.context import Contexts
from ...agents.outbox import Kept
from ...agents.work import Work
from ...codecs import cloudevents
from ...codecs.errors import UndecodableError
from ...codecs.fields import fields_of, inner
from ...tables.reference import Reference
from ...tables.state import TaskState
from ..memory import APPLIES, Read
from ..shapes import SHAPES
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from ...agents.outbox import OutputRecord


ACCEPTED: Final = tuple(stream.name for stream in TOPOLOGY.streams if stream.role in {"input", "reference"})
"""Streams that take records from outside; workers alone write the others."""


def admit(stream: str, value: bytes) -> OutputRecord:
    """The record that carries a value: key by the stream's rule, CloudEvents headers. Raises UndecodableError."""
    if stream in ACCEPTED:
        _check_names(SHAPES[stream].struct, value)
    return readable(stream, value)


def readable(stream: str, value: bytes) -> OutputRecord:
    """As admit(), but names no shape has pass, as they do on a topic. Raises UndecodableError."""
    if stream not in ACCEPTED:
        raise _not_accepted(stream)
    shape = SHAPES[stream]
    decoded = shape.decode(value)
    headers = cloudevents.headers(TOPOLOGY.stream(stream).event_type, shape.event_id_of(decoded))
    record = Read(stream, 0, 0, 0, shape.key_of(decoded), value, tuple(headers))
    if stream in APPLIES:
        APPLIES[stream](Work(stream, [record], TaskState(), Reference(), Contexts(), Kept()), record)
    else:
        for _, error in reference.apply_reference(Reference(), stream, [record]).undecodable:
            raise error
    return record.key, value, headers


def _not_accepted(stream: str) -> UndecodableError:
    """What is wrong with a stream's name, and the one that is probably meant."""
    fix = f"send to one of {', '.join(ACCEPTED)}"
    if stream in {known.name for known in TOPOLOGY.streams}:
        return UndecodableError("invalid_field", "stream", f"{stream!r} takes no records from outside", fix)
    near = difflib.get_close_matches(stream, ACCEPTED, n=1)
    meant = f"did you mean {near[0]!r}?" if near else fix
    return UndecodableError("invalid_field", "stream", f"there is no stream {stream!r}", meant)


def _check_names(shape: type[msgspec.Struct], value: bytes) -> None:
    """Refuse fields no shape has. Workers pass over them, since newer senders may add some; here they are mistakes."""
    try:
        sent = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # decoding says what is wrong with it
    _check_object(shape, sent, "$")


def _check_object(shape: type[msgspec.Struct], sent: Any, path: str) -> None:  # noqa: ANN401 - any JSON value
    known = fields_of(shape)
    for name, value in sent.items() if isinstance(sent, dict) else ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"remove it, or use one of {', '.join(known)}"
            raise UndecodableError("invalid_field", f"{path}.{name}", "there is no such field", fix)
        kind = inner(known[name])
        if not isinstance(kind, inspect.StructType):
            continue
        if isinstance(value, list):
            for at, item in enumerate(value):
                _check_object(kind.cls, item, f"{path}.{name}[{at}]")
        else:
            _check_object(kind.cls, value, f"{path}.{name}")
