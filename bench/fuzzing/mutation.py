"""Good bytes made odd: bits, cuts, other types, huge numbers, depth, odd text, names twice, versions not yet made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

DEEP: Final = 3_000
TEXTS: Final = (
    "", " ", "0", "-0", "-1", "+1", "1", "1e5", "NaN", "Infinity", "0x10", "1,5", ".5", "5.", "--1", "1_000", "\uff17",
    "9" * 6, "9" * 9, "9" * 12, "-" + "9" * 12, "9" * 40, "9" * 5_000, "0." + "0" * 30 + "1", "999999999.999999",
    "0.000001", "0001-01-01", "0001-01-31", "9999-12-31", "9999-12-01", "2026-02-30", "2024-02-29", "1900-01-01",
    "2026-03", "2026-03-02T08:00:00Z", "\x00", "\x1f", "a\x1fb", ":", "a:b", "/", "#", "é" * 201, "e\u0301", "😀",
    "\u202e", "\ufeff", "\ud800", "x" * 200, "x" * 201, "x" * 70_000, "EUR", "JPY", "KWD", "XXX", "eur", "deleted",
    "approved", "hour", "day", "half_up", "__class__", "{}", "%s%n", "$.quantity", "../../etc/passwd",
)  # fmt: skip
NUMBERS: Final = (
    0, -1, 1, 2, 255, 2**31, 2**31 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**40, 10**400, 0.1, -0.0,
    1e308, 5e-324, float("nan"), float("inf"),
)  # fmt: skip
PIECES: Final = (
    b"", b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"Infinity", b"-", b"1e999", b"null",
    b"true", b"[]", b"{}", b'""', b'"', b",", b"\\", b"\\u0000", b"\\ud800", b"9" * 400, b"=", b"\n", b"\r", b"\t",
    b"[" * DEEP, b'{"a":' * DEEP, b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
    b"\xcf" + b"\xff" * 8, b"\xc7\x0c\xff", b"\xd6\xff", b"\x91" * DEEP, b"\x01", b"\x02",
)  # fmt: skip


def odd_text(chance: Random) -> str:
    """One of the texts that have broken readers before, or a few characters of any plane."""
    if chance.random() < 0.8:
        return chance.choice(TEXTS)
    return "".join(
        chr(chance.choice((chance.randrange(128), chance.randrange(0xD800)))) for _ in range(chance.randrange(9))
    )


def odd_value(chance: Random) -> Any:
    """Any JSON value: text most often, since most fields are text."""
    kind = chance.randrange(10)
    if kind < 5:
        return odd_text(chance)
    if kind < 7:
        return chance.choice(NUMBERS)
    value: Any = chance.choice((None, True, False, [], {}, [[]], [None], {"a": None}, {"": ""}, ["x"] * 300))
    for _ in range(chance.choice((0, 0, 0, 1, 3, 900))):
        value = [value]
    return value


def mutated(chance: Random, data: bytes) -> bytes:
    """Bytes with one to four changes that know nothing of their form."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at, length = chance.randrange(len(changed) + 1), chance.choice((1, 1, 2, 5, 40))
        kind = chance.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + length]
        elif kind == 4:
            changed[at : at + length] = chance.randbytes(length)
        else:
            changed[at:at] = chance.choice(PIECES)
    return bytes(changed)


def mutated_json(chance: Random, data: bytes) -> bytes:
    """One JSON object with one to three of its values, names or places changed; NaN and depth may make it none."""
    value = json.loads(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        _change(chance, value)
    if chance.random() < 0.05:
        value["schema_version"] = chance.choice((0, 1, 2, 255, "1", None))
    text = json.dumps(value)
    if chance.random() < 0.05 and value:
        name = json.dumps(chance.choice(list(value)))
        text = f"{{{name}:{json.dumps(odd_value(chance))},{text[1:]}"
    return text.encode()


def _change(chance: Random, value: Any) -> None:
    """Change something at any depth of a JSON value, in place."""
    while True:
        places: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
        if not places:
            break
        at = chance.choice(places)
        if isinstance(value[at], dict | list) and value[at] and chance.random() < 0.8:
            value = value[at]
            continue
        kind = chance.randrange(10)
        if kind == 0:
            del value[at]
        elif kind == 1 and isinstance(value, dict):
            value[odd_text(chance)] = value.pop(at)
        elif kind == 2 and isinstance(value, list):
            value.append(value[at])
        else:
            value[at] = odd_value(chance)
        return
    if isinstance(value, dict):
        value[odd_text(chance)] = odd_value(chance)
    else:
        value.append(odd_value(chance))
