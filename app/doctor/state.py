"""The tasks as their changelog says: readable, how far behind, what they put aside, what waits, what they stopped."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.errors import GroupCoordinatorNotAvailableError

from ...tables.table import VERSION
from ..runtime.intact import MEND, cut
from ..topology import TOPOLOGY
from .line import Line, judged

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from .tasks import TaskSeen
    from .view import View

BEHIND_MANY: Final = 100_000
"""Records a task may be behind before it is said; a busy one clears as many in seconds."""
_START: Final = "Start a worker: `billtide worker`"
_STOPPED: Final = (
    "Look at its records on dead-letters and mend their sender; then raise BILLTIDE_POISON_RUN_RECORDS_MAX or "
    "BILLTIDE_POISON_SHARE_PERCENT_MAX and start the workers again"
)


class Lag(NamedTuple):
    """One input of a task. behind: records to the last stable offset; lost: offsets the log holds no more."""

    task: TaskSeen
    stream: str
    behind: int
    lost: int


async def check_records(view: View) -> list[Line]:
    """Whether this version can read every record of the changelog, and all of them are there."""
    tasks = await view.tasks()
    mend = "Start workers of the version that wrote them, or a newer one"
    problems = [
        Line("fail", f"task {one.partition}: {len(one.unreadable)} records this version cannot read", mend)
        for one in tasks
        if one.unreadable
    ]
    problems += await _cuts(view)
    read = sum(one.records for one in tasks)
    return judged(problems, f"{read} changelog records of {len(tasks)} tasks, of versions up to {VERSION[0]}")


async def _cuts(view: View) -> list[Line]:
    """Partitions of the changelog that have lost their beginning."""
    places = await view.places([TOPOLOGY.changelog])
    async with view.consumer() as consumer:
        first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    return [Line("fail", cut(where, first[where], end[where]), MEND) for where in places if first[where]]


async def check_lag(view: View) -> list[Line]:
    """How far each task is behind, and whether a worker is there to take what waits."""
    members = await _members(view)
    behind: Counter[int] = Counter()
    problems = []
    for lag in await lags(view):
        behind[lag.task.partition] += lag.behind
        if lag.lost:
            found = f"task {lag.task.partition}: {lag.lost} records of {lag.stream} are gone before they were applied"
            mend = "Send them again, then start once with BILLTIDE_LOST_RECORDS=accept"
            problems.append(Line("fail", found, mend))
    for number, count in sorted(behind.items()):
        found = f"task {number} is {count} records behind"
        if count and not members:
            problems.append(Line("warn", f"{found}, and no worker is in the group", _START))
        elif count > BEHIND_MANY:
            problems.append(Line("warn", found, "Start more workers, up to one for each task"))
    return judged(problems, f"{members} workers in the group; {behind.total()} records behind over all tasks")


async def check_dead_letters(view: View) -> list[Line]:
    """How many records of each input were put aside, by the tasks' own count."""
    counts: Counter[str] = Counter()
    for task in await view.tasks():
        for stream in TOPOLOGY.inputs:
            position = task.position(stream.name)
            counts[stream.name] += 0 if position is None else position.dead_lettered
    if not counts.total():
        return [Line("ok", "no record of an input was ever put aside")]
    mend = f"Read {view.settings.topic('dead-letters')}: each says what is wrong and how to mend it; send it again"
    return [Line("warn", f"{counts.total()} records put aside: {_told(counts)}", mend)]


async def check_holds(view: View) -> list[Line]:
    """How many entries wait, by reason: what is known goes on by itself."""
    counts: Counter[str] = Counter()
    for task in await view.tasks():
        counts += task.holds()
    if not counts:
        return [Line("ok", "nothing is held")]
    return [Line("ok", f"{counts.total()} entries are held: {_told(counts)}")]


async def check_poison(view: View) -> list[Line]:
    """Which inputs stand at a limit of bad records while more waits: their task takes no more of them."""
    limits = view.settings.poison_limits()
    problems = []
    for lag in await lags(view):
        position = lag.task.position(lag.stream)
        reached = "" if position is None or not lag.behind else limits.reached(position.recent)
        if reached:
            found = f"task {lag.task.partition} takes no more of {lag.stream}, of which {lag.behind} wait: {reached}"
            problems.append(Line("fail", found, _STOPPED))
    return judged(problems, "no input stands at its limit of bad records")


async def lags(view: View) -> list[Lag]:
    """Each input of each task. What the group's offsets have passed over, such as markers, is not behind."""
    tasks = {task.partition: task for task in await view.tasks()}
    names = {view.settings.topic(stream.name): stream.name for stream in TOPOLOGY.inputs}
    places = [where for where in await view.places(TOPOLOGY.inputs) if where.partition in tasks]
    passed = await _passed(view)
    async with view.consumer() as consumer:
        first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    found = []
    for where in places:
        task, stream = tasks[where.partition], names[where.topic]
        position = task.position(stream)
        begun = position is not None or task.kept
        applied = (0 if position is None else position.offset) if begun else first[where]
        reached = max(applied, min(passed.get(where, 0), end[where]))
        lost = max(0, first[where] - applied)
        found.append(Lag(task, stream, max(0, end[where] - max(reached, first[where])), lost))
    return found


async def _passed(view: View) -> dict[TopicPartition, int]:
    try:
        known = await view.admin.list_consumer_group_offsets(view.settings.app_id)
    except GroupCoordinatorNotAvailableError:  # no group was ever made on these brokers
        return {}
    return {where: one.offset for where, one in known.items()}


async def _members(view: View) -> int:
    try:
        answers = await view.admin.describe_consumer_groups([view.settings.app_id])
    except GroupCoordinatorNotAvailableError:
        return 0
    return sum(len(group["members"]) for answer in answers for group in answer.to_object()["groups"])


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common() if count)
