"""`billtide dead-letters`: what could not be decoded is found, explained, corrected, and sent again exactly once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from ...codecs.errors import UndecodableError
from ...codecs.re_drive import WHY_CHARACTERS_MAX
from ..letters import reading
from ..letters.letter import Filter, full_id, stream_of
from ..letters.re_driving import Signed, correct, re_drive_all, sorted_out
from ..letters.setting import with_fields
from ..refusal import RefusedError
from ..settings import load
from . import dead_letters_text as text
from .connection import run
from .group import CommandGroup
from .output import FindingError, json_option, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..letters.history import History
    from ..letters.letter import Letter
    from ..settings import Settings

FILTERS: Final = (
    click.option("--reason", default="", metavar="WORD", help="Put aside for this reason, such as malformed."),
    click.option("--topic", default="", metavar="NAME", help="Of this topic, such as time-entries."),
    click.option("--engagement", default="", metavar="ID", help="Of this engagement, by its key or its value."),
    click.option("--field", default="", metavar="PATH", help="With this field at fault, such as $.quantity."),
    click.option("--since", default="", metavar="TIME", help="Put aside then or later: 2026-03-02, 2026-03-02T08:00."),
)


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose letters."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Add who does it and why; both are kept."""
    command = click.option("--why", default="", metavar="TEXT", help="Why it is done; kept with it.")(command)
    return click.option("--by", default="", metavar="NAME", help="Who does it; kept with it.")(command)


@click.group("dead-letters", cls=CommandGroup)
def dead_letters() -> None:
    """Find, explain, correct and re-drive records that could not be decoded.

    A letter's id is the place of its record: topic:partition:offset, such as time-entries:3:17.
    """


@dead_letters.command("list")
@filters
@click.option("--all", "everything", is_flag=True, help="Also those that were re-driven.")
@json_option
def list_(everything: bool, as_json: bool, **asked: str) -> None:
    """List letters that were not re-driven, and count them by reason."""
    settings = load()
    letters, history = _read(settings)
    chosen = [
        letter
        for letter in _chosen(settings, letters, asked)
        if everything or history.state(letter.id) != "re_driven"
    ]  # fmt: skip
    if as_json:
        write_json(text.list_as_object(chosen, history))
    else:
        text.write_list(chosen, history)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@json_option
def show(letter_id: str, as_json: bool) -> None:
    """Show letter ID: bytes, key, headers, how its fields differ from the schema, the fix, and what was done."""
    settings = load()
    letters, history = _read(settings)
    letter = _one(settings, letters, letter_id)
    if as_json:
        write_json(text.letter_as_object(letter, history))
    else:
        text.write_letter(letter, history)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--set", "given", multiple=True, metavar="PATH=VALUE", help="Set a field: '$.quantity=6.5'; repeat it.")
@click.option("--unset", "dropped", multiple=True, metavar="PATH", help="Take a field out; repeat it.")
@click.option("--value", type=click.File("rb"), metavar="FILE", help="The whole value; - is stdin.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the value there, to be edited.")
@click.option("--dry-run", is_flag=True, help="Check the correction and keep nothing.")
@signed
@json_option
def fix(  # noqa: PLR0913 - one for each option
    letter_id: str,
    *,
    given: tuple[str, ...],
    dropped: tuple[str, ...],
    value: IO[bytes] | None,
    out: Path | None,
    dry_run: bool,
    by: str,
    why: str,
    as_json: bool,
) -> None:
    """Correct the value of letter ID. It is checked as its reader will, and kept until `re-drive` sends it."""
    settings = load()
    letters, history = _read(settings)
    letter = run(settings, reading.whole(settings, _one(settings, letters, letter_id)))
    present = history.correction(letter.id) or letter.value or b""
    if out is not None:
        _write(out, present)
        click.echo(f"written to {out}; edit it, then `billtide dead-letters fix {letter.id} --value {out}`", err=True)
        return
    if (value is None) == (not given and not dropped):
        raise click.UsageError("give the correction either by --set and --unset, or by --value")
    signature = None if dry_run else _signature(by, why)
    new = value.read() if value is not None else with_fields(letter._replace(value=present), given, dropped)
    _correct(settings, letter, new, signature, as_json=as_json)


