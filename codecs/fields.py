"""The fields of a shape, looked up by name: only for messages about a value that does not fit."""

from __future__ import annotations

import functools
import re
from typing import Final

import msgspec
from msgspec import inspect

NUMBER_FIX: Final = 'write it as text, such as "6.5"'
DATE_FIX: Final = "write it like 2026-03-02"
_NAME: Final = re.compile(r"\.(\w+)")
_NUMBER_FOR_TEXT: Final = re.compile(r"Expected `str( \| null)?`, got `(int|float)`")


@functools.cache
def fields_of(shape: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    """Type of each field of a shape by its name on the wire."""
    read = inspect.type_info(shape)
    return {field.encode_name: field.type for field in read.fields} if isinstance(read, inspect.StructType) else {}


def inner(kind: inspect.Type) -> inspect.Type:
    """The type of one value inside `X | None`, `tuple[X, ...]` and annotations."""
    if isinstance(kind, inspect.UnionType):
        return inner(next(part for part in kind.types if not isinstance(part, inspect.NoneType)))
    if isinstance(kind, inspect.VarTupleType):
        return inner(kind.item_type)
    # The annotation of decimal text tells it from other text, so it stays.
    return inner(kind.type) if isinstance(kind, inspect.Metadata) and not _is_decimal(kind) else kind


def fix_for(shape: type[msgspec.Struct], path: str, problem: str) -> str | None:
    """What the sender should write at a JSON path such as `$.rates[0].unit`; None when the shape alone says it."""
    kind = type_at(shape, path)
    if isinstance(kind, inspect.LiteralType):
        return f"send one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.DateType):
        return DATE_FIX
    if _NUMBER_FOR_TEXT.fullmatch(problem):
        return NUMBER_FIX if isinstance(kind, inspect.Metadata) else "write it as text, in quotes"
    return None


def _is_decimal(kind: inspect.Metadata) -> bool:
    return "pattern" in (kind.extra_json_schema or {})


def type_at(shape: type[msgspec.Struct], path: str) -> inspect.Type | None:
    """Type of the value at a path; None for the whole record and where no field leads."""
    found: inspect.Type | None = None
    known = fields_of(shape)
    for name in _NAME.findall(path):
        if name not in known:
            return None
        found = inner(known[name])
        known = fields_of(found.cls) if isinstance(found, inspect.StructType) else {}
    return found
