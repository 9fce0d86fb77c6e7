"""A small firm's history of a seed: everything its systems send, in the order of each stream.

The masters are in the log before any worker starts. What comes later adds what was unknown: periods that open in the
end, rates, people and terms that entries wait for. In every second seed it also contradicts what is posted: new rates
for work that is already priced; terms change prices and caps at any time. Whatever the order in which streams meet, the
money is the same.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from billtide.app.demo.happenings import Sent, happening, record
from billtide.codecs.fx_rate import FxRate
from billtide.codecs.period import Period
from billtide.codecs.rate_card import RateCard, RateLine
from billtide.codecs.resource import CostRate, Resource

from . import agreed, answers, crossing, days, drawing, sales, work

if TYPE_CHECKING:
    from billtide.app.demo.happenings import Thing

ENTITIES = ("DE", "US")
CURRENCIES = ("EUR", "USD", "JPY", "KWD")
MONTHS = tuple(dt.date(2025, month, 1) for month in (8, 9, 10, 11, 12))
PEOPLE = ("R1", "R2", "R3", "R4", "R5")
NEVER_KNOWN = "R9"
COST_RATES = ("61.37", "48", "95.005", "7.123456")
WORLD_RATES = ("0.913", "1.0869565217", "155.02", "0.0064512345", "3.25")
DEFAULT_LINES = (
    RateLine(role="analyst", rate="99.97"),
    RateLine(role="partner", rate="1043.21", unit="day", minimum_charge="500"),
    RateLine(role="consultant", grade="senior", rate="160.5"),
    RateLine(role="consultant", rate="133.333333"),
    RateLine(item="workshop", rate="77.7", maximum_charge="400"),
    RateLine(region="north", role="analyst", rate="104.4"),
)
REGIONS = {"R1": "north", "R2": "north", "R3": "south", "R4": "north"}
"""Where people work; one may move."""
LATE_ROLE = "architect"
MIXES = (0.02, 0.2, 1.0)
"""How far from its own moment a record may arrive, as a part of the whole history."""


class Firm(NamedTuple):
    """Records with their streams, those of a stream in its order; partitions: of every input."""

    partitions: int
    masters: list[tuple[str, Sent]]
    load: list[tuple[str, Sent]]

    def by_stream(self) -> dict[str, list[Sent]]:
        """All records of each stream in its order."""
        found: dict[str, list[Sent]] = {}
        for stream, sent in (*self.masters, *self.load):
            found.setdefault(stream, []).append(sent)
        return found


class Timed(NamedTuple):
    """Something that is sent, and when: 0 is the start of the load, 1 its end."""

    at: float
    thing: Thing


def make(seed: int, *, late_changes: bool = False) -> Firm:
    """Make the history of a seed."""
    chance = Random(f"{seed}:firm")
    masters, late = _references(chance)
    across = Random(f"{seed}:crossing")
    for known, coming in crossing.references(across, ENTITIES):
        masters += known
        late += coming
    when = Random(f"{seed}:days")
    sold = drawing.agreed_besides(Random(f"{seed}:drawing"), sales.engagements(chance, across))
    sold = days.dated(when, sold)
    planned = sales.assignments(chance, sold)
    later = [Timed(chance.random(), thing) for thing in late]
    later += [Timed(at, thing) for at, thing in (*sold.sent, *planned.sent)]
    entered = list(days.submitted(when, work.entries(chance, sold, planned)))
    answered = answers.documents(chance, sold, [thing for _, thing in entered])
    later += [Timed(at, thing) for at, thing in (*entered, *answered)]
    if late_changes or agreed.rarely(chance, 2):
        later += [Timed(0.7 + chance.random() * 0.3, thing) for thing in _contradictions(masters)]
    mix = chance.choice(MIXES)
    timed = [(item.at + chance.random() * mix, item.thing) for item in later]
    timed += [(chance.random() * 2, thing) for _, thing in chance.sample(timed, len(timed) // 15)]
    load = [(at, _record(thing)) for at, thing in timed]
    load += [(chance.random(), broken) for broken in work.undecodable(chance)]
    load.sort(key=lambda pair: pair[0])
    return Firm(chance.randint(1, 3), [_record(thing) for thing in masters], [sent for _, sent in load])


def _record(thing: Thing) -> tuple[str, Sent]:
    what = happening(1_762_000_000_000, thing)
    return what.stream, record(what)


def _references(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """What is known before the load, and what comes during it."""
    masters: list[Thing] = []
    late: list[Thing] = []
    for known, later in (_periods(chance), _cards(chance), _people(chance), _exchange(chance)):
        masters += known
        late += later
    chance.shuffle(masters)
    return masters, late


def _periods(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """Months of each legal entity. What is open in the end may have been closed, future or unknown on the way."""
    known: list[Thing] = []
    late: list[Thing] = []
    courses = (
        ("open",), ("open",), ("future", "open"), ("closed", "open"), ("open", "closed", "open"), ("closed",),
        ("future",), ("unknown", "open"), ("closed", "open", "closed", "open"),
    )  # fmt: skip
    for entity in ENTITIES:
        for month in MONTHS:
            course = ("open",) if month == MONTHS[-1] else chance.choice(courses)
            for revision, status in enumerate(course, start=1):
                if status == "unknown":
                    continue
                end = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
                period = Period(
                    legal_entity_id=entity, id=f"{month:%Y-%m}", revision=revision, start_date=month, end_date=end,
                    status=status,
                )  # fmt: skip
                (known if revision == 1 else late).append(period)
    return known, late


def _cards(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """Default cards with a change of rates in November, a customer's own; one role gets its rate late, or never."""
    known: list[Thing] = []
    late: list[Thing] = []
    for currency in CURRENCIES:
        lines = tuple(
            msgspec.structs.replace(line, rate=str(int(float(line.rate)) * 100)) if currency == "JPY" else line
            for line in DEFAULT_LINES
        )
        first = RateCard(
            schema_version=2, id=f"std-{currency}", version=1, scope="default", currency=currency,
            effective_from=MONTHS[0], lines=lines,
        )  # fmt: skip
        raised = tuple(msgspec.structs.replace(line, rate=f"{line.rate.split('.')[0]}.5") for line in lines)
        known += [first, msgspec.structs.replace(first, version=2, effective_from=MONTHS[3], lines=raised)]
        own = (
            RateLine(role="analyst", rate="88.125"),
            RateLine(role="consultant", region="north", rate="121.21"),
            RateLine(resource_id="R2", rate="143.3"),
            RateLine(resource_id="R2", role="analyst", rate="91.05"),
        )
        known.append(
            RateCard(
                schema_version=2, id=f"own-{currency}", version=1, scope="customer", scope_id="C1", currency=currency,
                effective_from=MONTHS[1], effective_to=MONTHS[4], lines=own,
            )
        )  # fmt: skip
        added = RateLine(role=LATE_ROLE, rate="201.005")
        way = chance.choice(("version", "card", "customer", "never"))
        if way == "version":
            late.append(msgspec.structs.replace(first, version=3, lines=(*lines, added)))
        elif way == "card":
            late.append(msgspec.structs.replace(first, id=f"late-{currency}", lines=(added,)))
        elif way == "customer":
            late.append(
                msgspec.structs.replace(first, id=f"c2-{currency}", scope="customer", scope_id="C2", lines=(added,))
            )
    return known, late


