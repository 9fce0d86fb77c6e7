"""Bytes that left once must be readable for ever: every wire shape and every changelog record, compared byte by byte.

A difference is either a mistake or a change that other people's systems will meet. To accept a deliberate change:
    BILLTIDE_GOLDEN=accept .venv/bin/python -m pytest tests/codecs/test_golden.py
then read the diff of tests/golden as a reader of the old bytes would, and raise the shape's version if it breaks them.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from pathlib import Path

import msgspec
import pytest

from billtide import codecs
from billtide.codecs.wire import encode
from billtide.tables.state import TaskState
from billtide.tables.table import Table

from .samples import CHANGELOG, FULL, LEAST

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
HOW = "bytes changed; if that is meant, run with BILLTIDE_GOLDEN=accept and read the diff of tests/golden (see this file's top)"
WIRE = [pytest.param(f"{name}{kind}.json", sample, id=f"{name}{kind}") for kind, samples in (("", FULL), (".least", LEAST)) for name, sample in samples.items()]  # fmt: skip
STATE = [pytest.param(f"{name}.hex", name, sample, id=name) for name, sample in CHANGELOG.items()]
HEX_COLUMNS = 64


def golden(name: str, actual: bytes) -> bytes:
    """Committed bytes; rewritten first when the run accepts changes. Those of released versions: test_versions.py."""
    file = GOLDEN / name
    if os.environ.get("BILLTIDE_GOLDEN") == "accept":
        GOLDEN.mkdir(exist_ok=True)
        file.write_bytes(actual)
    assert file.exists(), f"{file} is missing; make it with BILLTIDE_GOLDEN=accept"
    return file.read_bytes()


def table_of(name: str) -> Table[msgspec.Struct]:
    """An empty table of a task."""
    return next(table for table in TaskState().tables if table.name == name)


def changelog_bytes(name: str, sample: msgspec.Struct) -> bytes:
    """What the changelog takes of a record."""
    table = table_of(name)
    table.put(b"key", sample)
    ((_, raw),) = table.changes()
    assert raw is not None
    return raw


@pytest.mark.parametrize(("file", "sample"), WIRE)
def test_a_wire_shape_keeps_its_bytes(file: str, sample: msgspec.Struct) -> None:
    """The JSON of a shape is the committed JSON, and the committed JSON is read as the same value."""
    actual = encode(sample) + b"\n"
    expected = golden(file, actual)

    assert expected == actual, HOW
    assert sample == msgspec.json.decode(expected, type=type(sample))


@pytest.mark.parametrize(("file", "name", "sample"), STATE)
def test_a_changelog_record_keeps_its_bytes(file: str, name: str, sample: msgspec.Struct) -> None:
    """A restored worker reads what an older one wrote: same version byte, same record."""
    text = changelog_bytes(name, sample).hex()
    lines = "".join(text[at : at + HEX_COLUMNS] + "\n" for at in range(0, len(text), HEX_COLUMNS))
    expected = golden(file, lines.encode()).decode()

    assert expected == lines, HOW
    assert sample == table_of(name).decode(bytes.fromhex(expected.replace("\n", "")))


def test_every_shape_has_a_sample() -> None:
    """A new shape cannot be added without its golden bytes."""
    shapes = set()
    for module in pkgutil.iter_modules(codecs.__path__, f"{codecs.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, msgspec.Struct)
                and "schema_version" in value.__struct_fields__
            ):
                shapes.add(value.__name__)

    assert shapes - {"Wire", "SecondWire"} == {type(sample).__name__ for sample in FULL.values()}
    assert set(FULL) == set(LEAST)


def test_every_table_has_a_sample() -> None:
    """A new table cannot be added without its golden bytes."""
    assert {table.name for table in TaskState().tables} == set(CHANGELOG)


def test_the_samples_set_every_field() -> None:
    """No field of a full sample is at its default, so that no change of a field goes unseen."""
    for name, sample in (FULL | CHANGELOG).items():
        for field in msgspec.structs.fields(sample):
            value = getattr(sample, field.name)
            assert field.name == "schema_version" or field.required or value != field.default, f"{name}.{field.name}"


def test_no_golden_file_is_left_over() -> None:
    """Each committed file is compared with something."""
    known = {parameter.values[0] for parameter in (*WIRE, *STATE)}

    assert known == {file.name for file in GOLDEN.iterdir() if file.is_file()}


@pytest.mark.parametrize("name", FULL)
def test_absent_means_the_default(name: str) -> None:
    """The least sample leaves everything out that has a default; sent in full it means the same."""
    least = LEAST[name]
    spelled_out = {field: msgspec.to_builtins(getattr(least, field)) for field in least.__struct_fields__}

    assert least == msgspec.json.decode(msgspec.json.encode(spelled_out), type=type(least))


@pytest.mark.parametrize("name", FULL)
def test_an_unknown_field_is_passed_over(name: str) -> None:
    """A sender may be newer than the worker: what it adds is ignored, not refused."""
    sent = msgspec.to_builtins(FULL[name]) | {"added_later": {"by": ["somebody"]}}

    assert FULL[name] == msgspec.json.decode(msgspec.json.encode(sent), type=type(FULL[name]))
