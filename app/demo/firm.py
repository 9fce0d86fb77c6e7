"""A sample firm's week: everything its systems send to the inputs, as records, the same for the same seed.

Three phases, each a list of records for each stream, ordered by the moment they are sent:

    masters   reference data, then engagements and assignments: what a firm has before anybody enters time. It is to
              be read whole before the load comes, because a price is looked up when an entry is settled
    load      the week: time, expenses, decisions, changed assignments, what the ERP answers, duplicates, unreadable
              records. Its order across streams does not change the money of any engagement
    late      the Monday after: terms, rates, people and exchange rates that entries of the week wait for; months
              reopened and closed; corrected entries; caps, estimates, milestones and prices that change back in time;
              documents of the ERP that are late, cancelled, reversed or changed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from .aftermath import corrections_of_last_month, late_corrections, other_reference_data
from .answers import answers
from .bookkeeping import account_maps
from .crossings import averages, needs_day
from .deals import ARRIVE_LATE, Post, engagements, posts, rate_cards, revised
from .entries import expenses, time_entries
from .happenings import (
    MONDAY,
    NEXT_MONDAY,
    STREAM_OF,
    WORKDAYS,
    Happening,
    Sent,
    Thing,
    chance,
    happening,
    moment,
    often,
    record,
)
from .mishaps import repeated, undecodable
from .offices import exchange_rates, people, periods, resources
from .reviews import reviews

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STREAMS: Final = tuple(STREAM_OF.values())
"""Streams the firm's systems write to."""
ASSIGNMENTS_CHANGED_PERCENT: Final = 12
_BEFORE_WORK, _AFTER_WEEKEND = 6 * 60, 9 * 60  # minutes of the day

Phase = dict[str, list[Sent]]
"""Records of one phase by stream, each stream in its order."""


class Week(NamedTuple):
    """The records of the three phases."""

    masters: Phase
    load: Phase
    late: Phase

    @property
    def phases(self) -> tuple[Phase, ...]:
        """In the order in which they are sent."""
        return (self.masters, self.load, self.late)

    def __len__(self) -> int:
        """All records of all phases."""
        return sum(len(records) for phase in self.phases for records in phase.values())


def sample_week(seed: int) -> Week:
    """Make the week of a seed."""
    everybody, sold = people(seed), engagements(seed)
    places = posts(seed, everybody, sold)
    known_people, late_people = resources(everybody)
    known_periods, late_periods = periods()
    known_rates, late_rates = exchange_rates(seed)
    known_averages, late_averages = averages(seed)
    known_maps, late_maps = account_maps()
    known_cards, late_cards = rate_cards(seed)
    late_terms = [terms for number, terms in enumerate(sold, start=1) if number in ARRIVE_LATE]
    known_terms = [terms for terms in sold if terms not in late_terms]
    known_assignments = [post.assignment for post in places if not post.late]
    late_assignments = [post.assignment for post in places if post.late]
    masters = _spaced(
        moment(MONDAY, _BEFORE_WORK),
        [
            *known_periods,
            *known_rates,
            *known_averages,
            *known_maps,
            *known_cards,
            *known_people,
            *known_terms,
            *known_assignments,
        ],
    )
    dated = frozenset(terms.id for terms in sold if needs_day(terms))
    load = [*time_entries(seed, places, sold), *expenses(seed, places, sold), *_changed_assignments(seed, places)]
    after: list[Thing] = [
        *late_terms,
        *late_rates,
        *late_averages,
        *late_maps,
        *late_cards,
        *late_people,
        *late_assignments,
        *revised(sold),
        *late_periods,
    ]
    corrected = list(late_corrections(seed, load, sold, dated))
    load += corrections_of_last_month(load, sold)
    reviewed, reviewed_late = reviews(seed, load, corrected, sold)
    answered, answered_late = answers(seed, load, sold)
    load += [*reviewed, *answered]
    after += [*other_reference_data(known_cards, known_people, known_rates), *corrected, *reviewed_late]
    after += answered_late
    late = _spaced(moment(NEXT_MONDAY, _AFTER_WEEKEND), after)
    return Week(_phase(masters), _phase([*load, *repeated(seed, load)], undecodable(seed)), _phase(late))


def part_of_week(seed: int, part: int) -> Week:
    """The sample week with the load of every part-th engagement, and everything else whole."""
    week = sample_week(seed)
    load = {stream: [sent for sent in found if _belongs(sent.key, seed, part)] for stream, found in week.load.items()}
    return Week(week.masters, load, week.late)


def _belongs(key: bytes | None, seed: int, part: int) -> bool:
    """Whether a record is of the part: its engagement's number decides, and what has none belongs to it."""
    number = (key or b"").removeprefix(b"E-")
    return not number.isdigit() or int(number) % part == seed % part


def in_order(phase: Phase) -> Iterator[tuple[str, Sent]]:
    """Every record of a phase with its stream, by the moment it is sent."""
    everything = [(stream, sent) for stream, records in phase.items() for sent in records]
    yield from sorted(everything, key=lambda pair: pair[1].timestamp)


def _spaced(first: int, things: Sequence[Thing]) -> list[Happening]:
    """One thing a millisecond, in the order given."""
    return [happening(first + at, thing) for at, thing in enumerate(things)]


def _changed_assignments(seed: int, places: Iterable[Post]) -> Iterator[Happening]:
    """New plans during the week: more hours, fewer, or none. Agreed rates stay as they are."""
    rng = chance(seed, "changed assignments")
    for post in places:
        if post.late or not often(rng, ASSIGNMENTS_CHANGED_PERCENT):
            continue
        planned = post.assignment
        cancelled = often(rng, 25)
        weeks = tuple(msgspec.structs.replace(week, hours=rng.choice(("4", "20", "24.25"))) for week in planned.weeks)
        changed = msgspec.structs.replace(
            planned, revision=2, weeks=weeks, status="cancelled" if cancelled else "active"
        )
        yield happening(
            moment(rng.choice(WORKDAYS), rng.randint(_AFTER_WEEKEND, 18 * 60), rng.randrange(60_000)), changed
        )


def _phase(happenings: Iterable[Happening], broken: Iterable[tuple[str, Sent]] = ()) -> Phase:
    phase: Phase = {}
    for what in happenings:
        phase.setdefault(what.stream, []).append(record(what))
    for stream, sent in broken:
        phase.setdefault(stream, []).append(sent)
    for records in phase.values():
        records.sort(key=lambda sent: sent.timestamp)
    return phase
