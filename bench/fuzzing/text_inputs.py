"""What people write: mapping files and time sheets, BILLTIDE_… variables, filters and corrections of commands."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import click

from billtide.app.cli.dead_letters import _chosen
from billtide.app.intake.plan import plan
from billtide.app.letters.difference import differences
from billtide.app.letters.letter import full_id, letter_of
from billtide.app.letters.remedy import checked, sendable
from billtide.app.letters.setting import with_fields
from billtide.app.settings import PREFIX, Settings, load
from billtide.codecs import dead_letter
from billtide.codecs.errors import UndecodableError

from .mutation import mutated, mutated_json, odd_text
from .record_inputs import wire
from .verdict import SECRET, check_sentence, check_undecodable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

EXAMPLE: Final = Path(__file__).resolve().parents[2] / "examples" / "bookkeeping.toml"
SHEET: Final = (
    b"date,clock_in,clock_out,code,notes,tags\n"
    b'2020-01-01,06:45:00,06:48:00,TSLA,"",""\n2020-01-02,08:00:00,17:30:00,BIZ,"a, b",x\n'
)
TERMS: Final = b"code,term,type,rate\nTSLA,month,flat rate,420\nBIZ,quarter,biz,0\nIBM,month,hourly,90.50\n"
QUANTITIES: Final = (
    b'quantity = { column = "clock_in", unit = "clock" }', b'quantity = { column = "notes", unit = "iso_duration" }',
    b'quantity = { column = "notes", unit = "hour" }',
    b'quantity = { column = "tags", unit = "second", whole_minutes = "up" }',
    b'quantity = { column = "tags", unit = "minute", whole_minutes = "half_up" }',
)  # fmt: skip
QUANTITY: Final = b'quantity = { start = "clock_in", end = "clock_out", past_midnight = false }'
WORDS: Final = ("true", "false", "1", "=", "{", "column", "fixed", "start")
OTHERS: Final = ("2", "-1", "0", "fixed", "[]", "1979-05-27", "1e400", "nan", "column", "x")
REVISION: Final = b"revision = { fixed = 1 }"


def sheets(chance: Random) -> None:
    """Plan an intake of which the mapping, the sheet or the terms are odd: refused whole, by rows, or taken."""
    mapping, sheet, terms = EXAMPLE.read_bytes(), SHEET, TERMS
    if chance.random() < 0.5:
        mapping = mapping.replace(QUANTITY, chance.choice(QUANTITIES))
    if chance.random() < 0.2:
        mapping = mapping.replace(REVISION, b'revision = { column = "tags" }')
    kind = chance.randrange(4)
    if kind == 0:
        mapping = _odd_words(chance, mapping) if chance.random() < 0.7 else mutated(chance, mapping)
    elif kind == 1:
        terms = _odd_cells(chance, terms)
    else:
        sheet = _odd_cells(chance, sheet) if chance.random() < 0.8 else mutated(chance, sheet)
    folder = _folder()
    for name, content in (("map.toml", mapping), ("sheet.csv", sheet), ("terms.csv", terms)):
        (folder / name).write_bytes(content)
    try:
        found = plan(folder / "map.toml", folder / "sheet.csv", folder / "terms.csv" if chance.random() < 0.7 else None)
    except click.ClickException as error:
        check_sentence(error)
        return
    for refusal in found.refused:
        assert refusal.problem, refusal
        assert refusal.fix, refusal


def _odd_cells(chance: Random, data: bytes) -> bytes:
    """A CSV with one to three odd cells."""
    rows = [line.split(b",") for line in data.splitlines()]
    for _ in range(chance.choice((1, 1, 3))):
        row = chance.choice(rows[1:] if chance.random() < 0.9 else rows)
        row[chance.randrange(len(row))] = odd_text(chance).encode(errors="surrogatepass")
    return b"\n".join(b",".join(row) for row in rows)


def _odd_words(chance: Random, data: bytes) -> bytes:
    """A TOML file with one to three of its words changed: texts to odd ones, keys and values to others."""
    words = data.decode().split('"')
    for _ in range(chance.choice((1, 1, 3))):
        at = chance.randrange(len(words))
        words[at] = odd_text(chance) if at % 2 else words[at].replace(chance.choice(WORDS), chance.choice(OTHERS), 1)
    return '"'.join(words).encode(errors="replace")


@cache
def _folder() -> Path:
    """A folder for each process, in memory where there is such a place."""
    return Path(tempfile.mkdtemp(prefix="billtide-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108


def variables(chance: Random) -> None:
    """Load settings from an odd environment: a sentence for each problem, and none that holds the password."""
    names = [PREFIX + name.upper() for name in Settings.model_fields]
    given = {}
    for _ in range(chance.choice((1, 2, 5))):
        name = (
            chance.choice(names)
            if chance.random() < 0.9
            else mutated(chance, chance.choice(names).encode()).decode(errors="replace")
        )
        given[name.replace("\0", "").replace("=", "") or "X"] = (
            odd_text(chance).replace("\0", "").encode(errors="replace").decode()
        )
    if chance.random() < 0.3:
        given[f"{PREFIX}KAFKA_SECURITY_PROTOCOL"] = chance.choice(("SSL", "SASL_PLAINTEXT", "sasl_ssl"))
        given[f"{PREFIX}KAFKA_PASSWORD"] = SECRET
    with _environment(given):
        try:
            settings = load()
        except click.ClickException as error:
            check_sentence(error)
            return
    settings.poison_limits()
    assert settings.topic("billing").endswith("billing")


@contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(given)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@cache
def _settings() -> Settings:
    with _environment({}):
        return load()


def filters(chance: Random) -> None:
    """Ask for dead letters by odd filters, of records nobody should have put on their topic; mend them oddly."""
    settings, (stream, data) = _settings(), chance.choice(wire())
    record = _letter(chance, settings.topic(stream), data)
    asked = dict.fromkeys(("reason", "topic", "engagement", "field", "since"), "")
    asked[chance.choice(list(asked))] = odd_text(chance)
    path = chance.choice(("$.quantity", "$.rates[0].rate", "$.lines[9]", "$[0]", "$.policies.x.y", odd_text(chance)))
    given = f"{path}{chance.choice(('=', '', '=='))}{odd_text(chance)}"
    try:
        letter = letter_of(record, settings)
        full_id(odd_text(chance), settings)
        _chosen(settings, {letter.id: letter}, asked)
        differences(letter)
        checked(letter, with_fields(letter, [given], [path][: chance.randrange(2)]))
        sendable(letter, None)
    except click.ClickException as error:
        check_sentence(error)
    except UndecodableError as error:
        check_undecodable(error)


def _letter(chance: Random, topic: str, data: bytes) -> Any:
    """A record on the topic of dead letters, as a consumer hands it over, with an odd value and an odd fact."""
    value = mutated_json(chance, data) if chance.random() < 0.7 else mutated(chance, data)
    facts = {"topic": topic, "partition": "3", "offset": "17", "timestamp": "5", "reason": "malformed", "field": "$.id"}
    if chance.random() < 0.5:
        facts[chance.choice(list(facts))] = odd_text(chance)
    return SimpleNamespace(
        partition=0,
        offset=1,
        timestamp=5,
        key=chance.choice((None, b"", b"E-1", b"\xff")),
        value=chance.choice((None, b"", value, value)),
        headers=[(dead_letter.PREFIX + name, text.encode(errors="replace")) for name, text in facts.items()],
    )
