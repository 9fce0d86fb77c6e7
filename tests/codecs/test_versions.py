"""Every version's bytes are kept, and read by every later one: workers of two versions share topics while they change.

`tests/golden/versions/N` holds what left with changelog version N: a sample of every wire shape and every changelog
record, and the shapes of the latter. Nothing there ever changes. Once the present version is frozen, a changelog shape
that grows, or says something new, needs a step: raise VERSION in `tables/table.py`, accept the present bytes
(`test_golden.py`), and freeze them when they are released:
    BILLTIDE_GOLDEN=freeze .venv/bin/python -m pytest tests/codecs/test_versions.py
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from billtide.codecs import time_entry
from billtide.codecs.errors import UndecodableError
from billtide.codecs.records import EngagementState, Position
from billtide.codecs.wire import decoder, encode
from billtide.tables.state import TaskState
from billtide.tables.table import VERSION

from .samples import CHANGELOG, FULL

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
VERSIONS = GOLDEN / "versions"
SUMS = VERSIONS / "SHA256SUMS"
SHAPES = "changelog-shapes.json"
STEP = "a changelog shape changed after its version was frozen; raise VERSION in tables/table.py (see this file's top)"
TEXT = {"description", "title", "examples"}
"""Keys of a schema that are prose."""


def shapes(records: dict[str, type[msgspec.Struct]]) -> bytes:
    """The shapes of changelog records, without prose: fields in their order, types, words they may say."""
    roots, parts = msgspec.json.schema_components(list(records.values()))
    found = without_text({"tables": dict(zip(records, roots, strict=True)), "parts": parts})
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1) + b"\n"


def without_text(schema: Any) -> Any:
    """A JSON schema without what is only said to people."""
    if isinstance(schema, dict):
        return {
            key: without_text(value) for key, value in schema.items() if key not in TEXT or not isinstance(value, str | list)
        }  # fmt: skip
    return [without_text(one) for one in schema] if isinstance(schema, list) else schema


def present_shapes() -> bytes:
    """The shapes of the records of all tables, as they are now."""
    return shapes({name: type(sample) for name, sample in sorted(CHANGELOG.items())})


def freeze(version: int) -> None:
    """Keep the present bytes as those of a version."""
    there = VERSIONS / str(version)
    there.mkdir(parents=True)
    for file in GOLDEN.iterdir():
        if file.is_file():
            shutil.copy(file, there / file.name)
    (there / SHAPES).write_bytes(present_shapes())
    SUMS.write_text("".join(f"{total}  {name}\n" for name, total in sums().items()))


def sums() -> dict[str, str]:
    """The hash of every frozen file, by its path."""
    files = sorted(file for file in VERSIONS.rglob("*") if file.is_file() and file != SUMS)
    return {str(file.relative_to(VERSIONS)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


if os.environ.get("BILLTIDE_GOLDEN") == "freeze" and not (VERSIONS / str(VERSION[0])).exists():
    freeze(VERSION[0])

FROZEN = sorted(int(folder.name) for folder in VERSIONS.iterdir() if folder.is_dir())
WIRE = [pytest.param(file, id=f"{version}-{file.stem}") for version in FROZEN for file in sorted((VERSIONS / str(version)).glob("*.json")) if file.name != SHAPES]  # fmt: skip
STATE = [pytest.param(file, id=f"{version}-{file.stem}") for version in FROZEN for file in sorted((VERSIONS / str(version)).glob("*.hex"))]  # fmt: skip


def kept(old: Any, new: Any) -> bool:
    """Whether nothing of `old` is lost in `new`: arrays may have grown at their end, objects by names."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and kept(value, new[name]) for name, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(new) >= len(old) and all(map(kept, old, new))
    return type(old) is type(new) and old == new


def test_frozen_bytes_never_change() -> None:
    """Nothing of a frozen version is edited, added or removed: it has left, and others have it."""
    committed = dict(reversed(line.split("  ")) for line in SUMS.read_text().splitlines())

    assert committed == sums()
    assert [*range(1, max(FROZEN) + 1)] == FROZEN


