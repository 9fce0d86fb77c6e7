"""What is said about a record that cannot be decoded: which field, what is wrong, how to mend it."""

from __future__ import annotations

from typing import Final, Literal

Reason = Literal["empty", "malformed", "invalid_field", "key_mismatch", "wrong_type", "unsupported_version"]


SHOWN_CHARACTERS_MAX: Final = 500
"""Of a message that quotes what somebody sent."""


def shortened(text: str) -> str:
    """A message as long as a person reads; what it quotes may be of any length."""
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + " ..."


class UndecodableError(ValueError):
    """A record whose bytes do not carry the shape its topic promises.

    reason: one word for metrics and filters; field: JSON path such as `$.quantity`, empty when the whole
    record is meant; problem and fix: sentences for the person who sends the record.
    """

    def __init__(self, reason: Reason, field: str, problem: str, fix: str) -> None:
        """Keep the parts apart, so that headers and pages can show each in its place."""
        super().__init__(f"{field or 'record'}: {problem}; {fix}")
        self.reason = reason
        self.field = field
        self.problem = problem
        self.fix = fix
