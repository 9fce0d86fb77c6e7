"""What was done with dead letters so far, as `re-drives` tells it: one record for each correction and each sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ...codecs import re_drive
from ...codecs.errors import UndecodableError
from ..refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...agents.work import Record
    from ...codecs.re_drive import ReDrive

RE_DRIVES: Final = "re-drives"

State = Literal["open", "corrected", "re_driven"]


class Deed(NamedTuple):
    """What was done, and when (ms since 1970)."""

    told: ReDrive
    time: int


class History:
    """All deeds by letter, in their order."""

    def __init__(self) -> None:
        """Begin before the first deed."""
        self._deeds: Final[dict[str, list[Deed]]] = {}

    def take(self, records: Iterable[Record]) -> None:
        """Take records of `re-drives` in. Raises RefusedError when one cannot be read: it may tell of a sending."""
        for record in records:
            try:
                told = re_drive.decode(record.value)
            except UndecodableError as error:
                message = f"{RE_DRIVES} offset {record.offset} cannot be read: {error}; only billtide may write there"
                raise RefusedError(message) from error
            self._deeds.setdefault(told.letter, []).append(Deed(told, record.timestamp))

    def of(self, letter: str) -> list[Deed]:
        """What was done with a letter."""
        return self._deeds.get(letter, [])

    def state(self, letter: str) -> State:
        """How far a letter is."""
        if self.sending(letter) is not None:
            return "re_driven"
        return "open" if self.correction(letter) is None else "corrected"

    def sending(self, letter: str) -> ReDrive | None:
        """How it was sent again; None while it was not."""
        return next((told for told, _ in self.of(letter) if told.action == "re_driven"), None)

    def correction(self, letter: str) -> bytes | None:
        """The value to send instead of its own: of the latest correction, None without one."""
        values = [told.value for told, _ in self.of(letter) if told.action == "corrected" and told.value is not None]
        return values[-1].encode() if values else None
