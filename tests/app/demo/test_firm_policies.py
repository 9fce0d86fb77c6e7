"""The sample firm leaves nothing out: every contract type, every policy and each of its values is somebody's contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
from msgspec import inspect

from billtide.app.demo import firm
from billtide.codecs.engagement import Engagement, decode

NEVER_WEEKEND: Final = tuple(f".weekend_days={day}" for day in ("monday", "tuesday", "wednesday", "thursday"))
"""Days that no country of the firm calls its weekend."""


@pytest.fixture(scope="module")
def terms() -> list[Engagement]:
    """Every revision of every engagement's terms."""
    week = firm.sample_week(7)
    return [decode(sent.value) for phase in week.phases for sent in phase.get("engagements", ())]


def choices(shape: inspect.Type, path: str) -> Iterator[str]:
    """Every field below a shape, and every value of those that have a list of values."""
    if isinstance(shape, inspect.StructType):
        for field in shape.fields:
            if field.name != "schema_version":
                yield from _below(field.type, f"{path}.{field.name}".lstrip("."))
    elif isinstance(shape, inspect.UnionType):
        for one in shape.types:
            if not isinstance(one, inspect.NoneType):
                yield from choices(one, path)
    elif isinstance(shape, inspect.Metadata):
        yield from choices(shape.type, path)
    elif isinstance(shape, inspect.VarTupleType):
        yield from choices(shape.item_type, path)
    elif isinstance(shape, inspect.LiteralType):
        yield from (f"{path}={value}" for value in shape.values)
    else:
        yield path


def _below(shape: inspect.Type, path: str) -> Iterator[str]:
    """Choices of a field; of one that holds an object also the field itself."""
    found = list(choices(shape, path))
    if any(each.startswith(f"{path}.") for each in found):
        yield path
    yield from found


def unused(terms: list[Engagement]) -> set[str]:
    """What no engagement has set or chosen; of an object that none has, only its name."""
    possible = {each for each in choices(inspect.type_info(Engagement), "") if not each.endswith(NEVER_WEEKEND)}
    missing = possible - {each for engagement in terms for each in used(engagement, "")}
    return {each for each in missing if not any(each.startswith(f"{other}.") for other in missing)}


def used(value: Any, path: str) -> Iterator[str]:
    """Every field that is set, and every value of it as text."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            inside = getattr(value, field.name)
            below = f"{path}.{field.name}".lstrip(".")
            if inside != field.default:
                yield below
            yield from used(inside, below)
    elif isinstance(value, tuple):
        for inside in value:
            yield from used(inside, path)
    else:
        yield f"{path}={value}"


def test_every_policy_is_agreed_by_some_engagement(terms: list[Engagement]) -> None:
    """Each field of the terms is set somewhere, and each of its values chosen."""
    assert unused(terms) == set()
