"""What must be true of a history that has settled: M1 to M9, against the records that were sent and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from billtide.app.demo.outputs import add_up
from billtide.app.demo.reckoning import reckon_facts
from billtide.app.demo.reckoning_facts import EntryId, Facts, read_facts
from billtide.app.demo.reckoning_money import Worth, reckon_entry
from billtide.app.demo.reckoning_numbers import minor
from billtide.app.demo.verdict import judge
from billtide.app.topology import TOPOLOGY
from billtide.codecs.currencies import parse_amount
from billtide.tables.state import TaskState

from . import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billtide.app.demo.outputs import Written
    from billtide.app.demo.reckoning import Expected, Reckoning

    from .world import World

CHANGELOG = TOPOLOGY.changelog.name
Worths = dict[EntryId, Worth | None]
"""What each entry is worth; None when nothing of it counts, or when it waits."""
OUTCOMES = ("applied", "duplicate", "stale", "held", "dead_lettered")


def problems(world: World) -> list[str]:
    """Sentences about everything that is not as it must be."""
    log, partitions = world.log, world.partitions
    left = {s.name: [r for p in range(partitions) for r in log.records(s.name, p)] for s in TOPOLOGY.outputs}
    facts = read_facts(world.firm.by_stream())
    written, reckoning, worths = add_up(left), reckon_facts(facts), dict(_worths(facts))
    restored, states = _restored(world)
    taken = sum(len(log.records(stream.name, p)) for stream in TOPOLOGY.inputs for p in range(partitions))
    disposed = sum(
        getattr(state.position(stream.name), outcome)
        for state in states
        for stream in TOPOLOGY.inputs
        for outcome in OUTCOMES
    )
    relaxed = _with_one_outcome(reckoning, written)
    events = lines.decoded(left)
    found = [*restored, *judge(relaxed, written, taken, disposed).problems]
    if taken != disposed:
        found.append(f"{taken} records have {disposed} dispositions (M5)")
    found += lines.problems(events, world.periods)
    found += _entries(facts, worths, events)
    found += _caps(facts, worths, events)
    found += _plans(reckoning, written)
    found += _weeks(facts, left["utilisation"])
    return found


def _restored(world: World) -> tuple[list[str], list[TaskState]]:
    """The changelog holds exactly what the owners have in memory."""
    found, states = [], []
    for partition in range(world.partitions):
        state = TaskState()
        state.restore(world.log.records(CHANGELOG, partition))
        states.append(state)
        for worker in world.workers:
            task = worker.tasks.by_partition.get(partition)
            if task is None or task.state is None:
                continue
            for mine, theirs in zip(task.state.tables, state.tables, strict=True):
                if mine.name != "cursors" and mine.bytes != theirs.bytes:
                    found.append(f"table {mine.name} of task {partition} is not what its changelog holds (M4)")
    return found, states


def _with_one_outcome(reckoning: Reckoning, written: Written) -> Reckoning:
    """Where a cap bills entries whole or not at all, which ones depends on the order: only the sum is certain."""
    engagements: dict[str, Expected] = {}
    for name, expected in reckoning.engagements.items():
        billed = written.billed[name, expected.currency]
        other = billed - expected.billed
        engagements[name] = (
            expected
            if expected.settled
            else replace(expected, billed=billed, held=expected.held - other, earned=expected.earned + other)
        )
    return replace(reckoning, engagements=engagements)


def _worths(facts: Facts) -> Iterator[tuple[EntryId, Worth | None]]:
    for entry_id in facts.versions:
        yield entry_id, reckon_entry(facts, entry_id).worth


def _entries(facts: Facts, worths: Worths, events: lines.Events) -> Iterator[str]:
    """M1 and M2 entry by entry; under a cap an entry may be billed in part."""
    billed, unbilled = lines.billed_by_entry(events), lines.unbilled_by_entry(events)
    for entry_id, value in worths.items():
        name = (entry_id.kind, entry_id.source, entry_id.engagement_id, entry_id.id)
        price = 0 if value is None or value.price is None else value.price
        charged = price if value is not None and value.approved else 0
        accrued = price - charged
        terms = facts.engagements.get(entry_id.engagement_id)
        capped = terms is not None and terms.contract_type == "capped"
        if not (0 <= billed[name] <= charged if capped else billed[name] == charged):
            yield f"entry {name}: {billed[name]} billed, not {charged} (M1)"
        if unbilled[name] != accrued:
            yield f"entry {name}: {unbilled[name]} of work in progress, not {accrued} (M2)"


def _caps(facts: Facts, worths: Worths, events: lines.Events) -> Iterator[str]:
    """M6 and M8 of a cap: never exceeded, after no event; and nothing waits that has room."""
    running: Counter[str] = Counter()
    caps: dict[str, tuple[int, bool]] = {}
    for name, terms in facts.engagements.items():
        if terms.contract_type == "capped" and terms.cap is not None:
            caps[name] = minor(terms.cap.amount, terms.currency), terms.cap.includes_expenses
    for event in events.billing:
        cap = caps.get(event.engagement_id)
        if cap is None or (event.kind == "expense" and not cap[1]):
            continue
        running[event.engagement_id] += parse_amount(event.amount, event.currency, "$.amount")
        if running[event.engagement_id] > cap[0]:
            yield f"engagement {event.engagement_id}: {event.id} exceeds the cap (M6)"
    billed = lines.billed_by_entry(events)
    for entry_id, value in worths.items():
        cap = caps.get(entry_id.engagement_id)
        if cap is None or value is None or not value.approved or not value.price:
            continue
        inside = entry_id.kind == "time" or cap[1]
        name = (entry_id.kind, entry_id.source, entry_id.engagement_id, entry_id.id)
        terms = facts.engagements[entry_id.engagement_id]
        whole = terms.cap is not None and terms.cap.mode == "hold"
        needed = value.price if whole else 1
        if inside and billed[name] < value.price and cap[0] - running[entry_id.engagement_id] >= needed:
            yield f"entry {name} waits, though the cap of {entry_id.engagement_id} has room (M8)"


def _plans(reckoning: Reckoning, written: Written) -> Iterator[str]:
    """Planned hours and cost of each engagement."""
    for name, expected in reckoning.engagements.items():
        shown = written.figures.get(name)
        if shown is None:
            continue
        if lines.hours(shown.planned_hours) != expected.planned_hours:
            yield f"engagement {name}: {shown.planned_hours} planned hours, not {expected.planned_hours}"
        cost = None if shown.planned_cost is None else parse_amount(shown.planned_cost, expected.currency, "$")
        if cost != expected.planned_cost:
            yield f"engagement {name}: planned cost {cost}, not {expected.planned_cost}"


def _weeks(facts: Facts, utilisation: list[Any]) -> Iterator[str]:
    """The latest utilisation of each person and week is the sum of what assignments plan."""
    planned: Counter[tuple[str, str, str]] = Counter()
    for plan in facts.assignments.values():
        for week in plan.weeks if plan.status == "active" else ():
            planned[plan.resource_id, str(week.week), plan.booking] += lines.hours(week.hours)
    shown = lines.latest_weeks(utilisation)
    for person, week in {(person, week) for person, week, _ in planned} | shown.keys():
        found = shown.get((person, week))
        wanted = planned[person, week, "hard"], planned[person, week, "soft"]
        if found != wanted:
            yield f"{person} in the week of {week}: {found} planned, not {wanted}"
