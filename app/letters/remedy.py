"""What would be sent for a dead letter: the record as it came, or as corrected, checked as its reader does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...codecs import re_drive
from ...codecs.errors import UndecodableError
from ..intake.admission import ACCEPTED, admit, readable
from ..topology import TOPOLOGY

if TYPE_CHECKING:
    from ...agents.outbox import OutputRecord
    from .letter import Letter

OURS: Final = "ce_"
"""How the headers begin that say what a record is."""
CONTENT_TYPE: Final = "content-type"


def sendable(letter: Letter, correction: bytes | None) -> OutputRecord:
    """The record to send for a letter. Raises UndecodableError when it would only come back.

    Its key is made by the stream's rule. It keeps its headers, but those that say what it is are made anew when it was
    corrected or they are wrong; one header names the letter.
    """
    if letter.left_out and correction is None:
        raise UndecodableError("empty", "", f"{letter.left_out} is not here", "show the letter, or give its value")
    value = letter.value or b"" if correction is None else correction
    key, value_sent, made = readable(letter.stream, value)
    own = [(name, content) for name, content in letter.headers if name != re_drive.HEADER]
    if correction is not None or not _says(letter):
        own = [header for header in own if not header[0].startswith(OURS) and header[0] != CONTENT_TYPE] + list(made)
    return key, value_sent, [*own, (re_drive.HEADER, letter.id.encode())]


def checked(letter: Letter, value: bytes) -> None:
    """Check a correction. Raises UndecodableError, also for names no shape has, unless the record came with some."""
    if letter.stream in ACCEPTED and letter.value and _admitted_names(letter):
        admit(letter.stream, value)
    else:
        readable(letter.stream, value)


def _says(letter: Letter) -> bool:
    """Whether the record's own headers name the type its topic carries."""
    return dict(letter.headers).get("ce_type") == TOPOLOGY.stream(letter.stream).event_type.encode()


def _admitted_names(letter: Letter) -> bool:
    """Whether no name of the record's own value is one that no shape has."""
    try:
        admit(letter.stream, letter.value or b"")
    except UndecodableError as error:
        return error.problem != "there is no such field"
    return True
