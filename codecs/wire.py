"""The base of every JSON shape, the field types they share, and the one way to decode and encode them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeVar, get_args, get_type_hints

import msgspec

from .errors import UndecodableError, shortened
from .fields import fix_for

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description="Identifier in its source system")]
OptionalId = Annotated[
    str, msgspec.Meta(max_length=200, description="Identifier in its source system; empty when there is none")
]
Revision = Annotated[
    int, msgspec.Meta(ge=1, le=2**53, description="Version of the object in its source, rising by change")
]
DecimalText = Annotated[
    str,
    msgspec.Meta(
        max_length=40,
        description="Decimal number as text",
        extra_json_schema={"pattern": r"^-?[0-9]{1,12}(\.[0-9]+)?$"},
    ),
]
CurrencyCode = Annotated[str, msgspec.Meta(min_length=3, max_length=3, description="ISO 4217 code", examples=["EUR"])]
Unit = Literal["hour", "minute", "day", "unit"]
ExpenseUnit = Literal["unit", "day", "night", "kilometre", "mile"]


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A value on a topic: JSON, decimals as text, dates as ISO text, absent means the default."""

    schema_version: Literal[1] = 1


class SecondWire(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A value on a topic with fields that an older worker must not pass over: with them it is of version 2."""

    schema_version: Literal[1, 2] = 1


W = TypeVar("W", bound=msgspec.Struct)

_MISSING: Final = "Object missing required field `"
_FIX: Final = "send it as the schema of this topic says (`billtide schema`)"


def decoder(shape: type[W]) -> Callable[[bytes | None], W]:
    """Make the function that reads one shape from JSON bytes and raises only UndecodableError."""
    read = msgspec.json.Decoder(shape).decode

    def decode(value: bytes | None) -> W:
        if not value:
            raise UndecodableError(
                "empty",
                "",
                "the record has no value",
                "send the object; to delete an entry send it with status deleted",
            )
        try:
            return read(value)
        except msgspec.ValidationError as error:
            raise _invalid(shape, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UndecodableError(
                "malformed", "", f"not JSON: {error}", "send one UTF-8 JSON object a record"
            ) from None

    return decode


def versions(shape: type[msgspec.Struct]) -> tuple[int, ...]:
    """Values of schema_version that are read of a shape."""
    return get_args(get_type_hints(shape)["schema_version"])


def _invalid(shape: type[msgspec.Struct], message: str) -> UndecodableError:
    """Split msgspec's sentence into the field's path and what is wrong with it."""
    problem, _, path = message.partition(" - at `")
    field = path.rstrip("`")
    if field == "$.schema_version":
        read = " or ".join(map(str, versions(shape)))
        return UndecodableError(
            "unsupported_version",
            field,
            problem,
            f"this worker reads schema_version {read}; upgrade the worker or the sender",
        )
    if problem.startswith(_MISSING):
        # msgspec gives the path of the object that lacks the field, and none for the record itself.
        missing = f"{field or '$'}.{problem.removeprefix(_MISSING).rstrip('`')}"
        return UndecodableError("invalid_field", missing, problem, _FIX)
    return UndecodableError("invalid_field", field, shortened(problem), fix_for(shape, field, problem) or _FIX)


_ENCODER: Final = msgspec.json.Encoder()
encode: Final = _ENCODER.encode
encode_into: Final = _ENCODER.encode_into