def _people(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """People with cost rates by date, some in foreign money; some are known late, some get an earlier rate late."""
    known: list[Thing] = []
    late: list[Thing] = []
    for name in PEOPLE:
        currency = chance.choice(CURRENCIES)
        rates = (
            CostRate(rate=chance.choice(COST_RATES), currency=currency, effective_from=MONTHS[2]),
            CostRate(rate=chance.choice(COST_RATES), currency=currency, effective_from=dt.date(2025, 11, 15)),
        )
        earlier = CostRate(rate=chance.choice(COST_RATES), currency=chance.choice(CURRENCIES))
        role, grade = chance.choice(("analyst", "consultant", "partner")), chance.choice(("", "senior"))
        person = Resource(
            id=name, revision=1, legal_entity_id=chance.choice(ENTITIES), role=role, grade=grade, cost_rates=rates,
            weekly_capacity_hours=chance.choice(("40", "37.5")), region=REGIONS.get(name, ""),
        )  # fmt: skip
        whole = msgspec.structs.replace(person, revision=2, cost_rates=(*rates, earlier))
        way = chance.choice(("known", "known", "late", "earlier rate late", "never earlier"))
        (late if way == "late" else known).append(whole if way in {"known", "late"} else person)
        if way == "earlier rate late":
            late.append(whole)
    return known, late


def _exchange(chance: Random) -> tuple[list[Thing], list[Thing]]:
    """Rates of each pair for two stretches; the second may be corrected before the load, come late or never."""
    known: list[Thing] = []
    late: list[Thing] = []
    for base in CURRENCIES:
        for quote in CURRENCIES:
            if base == quote:
                continue
            first = FxRate(
                base=base, quote=quote, valid_from=MONTHS[0], valid_to=dt.date(2025, 10, 31),
                rate=chance.choice(WORLD_RATES),
            )  # fmt: skip
            inside = msgspec.structs.replace(
                first, valid_from=dt.date(2025, 9, 10), valid_to=dt.date(2025, 9, 20), rate="1.5"
            )
            second = FxRate(
                base=base, quote=quote, valid_from=MONTHS[3], valid_to=dt.date(2025, 12, 31),
                rate=chance.choice(WORLD_RATES), revision=2,
            )  # fmt: skip
            known += [first, inside]
            way = chance.choice(("known", "known", "known", "late", "late", "never"))
            if way != "never":
                (late if way == "late" else known).append(second)
            if way == "known":
                known.append(msgspec.structs.replace(second, revision=1, rate="9.99"))
    return known, late


def _contradictions(masters: list[Thing]) -> list[Thing]:
    """New rates for what may be priced already: a card, a person's cost, region and week, an exchange rate."""
    found: list[Thing] = []
    for thing in masters:
        if isinstance(thing, RateCard) and thing.version == 1 and thing.scope == "default":
            lines = tuple(msgspec.structs.replace(line, rate="111") for line in thing.lines)
            found.append(msgspec.structs.replace(thing, version=9, lines=lines))
        elif isinstance(thing, Resource) and thing.id == PEOPLE[0]:
            rates = tuple(msgspec.structs.replace(rate, rate="50") for rate in thing.cost_rates)
            found.append(
                msgspec.structs.replace(thing, revision=9, cost_rates=rates, region="south", weekly_capacity_hours="20")
            )
        elif isinstance(thing, FxRate) and thing.valid_from == MONTHS[0]:
            found.append(msgspec.structs.replace(thing, revision=9, rate="2"))
    return found