@dead_letters.command("re-drive")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@filters
@click.option("--all", "everything", is_flag=True, help="Every letter that was not re-driven.")
@click.option("--send/--dry-run", "send", default=False, help="Send, or only say what would be sent (the default).")
@signed
@json_option
def re_drive(
    ids: tuple[str, ...], everything: bool, send: bool, by: str, why: str, as_json: bool, **asked: str
) -> None:
    """Send letters to their topics again: by ID, by filter, or all. Without --send it only says what it would do.

    Each is sent as it was corrected, or as it came, with the key its topic wants, if its reader can decode it now.
    A letter is sent once in its life: this may be run twice, while workers run, and again after it was killed.
    """
    settings = load()
    filtered = any(asked.values())
    if bool(ids) + filtered + everything != 1:
        raise click.UsageError("say which letters: by ID, by a filter, or --all")
    signature = _signature(by, why) if send else None
    letters, history = _read(settings)
    chosen = [_one(settings, letters, one) for one in dict.fromkeys(ids)] or _chosen(settings, letters, asked)
    chosen = [letter if not letter.left_out else _whole(settings, letter) for letter in chosen]
    if signature is None:
        result = sorted_out(chosen, history)
    else:
        result = run(settings, re_drive_all(settings, chosen, signature))
    if as_json:
        write_json(text.result_as_object(result, dry=not send))
    else:
        text.write_result(result, dry=not send)
    click.get_current_context().exit(1 if result.refused else 0)


def _read(settings: Settings) -> tuple[dict[str, Letter], History]:
    return run(settings, reading.read(settings))


def _whole(settings: Settings, letter: Letter) -> Letter:
    """A letter with what was left out of it, if its topic still keeps it."""
    try:
        return run(settings, reading.whole(settings, letter))
    except RefusedError:
        return letter  # told with the others, each with its mend


def _one(settings: Settings, letters: dict[str, Letter], letter_id: str) -> Letter:
    found = letters.get(full_id(letter_id, settings))
    if found is None:
        message = f"there is no dead letter {letter_id!r}; `billtide dead-letters list --all` names them all"
        raise FindingError(message)
    return found


def _chosen(settings: Settings, letters: dict[str, Letter], asked: dict[str, str]) -> list[Letter]:
    """Letters a filter asks for, as they were put aside."""
    since = _milliseconds(asked["since"])
    topic = stream_of(asked["topic"], settings) if asked["topic"] else ""
    wanted = Filter(asked["reason"], topic, asked["engagement"], asked["field"], since)
    return sorted(filter(wanted.asks_for, letters.values()), key=lambda letter: (letter.put_aside, letter.id))


def _milliseconds(given: str) -> int:
    """A date or time, UTC unless it says otherwise, as ms since 1970; 0 for none."""
    if not given:
        return 0
    try:
        moment = dt.datetime.fromisoformat(given)
    except ValueError as error:
        raise click.BadParameter("write it like 2026-03-02 or 2026-03-02T08:00", param_hint="--since") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def _signature(by: str, why: str) -> Signed:
    """Who and why, both given."""
    if not by.strip() or not why.strip():
        raise click.UsageError("say who does it and why: --by NAME --why TEXT; both are kept")
    if len(why) > WHY_CHARACTERS_MAX:
        raise click.UsageError(f"--why takes {WHY_CHARACTERS_MAX} characters")
    return Signed(by.strip(), why.strip())


def _correct(settings: Settings, letter: Letter, value: bytes, signature: Signed | None, *, as_json: bool) -> None:
    """Check a correction, and keep it when it is signed."""
    try:
        kept = text.correction_as_object(letter, value, dry=signature is None)
        if signature is not None:
            run(settings, correct(settings, letter, value, signature))
    except UndecodableError as error:
        message = f"{letter.id} would come back: {error}; nothing was kept"
        raise RefusedError(message) from error
    if as_json:
        write_json(kept)
    else:
        text.write_correction(kept)


def _write(out: Path, value: bytes) -> None:
    try:
        out.write_bytes(value)
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}; give --out another file"
        raise RefusedError(message) from error
