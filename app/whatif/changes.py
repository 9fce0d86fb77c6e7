"""Changes to be tried: objects as their topics carry them, from a file, each with its place there."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import msgspec

from ...codecs.errors import UndecodableError
from ..intake.admission import admit
from ..memory import Read

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTE: Final = re.compile(r" \(byte (\d+)\)")
_FIX: Final = "write one object, an array of objects, or one object a line"


class Change(NamedTuple):
    """One object to be tried. place: file and number, for messages; partition and offset of the record mean nothing."""

    place: str
    stream: str
    record: Read

    @property
    def name(self) -> str:
        """Stream and key, such as `fx-rates USD/EUR/2026-11-01`."""
        return f"{self.stream} {(self.record.key or b'').decode()}"


def changes_of(stream: str, file: IO[bytes]) -> Iterator[Change | str]:
    """Each object of a file, checked by the agent of its stream, or what is wrong with it: place, field and fix."""
    text = file.read()
    given = str(getattr(file, "name", "-"))
    name = "stdin" if given in {"-", "<stdin>"} else given
    try:
        found = _objects(name, text)
    except msgspec.DecodeError as error:
        yield f"{name}{_line_of(error, text)}: {_BYTE.sub('', str(error))}; {_FIX}"
        return
    if not found:
        yield f"{name}: it holds no object; {_FIX}"
    for place, value in found:
        try:
            yield change(place, stream, value)
        except UndecodableError as error:
            yield told(place, error.field, error.problem, error.fix)


def change(place: str, stream: str, value: bytes) -> Change:
    """A value as a change; raises UndecodableError."""
    key, _, headers = admit(stream, value)
    return Change(place, stream, Read(stream, 0, 0, 0, key, value, tuple(headers)))


def told(place: str, field: str, problem: str, fix: str) -> str:
    """One line for people."""
    return f"{place}{f', {field}' if field else ''}: {problem}; {fix}"


def _objects(name: str, text: bytes) -> list[tuple[str, bytes]]:
    """The bytes of each object with its place. Raises DecodeError of the whole text, unless its lines are values."""
    if text.lstrip().startswith(b"["):
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
        return [(f"{name} item {number}", bytes(item)) for number, item in enumerate(items, start=1)]
    lines = [(f"{name} line {number}", line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) <= 1:
        return lines
    try:
        return [(name, bytes(msgspec.json.decode(text, type=msgspec.Raw)))]
    except msgspec.DecodeError:
        # An object that is broken over several lines is not meant as lines: its first line is no value of its own.
        if _is_value(lines[0][1]):
            return lines
        raise


def _is_value(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def _line_of(error: msgspec.DecodeError, text: bytes) -> str:
    """Where in a text of many lines the decoder stopped."""
    found = _BYTE.search(str(error))
    return "" if found is None else f" line {text[: int(found[1])].count(bytes([10])) + 1}"
