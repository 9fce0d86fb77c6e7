"""Reviews of the firm's corrections: what finance decides about those that change a bill by too much, and when.

Most decisions come after the correction, some before it, some only when everything else has come; some never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from ...codecs.approval import Approval
from ...codecs.expense import Expense
from ...codecs.time_entry import TimeEntry
from .courses import PAUSE_MINUTES
from .happenings import MINUTE_MILLISECONDS, Happening, chance, happening, often
from .offices import amount_text

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

    from ...codecs.approval import Verdict
    from ...codecs.engagement import Engagement

REVIEWED: Final = (12, 25, 26, 38, 53)
"""Engagements whose corrections are reviewed, T&M but for the last, which is capped. 38 names who decides."""
REVIEWED_CENTS: Final = 5_000
REVIEWER: Final = "R-0005"
"""Somebody whom those terms that name approvers name as finance."""
VERDICTS: Final[tuple[tuple[Verdict, ...], ...]] = (
    ("approved",),
    ("approved",),
    ("rejected",),
    ("rejected", "approved"),
    ("approved", "recalled"),
    (),
)
"""What finance decides about one correction, one after the other."""
OTHERS_PERCENT: Final = 10
"""How often somebody decides who is no reviewer, where the terms name any."""
LATE_PERCENT: Final = 40


def review_above(number: int, currency: str) -> str | None:
    """By how much a correction may change a bill of the engagement with this number without review; None for any."""
    return amount_text(REVIEWED_CENTS, currency) if number in REVIEWED else None


def reviews(
    seed: int, load: Iterable[Happening], late: Sequence[TimeEntry | Expense], sold: Iterable[Engagement]
) -> tuple[list[Happening], list[Approval]]:
    """Decisions about corrections: those of the week, and those after it, which late corrections have too."""
    rng = chance(seed, "reviews")
    names = {terms.id for terms in sold if _reviews(terms)}
    soon: list[Happening] = []
    after: list[Approval] = []
    for what in load:
        if _is_correction(what.thing, names):
            decided = list(_decided(rng, what.thing))
            if often(rng, LATE_PERCENT):
                after += decided
            else:
                minutes = rng.choice((-PAUSE_MINUTES[0], PAUSE_MINUTES[0], PAUSE_MINUTES[1]))
                first = what.at + minutes * MINUTE_MILLISECONDS
                soon += [happening(first + at, decision) for at, decision in enumerate(decided)]
    for entry in late:
        if _is_correction(entry, names):
            after += _decided(rng, entry)
    return soon, after


def _reviews(terms: Engagement) -> bool:
    """Whether the contract has corrections reviewed: large ones, or those in closed months."""
    return terms.policies.review_above is not None or terms.policies.closed_period == "review_corrections"


def _is_correction(thing: object, names: set[str]) -> TypeGuard[TimeEntry | Expense]:
    return isinstance(thing, TimeEntry | Expense) and thing.revision > 1 and thing.engagement_id in names


def _decided(rng: random.Random, entry: TimeEntry | Expense) -> Iterator[Approval]:
    for sequence, verdict in enumerate(rng.choice(VERDICTS), start=1):
        yield Approval(
            source=entry.source,
            entry_type="time" if isinstance(entry, TimeEntry) else "expense",
            entry_id=entry.id,
            entry_revision=entry.revision,
            engagement_id=entry.engagement_id,
            verdict=verdict,
            level="finance",
            sequence=sequence,
            approver_id="R-0040" if often(rng, OTHERS_PERCENT) else REVIEWER,
            target="correction",
        )
