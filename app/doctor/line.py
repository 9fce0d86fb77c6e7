"""What a check says: ok, warn or fail, what was found, and what mends it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["ok", "warn", "fail"]


class Line(NamedTuple):
    """One finding. fail: a worker does not start, stops, or may lose what it has written; mend: empty when ok."""

    verdict: Verdict
    found: str
    mend: str = ""


def judged(problems: list[Line], sound: str) -> list[Line]:
    """The problems, or one line that says all is well."""
    return problems or [Line("ok", sound)]