def test_a_changed_shape_needs_a_step() -> None:
    """As long as the version is one that has left, no changelog record looks otherwise than it did."""
    there = VERSIONS / str(VERSION[0])
    if not there.exists():
        assert VERSION[0] == max(FROZEN) + 1, "one step above the last frozen version is enough"
        return
    assert (there / SHAPES).read_bytes() == present_shapes(), STEP
    for name in CHANGELOG:
        assert (there / f"{name}.hex").read_text() == (GOLDEN / f"{name}.hex").read_text(), STEP


class NewerEntry(time_entry.TimeEntry, frozen=True, kw_only=True):
    """As a later version might have it, with a field that changes money where somebody passes over it."""

    schema_version: Literal[1, 2] = 1
    surcharge: str = ""


def test_a_field_that_must_not_be_passed_over_raises_the_version_on_the_wire() -> None:
    """An older worker puts it aside whole; a newer one reads those same bytes, and what older senders write."""
    newer = decoder(NewerEntry)
    old = (VERSIONS / "1" / "time-entry.json").read_bytes()
    sent = encode(msgspec.convert(msgspec.json.decode(old) | {"schema_version": 2, "surcharge": "5.00"}, NewerEntry))

    with pytest.raises(UndecodableError) as caught:
        time_entry.decode(sent)
    assert (caught.value.reason, caught.value.field) == ("unsupported_version", "$.schema_version")
    assert (newer(sent).schema_version, newer(sent).surcharge) == (2, "5.00")
    assert (newer(old).schema_version, newer(old).surcharge) == (1, "")


class Grown(EngagementState, array_like=True):
    """As a later version might have it."""

    note: str = ""


class Wordier(msgspec.Struct, array_like=True):
    """Of two shapes, the one that may say one thing more."""

    word: Literal["a", "b", "c"]


class Terser(msgspec.Struct, array_like=True):
    """The other."""

    word: Literal["a", "b"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(EngagementState, Grown, id="one more field"),
        pytest.param(Terser, Wordier, id="one more word"),
        pytest.param(EngagementState, Position, id="another shape"),
    ],
)
def test_any_change_of_a_shape_is_seen(before: type[msgspec.Struct], after: type[msgspec.Struct]) -> None:
    """A field more, or a word more that a field may say: an older worker reads neither."""
    renamed = msgspec.json.decode(shapes({"table": after}).replace(after.__name__.encode(), before.__name__.encode()))

    assert renamed != msgspec.json.decode(shapes({"table": before}))


@pytest.mark.parametrize("file", WIRE)
def test_a_sender_of_any_version_is_read(file: Path) -> None:
    """What an older sender or worker wrote is read now, and says all it said then."""
    shape = type(FULL[file.stem.removesuffix(".least")])
    value = msgspec.json.decode(file.read_bytes(), type=shape)

    assert kept(msgspec.json.decode(file.read_bytes()), msgspec.json.decode(encode(value)))


@pytest.mark.parametrize("file", STATE)
def test_state_of_any_version_is_read(file: Path) -> None:
    """What an older worker kept is read now, with its fields in their places, and written back whole."""
    raw = bytes.fromhex(file.read_text().replace("\n", ""))
    table = next(table for table in TaskState().tables if table.name == file.stem)
    value = table.decode(raw)

    assert kept(msgspec.msgpack.decode(raw[1:]), msgspec.msgpack.decode(msgspec.msgpack.encode(value)))


@pytest.mark.parametrize(
    ("old", "new", "whole"),
    [
        pytest.param([1, [2]], [1, [2, 3], 4], True, id="grown at the end"),
        pytest.param([1, 2], [0, 1, 2], False, id="grown at the front"),
        pytest.param([1, 2], [1], False, id="lost"),
        pytest.param({"a": [1]}, {"a": [1, 2], "b": 3}, True, id="one more name"),
        pytest.param({"a": 1}, {"b": 1}, False, id="renamed"),
        pytest.param([1], ["1"], False, id="another type"),
    ],
)
def test_what_counts_as_kept(old: Any, new: Any, *, whole: bool) -> None:
    """The check above fails when a field moves, vanishes, or says something else."""
    assert kept(old, new) is whole
