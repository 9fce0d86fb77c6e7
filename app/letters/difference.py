"""How a value differs from the shape its topic carries: every field at once, where a decoder stops at the first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...codecs.errors import UndecodableError, shortened
from ...codecs.fields import fix_for
from ..intake.admission import readable
from ..shapes import SHAPES

if TYPE_CHECKING:
    from .letter import Letter

MISSING: Final = "missing"
SHOWN_CHARACTERS_MAX: Final = 200


class Difference(NamedTuple):
    """One field that is not as it must be. found: as JSON, `missing`, or empty when the whole record is meant.

    wanted: what the schema says the field must be, in words; empty deep inside a value, where problem says it.
    """

    field: str
    found: str
    problem: str
    wanted: str
    fix: str


def differences(letter: Letter) -> list[Difference]:
    """Fields of a letter's value that do not fit; what no field shows is said of the whole record. [] when it fits."""
    shape, value = SHAPES.get(letter.stream), letter.parsed
    found = [] if shape is None or not isinstance(value, dict) else list(_fields(shape.struct, value))
    if found:
        return found
    try:
        readable(letter.stream, letter.value or b"")
    except UndecodableError as error:
        shown = _shown(_at(value, error.field)) if error.field.startswith("$") else ""
        kinds = (
            {} if shape is None else {f"$.{one.encode_name}": one.type for one in msgspec.structs.fields(shape.struct)}
        )
        wanted = _words(kinds[error.field]) if error.field in kinds else ""
        return [Difference(error.field, shown, error.problem, wanted, error.fix)]
    return []


def _fields(shape: type[msgspec.Struct], value: dict[str, Any]) -> list[Difference]:
    found = []
    for field in msgspec.structs.fields(shape):
        path, name = f"$.{field.encode_name}", field.encode_name
        if name not in value:
            if field.required:
                found.append(Difference(path, MISSING, "it is required", _words(field.type), "add it"))
            continue
        try:
            msgspec.convert(value[name], field.type)
        except msgspec.ValidationError as error:
            problem, _, inside = str(error).partition(" - at `$")
            where = path + inside.rstrip("`")
            wanted = _words(field.type) if where == path else ""
            fix = fix_for(shape, where, problem) or "send it as the schema says (`billtide schema`)"
            found.append(Difference(where, _shown(_at(value, where)), shortened(problem), wanted, fix))
    return found


def _words(kind: Any) -> str:  # noqa: ANN401 - any type of a field
    """What JSON of a type is, in words."""
    document = msgspec.json.schema(kind)
    return _said(document, document.get("$defs", {}))


def _said(schema: dict[str, Any], known: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _said(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return " or ".join(_said(one, known) for one in schema["anyOf"])
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    limits = {
        name: schema[name] for name in ("format", "pattern", "minLength", "maxLength", "minimum", "maximum", "const")
        if name in schema
    }  # fmt: skip
    said = ", ".join(f"{name} {limit}" for name, limit in limits.items())
    kind = str(schema.get("type", "any value"))
    return f"{kind} ({said})" if said else kind


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a JSON path such as `$.lines[0].amount`; None where no path leads."""
    for step in path.replace("[", ".").replace("]", "").split(".")[1:]:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, ensure_ascii=False)[:SHOWN_CHARACTERS_MAX]
