"""What must be true of a history that has settled: M1 to M9, against the records that were sent and nothing else."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from billtide.app.demo.outputs import add_up
from billtide.app.demo.reckoning import reckon_facts
from billtide.app.demo.reckoning_facts import EntryId, Facts, read_facts
from billtide.app.demo.reckoning_money import Worth, reckon_entry
from billtide.app.demo.reckoning_numbers import minor
from billtide.app.demo.verdict import judge
from billtide.app.topology import TOPOLOGY
from billtide.codecs import audit, engagement
from billtide.codecs.currencies import parse_amount
from billtide.codecs.engagement import Engagement
from billtide.codecs.errors import UndecodableError
from billtide.tables.state import TaskState

from . import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billtide.app.demo.happenings import Sent
    from billtide.app.demo.outputs import Written
    from billtide.app.demo.reckoning import Reckoning

    from .world import World

CHANGELOG = TOPOLOGY.changelog.name
Worths = dict[EntryId, Worth | None]
"""What each entry is worth; None when nothing of it counts, or when it waits."""
UNLIMITED = 10**18
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
    events = lines.decoded(left)
    found = [*restored, *judge(reckoning, written, taken, disposed).problems]
    if taken != disposed:
        found.append(f"{taken} records have {disposed} dispositions (M5)")
    found += lines.problems(events, world.periods)
    found += _unbilled(worths, events)
    found += _caps(list(_revisions(world.firm.by_stream()["engagements"])), events)
    found += _plans(reckoning, written)
    found += _weeks(facts, left["utilisation"])
    found += _forgotten(left["audit"])
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


def _worths(facts: Facts) -> Iterator[tuple[EntryId, Worth | None]]:
    for entry_id in facts.versions:
        yield entry_id, reckon_entry(facts, entry_id).worth


def _unbilled(worths: Worths, events: lines.Events) -> Iterator[str]:
    """M2 entry by entry: what is priced and not yet approved is work in progress."""
    unbilled = lines.unbilled_by_entry(events)
    for entry_id, value in worths.items():
        accrued = 0 if value is None or value.approved else value.price or 0
        if unbilled[entry_id] != accrued:
            yield f"entry {entry_id}: {unbilled[entry_id]} of work in progress, not {accrued} (M2)"


def _caps(terms: list[Engagement], events: lines.Events) -> Iterator[str]:
    """M6 after every charge: no cap is exceeded by more than some revision of the terms ever allowed.

    A credit that is taken back, or comes again smaller, comes first; the bills in its room are taken back with it.
    """
    highest: dict[str, int] = {}
    outside: set[str] = set()
    for revision in terms:
        cap = revision.cap
        if revision.contract_type != "capped" or cap is None:
            highest[revision.id] = UNLIMITED
            continue
        most = minor(cap.amount, revision.currency) + minor(cap.tolerance, revision.currency)
        highest[revision.id] = max(highest.get(revision.id, 0), most)
        if not cap.includes_expenses:
            outside.add(revision.id)
    running: Counter[str] = Counter()
    for event in events.billing:
        name = event.engagement_id
        if event.kind == "fee" or (event.kind == "expense" and name in outside):
            continue
        amount = parse_amount(event.amount, event.currency, "$.amount")
        running[name] += amount
        if event.action != "reversal" and amount > 0 and running[name] > highest.get(name, UNLIMITED):
            yield f"engagement {name}: {event.id} exceeds the cap (M6)"


def _revisions(sent: list[Sent]) -> Iterator[Engagement]:
    """Every revision of terms that can be read."""
    for record in sent:
        with contextlib.suppress(UndecodableError):
            yield engagement.decode(record.value)


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
    """The latest utilisation of each person and week is the sum of what assignments plan, of the latest capacity."""
    planned: Counter[tuple[str, str, str]] = Counter()
    for plan in facts.assignments.values():
        for week in plan.weeks if plan.status == "active" else ():
            planned[plan.resource_id, str(week.week), plan.booking] += lines.hours(week.hours)
    shown = lines.latest_weeks(utilisation)
    for person, week in {(person, week) for person, week, _ in planned} | shown.keys():
        found = shown.get((person, week))
        who = facts.resources.get(person)
        capacity = None if who is None else lines.hours(who.weekly_capacity_hours)
        wanted = planned[person, week, "hard"], planned[person, week, "soft"], capacity
        if found != wanted:
            yield f"{person} in the week of {week}: {found} planned and able, not {wanted}"


def _forgotten(records: list[Any]) -> Iterator[str]:
    """Each task knows of reference data what it knew before, whoever has it."""
    known: dict[tuple[int, str], int] = {}
    for told in (audit.decode(record.value) for record in records):
        for stream, offset in told.reference.items():
            before = known.get((told.task, stream), 0)
            if offset < before:
                yield f"task {told.task} decided with {stream} up to {offset}, and with {before} before"
            known[told.task, stream] = offset
