"""Dead letters as JSON and for people: lists, one letter in full, and what became of a correction or a re-drive."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from ...codecs import re_drive
from ..audit.story import iso
from ..letters.difference import differences
from ..letters.remedy import checked
from .output import Column, counted, write_problems, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..letters.history import Deed, History
    from ..letters.letter import Letter
    from ..letters.re_driving import Result

KEY_CHARACTERS_MAX: Final = 40
NOTHING: Final = "-"


def list_as_object(letters: Sequence[Letter], history: History) -> dict[str, Any]:
    """A list with its counts."""
    return {
        "count": len(letters),
        "reasons": dict(sorted(Counter(letter.reason for letter in letters).items())),
        "letters": [_summary(letter, history) for letter in letters],
    }


def write_list(letters: Sequence[Letter], history: History) -> None:
    """Print a list with its counts."""
    titles = ("id", "put aside", "reason", "field", "key", "state", "last done")
    if letters:
        write_table([Column(title) for title in titles], [_row(letter, history) for letter in letters])
        click.echo()
    counts = Counter(letter.reason for letter in letters)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    click.echo(counted(len(letters), "dead letter") + (f": {reasons}" if reasons else ""))


def letter_as_object(letter: Letter, history: History) -> dict[str, Any]:
    """Everything about a letter."""
    correction = history.correction(letter.id)
    return _summary(letter, history) | {
        "key_base64": _base64(letter.key),
        "value_base64": _base64(letter.value),
        "value_text": _text(letter.value),
        "parsed": letter.parsed,
        "headers": [[name, _text(value)] for name, value in letter.headers],
        "left_out": letter.left_out,
        "differences": [one._asdict() for one in differences(letter)],
        "correction": None if correction is None else json.loads(correction),
        "history": [_deed(deed) for deed in history.of(letter.id)],
    }


def write_letter(letter: Letter, history: History) -> None:
    """Print everything about a letter."""
    told = letter_as_object(letter, history)
    click.echo(click.style(f"Dead letter {letter.id}", bold=True) + f": {letter.reason}, {told['state']}")
    click.echo(f"sent {told['sent']}, put aside {told['put_aside']}")
    click.echo(f"problem: {letter.field or 'record'}: {letter.problem}")
    click.echo(f"fix:     {letter.fix}")
    click.echo(f"key:     {letter.key!r}")
    if letter.left_out:
        click.echo(f"left out, too large to be here: {letter.left_out}")
    click.echo(f"value:   {len(letter.value or b'')} bytes")
    click.echo(f"  {letter.value!r}")
    for name, value in letter.headers:
        click.echo(f"header   {name}: {value!r}")
    _write_differences(told["differences"])
    if told["correction"] is not None:
        click.echo(f"correction: {json.dumps(told['correction'], ensure_ascii=False)}")
    for done in told["history"]:
        where = f" to {done['to']}" if "to" in done else ""
        click.echo(f"{done['time']}  {done['action'].replace('_', '-')}{where} by {done['by']}: {done['why']}")


def correction_as_object(letter: Letter, value: bytes, *, dry: bool) -> dict[str, Any]:
    """A correction, checked. Raises UndecodableError."""
    checked(letter, value)
    return {"letter": letter.id, "dry_run": dry, "value": json.loads(value)}


def write_correction(told: dict[str, Any]) -> None:
    """Print a correction and what comes next."""
    click.echo(json.dumps(told["value"], ensure_ascii=False))
    if told["dry_run"]:
        click.echo("checked, nothing kept (--dry-run)")
    else:
        click.echo(f"checked and kept; `billtide dead-letters re-drive {told['letter']}` says what would be sent")


def result_as_object(result: Result, *, dry: bool) -> dict[str, Any]:
    """What was sent, or would be, and what not."""
    places = {told.letter: f"{told.stream}:{told.partition}:{told.offset}" for told in result.sent}
    return {
        "dry_run": dry,
        "sent": [
            {"letter": letter.id, "stream": letter.stream, "key": _text(key), "key_before": _text(letter.key)}
            | ({} if dry else {"to": places[letter.id]})
            for letter, (key, _, _) in result.sendable
        ],
        "already_re_driven": [told.letter for told in result.done],
        "refused": [
            {"letter": letter.id, "field": error.field, "problem": error.problem, "fix": error.fix}
            for letter, error in result.refused
        ],
    }


def write_result(result: Result, *, dry: bool) -> None:
    """Print what was sent, or would be, and what not."""
    told = result_as_object(result, dry=dry)
    for one in told["sent"]:
        other = "" if one["key"] == one["key_before"] else f" instead of {one['key_before']!r}"
        verb = "would be sent" if dry else f"sent, now {one['to']}"
        click.echo(f"{one['letter']}: {verb}, key {one['key']!r}{other}")
    problems = [
        f"{one['letter']}: {one['field'] or 'record'}: {one['problem']}; {one['fix']}" for one in told["refused"]
    ]
    passed = f", {len(told['already_re_driven'])} re-driven before and passed over" if told["already_re_driven"] else ""
    verb = "would be sent; --send sends" if dry else "sent"
    click.echo(f"{counted(len(told['sent']), 'letter')} {verb}{passed}")
    if problems:
        click.echo(
            f"{counted(len(problems), 'letter')} would come back; mend each with `billtide dead-letters fix`:", err=True
        )
        write_problems(problems)


def _write_differences(found: list[dict[str, str]]) -> None:
    if not found:
        click.echo("as it stands it can be decoded: what it met may have changed since; `re-drive` tries it again")
    for one in found:
        where = one["field"] or "record"
        found_there = f" is {one['found']}" if one["found"] else ""
        wanted = f"; must be {one['wanted']}" if one["wanted"] else ""
        click.echo(f"differs  {where}{found_there}: {one['problem']}{wanted}; {one['fix']}")


def _summary(letter: Letter, history: History) -> dict[str, Any]:
    deeds = history.of(letter.id)
    return {
        "id": letter.id,
        "stream": letter.stream,
        "partition": letter.partition,
        "offset": letter.offset,
        "sent": iso(letter.timestamp),
        "put_aside": iso(letter.put_aside),
        "reason": letter.reason,
        "field": letter.field,
        "problem": letter.problem,
        "fix": letter.fix,
        "key": _text(letter.key),
        "state": history.state(letter.id),
        "re_driven_from": _text(dict(letter.headers).get(re_drive.HEADER)),
        "last_done": _deed(deeds[-1]) if deeds else None,
    }


def _row(letter: Letter, history: History) -> list[str]:
    deeds = history.of(letter.id)
    last = f"{deeds[-1].told.by}: {deeds[-1].told.why}" if deeds else NOTHING
    key = (_text(letter.key) or NOTHING)[:KEY_CHARACTERS_MAX]
    state = history.state(letter.id).replace("_", "-")
    return [letter.id, iso(letter.put_aside), letter.reason, letter.field or NOTHING, key, state, last]


def _deed(deed: Deed) -> dict[str, Any]:
    told, time = deed
    place = {"to": f"{told.stream}:{told.partition}:{told.offset}"} if told.action == "re_driven" else {}
    return {"action": told.action, "time": iso(time), "by": told.by, "why": told.why} | place


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")
