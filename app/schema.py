"""Schemas of everything on the wire, made from the structs: JSON Schema 2020-12 a type, AsyncAPI 3.0 for the whole.

The committed files in schema/ are this module's output; `billtide schema --check` finds where they differ.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .refusal import RefusedError
from .schema_channels import asyncapi
from .shapes import SHAPES
from .topology import TOPOLOGY

if TYPE_CHECKING:
    from pathlib import Path

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI_FILE: Final = "asyncapi.json"
_REF: Final = "#/$defs/{name}"
_REF_PREFIX: Final = _REF.removesuffix("{name}")
WRITE_COMMAND: Final = "billtide schema --out {out}"


def documents() -> dict[str, str]:
    """Every schema file by name, as text."""
    found = {}
    _, components = msgspec.json.schema_components([shape.struct for shape in SHAPES.values()], ref_template=_REF)
    for name, shape in SHAPES.items():
        event_type = TOPOLOGY.stream(name).event_type
        found[file_name(event_type)] = _text(_json_schema(event_type, shape.struct.__name__, components))
    found[ASYNCAPI_FILE] = _text(asyncapi(TOPOLOGY, file_name))
    return dict(sorted(found.items()))


def file_name(event_type: str) -> str:
    """Schema file of an event type: `billtide.time-entry.v1` is in `time-entry.v1.json`."""
    return event_type.removeprefix("billtide.") + ".json"


def write(out: Path) -> list[str]:
    """Write every file, remove schema files that no type has any more; returns the names that changed.

    Raises RefusedError when the directory cannot be written.
    """
    try:
        return _written(out)
    except OSError as error:
        message = f"{error.filename or out} cannot be written: {error.strerror}; give --out a directory you may write"
        raise RefusedError(message) from error


def _written(out: Path) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    wanted = documents()
    changed = []
    for name, text in wanted.items():
        file = out / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(name)
    for name in _surplus(out, wanted):
        (out / name).unlink()
        changed.append(name)
    return sorted(changed)


def first_difference(out: Path) -> str | None:
    """A sentence about the first place where committed files and code differ; None when they agree."""
    wanted = documents()
    mend = f"run `{WRITE_COMMAND.format(out=out)}` and commit the result"
    for name, text in wanted.items():
        file = out / name
        if not file.exists():
            return f"{file} is missing; {mend}"
        place = _differing_line(file.read_text(encoding="utf-8"), text)
        if place is not None:
            return f"{file} line {place}; {mend}"
    surplus = _surplus(out, wanted)
    return f"{out / surplus[0]} describes a type that is gone; {mend}" if surplus else None


def _differing_line(committed: str, code: str) -> str | None:
    if committed == code:
        return None
    old, new = committed.split("\n"), code.split("\n")
    at = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new)))
    shown = [lines[at].strip() if at < len(lines) else "(end of file)" for lines in (old, new)]
    return f"{at + 1} is `{shown[0]}`, the code says `{shown[1]}`"


def _surplus(out: Path, wanted: dict[str, str]) -> list[str]:
    """Files of ours that are no longer made; other JSON files of a directory are left alone."""
    return sorted(
        file.name
        for file in out.glob("*.json")
        if file.name not in wanted and '"urn:billtide:' in file.read_text(encoding="utf-8")
    )


def _json_schema(event_type: str, name: str, components: dict[str, Any]) -> dict[str, Any]:
    """One type with all it refers to, so that the file stands alone."""
    root: dict[str, Any] = _tidied(components[name])
    nested: dict[str, Any] = {}
    waiting = _references(root)
    while waiting:
        wanted = waiting.pop()
        if wanted not in nested:
            nested[wanted] = _tidied(components[wanted])
            waiting |= _references(nested[wanted])
    head: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": "urn:billtide:" + event_type.removeprefix("billtide.").replace(".", ":"),
    }
    return head | root | ({"$defs": dict(sorted(nested.items()))} if nested else {})


def _references(schema: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """Names of the components a schema refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"].removeprefix(_REF_PREFIX)} if "$ref" in schema else set()
        return own.union(*(_references(value) for value in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_references(value) for value in schema))
    return set()


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A schema without the indentation of docstrings."""
    if isinstance(schema, dict):
        return {
            key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _tidied(value)
            for key, value in schema.items()
        }
    return [_tidied(value) for value in schema] if isinstance(schema, list) else schema


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
