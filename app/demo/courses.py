"""Courses an entry can take: handed in, decided, corrected, withdrawn. Each gives what is sent, and when.

Every course ends in a state that does not depend on which of its streams is read first: entries of one key stay in
order, decisions name the revision they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ...codecs.approval import Approval
from ...codecs.decimals import RATE_PLACES, format_plain, parse_scaled
from ...codecs.expense import Expense
from ...codecs.time_entry import TimeEntry
from .happenings import MINUTE_MILLISECONDS, Happening, day_of, happening, often
from .spending import corrected

if TYPE_CHECKING:
    import datetime as dt
    import random
    from collections.abc import Callable, Iterator

    from ...codecs.approval import ApprovalLevel, Verdict
    from ...codecs.approvers import Approver
    from ...codecs.time_entry import EntryStatus

OTHERS_PERCENT: Final = 8
"""How often somebody decides whom the terms do not name, where they name anybody."""
PAUSE_MINUTES: Final = (5, 90)
"""Least and most time between two steps of a course."""


class Line(NamedTuple):
    """An entry that starts its course. first: its first revision, submitted; handed_in: ms since 1970.

    levels: those the contract may ask for; approvers: those it names, anybody where it names none; elsewhere: another
    engagement, for an entry that was booked wrongly; dated: whoever decides says the day; says_day: so does whoever
    hands it in.
    """

    first: TimeEntry | Expense
    levels: tuple[ApprovalLevel, ...]
    approvers: tuple[Approver, ...]
    handed_in: int
    elsewhere: str
    rng: random.Random
    dated: bool = False
    says_day: bool = False

    def later(self, steps: int) -> int:
        """A moment some steps after the entry was handed in."""
        pauses = (self.rng.randint(*PAUSE_MINUTES) for _ in range(steps))
        return self.handed_in + sum(pauses) * MINUTE_MILLISECONDS + self.rng.randrange(MINUTE_MILLISECONDS)

    def entry(self, at: int, revision: int, status: EntryStatus, **changes: object) -> Happening:
        """One revision of the entry."""
        day = day_of(at) if self.says_day else None
        again = msgspec.structs.replace(self.first, revision=revision, status=status, submitted_on=day, **changes)
        return happening(at, again)

    def decided(self, at: int, revision: int, verdict: Verdict, sequence: int = 1) -> list[Happening]:
        """One verdict of every level that is asked for, or of the manager where none is."""
        return [
            self.decision(at + place, revision, verdict, level, sequence)
            for place, level in enumerate(self.levels or ("manager",))
        ]

    def decision(self, at: int, revision: int, verdict: Verdict, level: ApprovalLevel, sequence: int = 1) -> Happening:
        """One verdict of one level."""
        first = self.first
        return happening(
            at,
            Approval(
                source=first.source,
                entry_type="time" if isinstance(first, TimeEntry) else "expense",
                entry_id=first.id,
                entry_revision=revision,
                engagement_id=first.engagement_id,
                verdict=verdict,
                level=level,
                sequence=sequence,
                **self._by_whom(level, day_of(at)),
            ),
        )

    def _by_whom(self, level: ApprovalLevel, day: dt.date) -> dict[str, Any]:
        """Who decides: anybody where nobody is named, else mostly one of those, or their delegate."""
        named = [approver for approver in self.approvers if approver.level == level]
        if not named or often(self.rng, OTHERS_PERCENT):
            return {
                "approver_id": f"R-{self.rng.randint(1, 40):04}",
                "decided_on": day if often(self.rng, 50) or self.dated else None,
            }
        approver = self.rng.choice(named)
        if approver.delegates and often(self.rng, 50):
            delegate = approver.delegates[0].approver_id
            return {"approver_id": delegate, "on_behalf_of": approver.approver_id, "decided_on": day}
        return {"approver_id": approver.approver_id, "decided_on": day}

    def change(self) -> dict[str, object]:
        """What a correction changes: a quarter less or half as much again, in whole minor units for any currency."""
        first = self.first
        if isinstance(first, Expense):
            return corrected(first)
        quantity = parse_scaled(first.quantity, RATE_PLACES, "$.quantity")
        return {"quantity": format_plain(quantity * self.rng.choice((3, 6)) // 4, RATE_PLACES)}


def _approved(line: Line) -> list[Happening]:
    """Handed in, then approved."""
    return [line.entry(line.handed_in, 1, "submitted"), *line.decided(line.later(1), 1, "approved")]


def _approved_itself(line: Line) -> list[Happening]:
    """The source sends the entry as approved."""
    return [line.entry(line.handed_in, 1, "approved")]


def _decided_first(line: Line) -> list[Happening]:
    """The decision overtakes its entry."""
    return [*line.decided(line.handed_in, 1, "approved"), line.entry(line.later(1), 1, "submitted")]


def _waiting(line: Line) -> list[Happening]:
    """Nobody decides this week."""
    return [line.entry(line.handed_in, 1, "submitted")]


def _half_decided(line: Line) -> list[Happening]:
    """The first level approves, the others do not decide this week."""
    level = (line.levels or ("manager",))[0]
    return [line.entry(line.handed_in, 1, "submitted"), line.decision(line.later(1), 1, "approved", level)]


def _draft(line: Line) -> list[Happening]:
    """Never handed in."""
    return [line.entry(line.handed_in, 1, "draft")]


def _corrected(line: Line) -> list[Happening]:
    """Corrected after the approval, and the correction is approved: reverse and rebill."""
    approved = line.later(1)
    corrected = line.later(3)
    return [
        line.entry(line.handed_in, 1, "submitted"),
        *line.decided(approved, 1, "approved"),
        line.entry(corrected, 2, "submitted", **line.change()),
        *line.decided(corrected + PAUSE_MINUTES[1] * MINUTE_MILLISECONDS, 2, "approved"),
    ]


def _corrected_itself(line: Line) -> list[Happening]:
    """Approved in the source, corrected there and approved there again."""
    return [line.entry(line.handed_in, 1, "approved"), line.entry(line.later(2), 2, "approved", **line.change())]


def _correction_waits(line: Line) -> list[Happening]:
    """A correction that nobody has approved yet: the first revision stands."""
    return [*_approved(line), line.entry(line.later(3), 2, "submitted", **line.change())]


def _noted(line: Line) -> list[Happening]:
    """A revision that changes no money."""
    return [*_approved(line), line.entry(line.later(2), 2, "approved", notes="typing error")]


def _rejected(line: Line) -> list[Happening]:
    """Rejected for good."""
    return [line.entry(line.handed_in, 1, "submitted"), *line.decided(line.later(1), 1, "rejected")]


def _mended(line: Line) -> list[Happening]:
    """Rejected, changed, and approved."""
    rejected, mended = line.later(1), line.later(2)
    return [
        line.entry(line.handed_in, 1, "submitted"),
        *line.decided(rejected, 1, "rejected"),
        line.entry(mended, 2, "submitted", **line.change()),
        *line.decided(mended + PAUSE_MINUTES[1] * MINUTE_MILLISECONDS, 2, "approved"),
    ]


def _recalled(line: Line) -> list[Happening]:
    """Approved, then taken back by whoever approved it."""
    approved = line.later(1)
    recalled = approved + line.rng.randint(*PAUSE_MINUTES) * MINUTE_MILLISECONDS
    return [
        line.entry(line.handed_in, 1, "submitted"),
        *line.decided(approved, 1, "approved"),
        *line.decided(recalled, 1, "recalled", 2),
    ]


def _approved_again(line: Line) -> list[Happening]:
    """Approved, recalled, approved after all."""
    courses = _recalled(line)
    return [*courses, *line.decided(courses[-1].at + PAUSE_MINUTES[1] * MINUTE_MILLISECONDS, 1, "approved", 3)]


def _deleted(line: Line) -> list[Happening]:
    """Approved and then deleted in the source."""
    return [*_approved(line), line.entry(line.later(3), 2, "deleted")]


def _corrected_then_deleted(line: Line) -> list[Happening]:
    """Corrected after the approval, and deleted after that: charge and adjustment are both taken back."""
    courses = _corrected_itself(line)
    return [*courses, line.entry(courses[-1].at + MINUTE_MILLISECONDS, 3, "deleted")]


def _moved(line: Line) -> list[Happening]:
    """Booked on the wrong engagement: deleted there, sent anew here."""
    moved = line.later(3)
    changes: dict[str, object] = {"engagement_id": line.elsewhere}
    if isinstance(line.first, TimeEntry):
        changes |= {"assignment_id": "", "rate": None}
    return [*_approved(line), line.entry(moved, 2, "deleted"), line.entry(moved + 1, 3, "approved", **changes)]


def _out_of_order(line: Line) -> list[Happening]:
    """The second revision overtakes the first, which is stale when it comes."""
    return [line.entry(line.handed_in, 2, "approved", **line.change()), line.entry(line.later(1), 1, "submitted")]


def _sent_again(line: Line) -> list[Happening]:
    """The first revision comes once more after the second: stale."""
    later = line.later(3)
    return [
        *_approved(line),
        line.entry(later, 2, "approved", **line.change()),
        line.entry(later + MINUTE_MILLISECONDS, 1, "submitted"),
    ]


COURSES: Final[dict[str, tuple[int, Callable[[Line], list[Happening]]]]] = {
    "approved": (590, _approved),
    "approved_itself": (110, _approved_itself),
    "decided_first": (40, _decided_first),
    "waiting": (70, _waiting),
    "half_decided": (15, _half_decided),
    "draft": (15, _draft),
    "corrected": (40, _corrected),
    "corrected_itself": (15, _corrected_itself),
    "correction_waits": (10, _correction_waits),
    "noted": (10, _noted),
    "rejected": (10, _rejected),
    "mended": (15, _mended),
    "recalled": (12, _recalled),
    "approved_again": (8, _approved_again),
    "deleted": (15, _deleted),
    "corrected_then_deleted": (8, _corrected_then_deleted),
    "moved": (5, _moved),
    "out_of_order": (10, _out_of_order),
    "sent_again": (10, _sent_again),
}
"""Each course with how many of about a thousand entries take it."""
_NAMES: Final = list(COURSES)
_WEIGHTS: Final = [weight for weight, _ in COURSES.values()]


def take(line: Line) -> list[Happening]:
    """Send an entry on one of the courses."""
    name = line.rng.choices(_NAMES, _WEIGHTS)[0]
    course = COURSES[name][1](line)
    return [*course, *_days_of(line, course)] if line.dated else course


def _days_of(line: Line, course: list[Happening]) -> Iterator[Happening]:
    """Decisions with a day about what the source has approved by itself."""
    for what in list(course):
        entry, own = what.thing, line.first.engagement_id
        if isinstance(entry, TimeEntry | Expense) and entry.status == "approved" and entry.engagement_id == own:
            yield from line.decided(what.at + MINUTE_MILLISECONDS, entry.revision, "approved", 9)
