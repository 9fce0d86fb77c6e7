"""What is wrong with a mapping file, a sentence a key: the key as it stands in the TOML, the problem, the fix."""

from __future__ import annotations

import difflib
import typing
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError

SYSTEM_NAME: Final = "^[^:\x00-\x1f]+$"
CURRENCY: Final = "^[A-Z]{3}$"
MONEY: Final = r"^[0-9]{1,15}(\.[0-9]{1,6})?$"
MONTH: Final = "^[0-9]{4}-(0[1-9]|1[0-2])$"
PATTERNS: Final = {
    SYSTEM_NAME: 'not the name of a system; write it without colons, such as "psa"',
    CURRENCY: 'not an ISO 4217 code; write one such as "USD"',
    MONEY: 'not an amount; write it like "90.50"',
    MONTH: 'not a month; write it like "2026-11"',
}
"""What is said of a text that a pattern of the mapping does not take."""
SHOWN_MAX: Final = 60
"""Characters of a wrong value that are shown."""


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One sentence for each problem pydantic found."""
    return [_sentence(detail, model) for detail in error.errors()]


def _sentence(detail: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 - a TypedDict pydantic_core does not export
    where = _key(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{where} is not a key of a mapping; {_nearest(detail['loc'], model)}"
    if detail["type"] == "missing":
        return f"{where} is missing; add it"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"{where}: {message}" if where else message
    given = repr(detail["input"])[:SHOWN_MAX]
    if detail["type"] == "string_pattern_mismatch":
        return f"{where} is {given}: {PATTERNS[detail['ctx']['pattern']]}"
    quotes = ' in quotes, such as "90.50"' if detail["type"] == "string_type" else ""
    return f"{where} is {given}: {_lowered(message)}; write it{quotes or ' as that says'}"


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _key(location: Sequence[str | int]) -> str:
    """A dotted TOML key; places in a list as [n], counted from 1."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _nearest(location: Sequence[str | int], model: type[BaseModel]) -> str:
    """What to do with an unknown key: the nearest one that exists in its table."""
    known: Any = model
    for part in location[:-1]:
        if isinstance(part, str):
            known = _model_in(known.model_fields[part].annotation)
    names = sorted(known.model_fields)
    near = difflib.get_close_matches(str(location[-1]), names, n=1)
    return f"did you mean {near[0]}?" if near else f"remove it, or use one of {', '.join(names)}"


def _model_in(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    """The model inside `Model | None` or `list[Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(found for part in typing.get_args(annotation) if (found := _model_in(part)) is not None)
