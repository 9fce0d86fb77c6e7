"""What may come out of a reader: errors of its documented kind, with sentences of bounded length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from billtide.codecs.errors import UndecodableError

MESSAGE_CHARACTERS_MAX: Final = 20_000
"""Of one message for people; what quotes an input has to cut it."""


class VagueError(AssertionError):
    """An error of the right kind that does not say what is wrong, or says it at any length."""


def check_undecodable(error: UndecodableError) -> None:
    """Assert that a record's error says what is wrong and how to mend it, where it can as a path."""
    if not (error.reason and error.problem and error.fix):
        message = f"it lacks a reason, a problem or a fix: {error!r}"
        raise VagueError(message)
    if len(error.field) + len(error.problem) + len(error.fix) > MESSAGE_CHARACTERS_MAX:
        message = f"a message of {len(str(error))} characters: {str(error)[:200]}"
        raise VagueError(message)


SECRET: Final = "s3cr3t-marker"  # noqa: S105 - no password of anybody
"""A password that may stand in no message."""


def check_sentence(error: BaseException) -> None:
    """Assert that an error for people has a sentence of bounded length, and neither a traceback nor a secret in it."""
    said = str(error)
    if len(said) < 10 or len(said) > MESSAGE_CHARACTERS_MAX or "Traceback" in said or SECRET in said:
        message = f"{type(error).__name__} of {len(said)} characters: {said[:200]!r}"
        raise VagueError(message)
