"""Corrections given field by field, such as `$.quantity=6.5`, put into a letter's value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import inspect

from ...codecs.errors import shortened
from ...codecs.fields import type_at
from ..refusal import RefusedError
from ..shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .letter import Letter

PATH: Final = re.compile(r"\$(\.\w+|\[\d+\])+")
STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_JSON: Final = (inspect.IntType, inspect.BoolType, inspect.StructType)
"""Types that JSON does not write as text."""


def with_fields(letter: Letter, given: Sequence[str], dropped: Sequence[str] = ()) -> bytes:
    """The letter's value with some fields set (`path=value`) and some taken out. Raises RefusedError."""
    value = letter.parsed
    if not isinstance(value, dict):
        message = (
            f"the value of {letter.id} is no JSON object, so no field of it can be set; give a whole one: --value FILE"
        )
        raise RefusedError(message)
    for one in given:
        path, equals, text = one.partition("=")
        if not equals:
            message = f"--set {shortened(one)!r} has no value; write it like '$.quantity=6.5'"
            raise RefusedError(message)
        where, last = _parent(value, path)
        where[last] = _read(letter.stream, path, text)
    for path in dropped:
        where, last = _parent(value, path)
        if isinstance(where, dict):
            where.pop(last, None)
        else:
            del where[last]
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        message = f"the correction holds half a character ({error.object[error.start]!a}); write its text as UTF-8"
        raise RefusedError(message) from error


def _parent(value: Any, path: str) -> tuple[Any, Any]:  # noqa: ANN401 - any JSON value
    """The object or list a path ends in, and its last step."""
    if not PATH.fullmatch(path):
        message = f"{shortened(path)!r} is no path; write it like $.quantity or $.lines[0].amount"
        raise RefusedError(message)
    steps: list[str | int] = [name or int(number) for name, number in STEP.findall(path)]
    for step in steps[:-1]:
        value = _inside(value, step, path)
    last = steps[-1]
    if isinstance(last, int) or not isinstance(value, dict):
        _inside(value, last, path)  # a name may be new, a place in a list must be there
    return value, last


def _inside(value: Any, step: str | int, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """What one step leads to. Raises RefusedError where there is nothing."""
    fits = isinstance(value, list) if isinstance(step, int) else isinstance(value, dict)
    try:
        if fits:
            return value[step]
    except (KeyError, IndexError):
        pass
    message = (
        f"{shortened(path)}: the value has no {shortened(repr(step))} there; "
        "set the whole field above it, or give a whole value: --value FILE"
    )
    raise RefusedError(message)


def _read(stream: str, path: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """What a text means at a path: JSON where the shape has a number, a truth, an object or a list; else the text."""
    shape = SHAPES.get(stream)
    kind = None if shape is None else type_at(shape.struct, path)
    if kind is None or isinstance(kind, _JSON) or text[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
