"""One partition task in memory that takes the sample week in: real agents, rules and tables, no Kafka."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from billtide.agents import (
    approvals,
    assignments,
    engagements,
    expenses,
    reference,
    shell,
    time_entries,
    utilisation,
    wake,
)
from billtide.agents.context import Contexts
from billtide.agents.outbox import Kept
from billtide.agents.work import Work
from billtide.app.demo.firm import STREAMS, in_order
from billtide.app.demo.outputs import add_up
from billtide.app.demo.reckoning import Reckoning, reckon
from billtide.app.demo.verdict import Verdict, judge
from billtide.app.topology import TOPOLOGY
from billtide.tables.reference import Reference
from billtide.tables.state import TaskState

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from billtide.agents.outbox import OutputRecord
    from billtide.app.demo.firm import Phase, Week
    from billtide.app.demo.happenings import Sent
    from billtide.app.demo.outputs import Written

APPLY: Final = {
    "time-entries": time_entries.apply,
    "expenses": expenses.apply,
    "approvals": approvals.apply,
    "engagements": engagements.apply,
    "assignments": assignments.apply,
    "assignment-forecasts": utilisation.apply,
}
SLAB_RECORDS_MAX: Final = 400


class Read(NamedTuple):
    """A record as a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Memory:
    """A task, its reference data, and everything that left it by stream."""

    def __init__(self) -> None:
        self.state = TaskState()
        self.reference = Reference()
        self.contexts = Contexts()
        self.left: defaultdict[str, list[Read]] = defaultdict(list)
        self.outcomes: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()

    def send(self, stream: str, batch: Iterable[Sent]) -> None:
        """Take records of one stream in, as one slab; what they leave for the task itself is taken in after them."""
        records = []
        for sent in batch:
            records.append(
                Read(stream, 0, self.taken[stream], sent.timestamp, sent.key, sent.value, tuple(sent.headers))
            )
            self.taken[stream] += 1
        if stream in APPLY:
            self._apply(stream, records)
            return
        change = reference.apply_reference(self.reference, stream, records)
        work = Work("reference", (), self.state, self.reference, self.contexts, Kept())
        wake.wake(work, wake.waiting(self.state, change.wakes))
        for record, error in change.undecodable:
            work.dead_letter(record, error, (stream, 0))
        self._commit(work)

    def _apply(self, stream: str, records: list[Read]) -> None:
        work = Work(stream, records, self.state, self.reference, self.contexts, Kept(), (stream, 0))
        shell.apply_all(work, APPLY[stream])
        self.outcomes.update(work.outcomes)
        self._commit(work)

    def _commit(self, work: Work) -> None:
        work.finish()
        self.state.commit(self.state.changes())
        for stream, records in cast("Kept", work.outbox).items():
            self.left[stream] += [_read(stream, len(self.left[stream]) + at, r) for at, r in enumerate(records)]
        own = self.left["assignment-forecasts"][self.taken["assignment-forecasts"] :]
        if own:
            self.taken["assignment-forecasts"] += len(own)
            self._apply("assignment-forecasts", own)

    def written(self) -> Written:
        """What left, added up."""
        return add_up({stream.name: self.left[stream.name] for stream in TOPOLOGY.outputs})


def _read(stream: str, offset: int, record: OutputRecord) -> Read:
    key, value, headers = record
    return Read(stream, 0, offset, 0, key, value, tuple(headers))


def played(week: Week, chance: random.Random | None = None) -> Memory:
    """Send a week: as it came about, or with the streams of each phase mixed by chance; masters always first."""
    memory = Memory()
    for phase in week.phases:
        mix = chance if phase is not week.masters else None
        for stream, batch in slabs(phase, mix):
            memory.send(stream, batch)
    return memory


def slabs(phase: Phase, chance: random.Random | None) -> Iterable[tuple[str, list[Sent]]]:
    """Cut the streams of a phase into slabs: by the moment of each record, or in any order that keeps each stream's."""
    if chance is None:
        batch: list[Sent] = []
        current = ""
        for stream, sent in in_order(phase):
            if batch and (stream != current or len(batch) == SLAB_RECORDS_MAX):
                yield current, batch
                batch = []
            current = stream
            batch.append(sent)
        yield current, batch
        return
    left = {stream: list(records) for stream, records in phase.items()}
    while left:
        stream = chance.choice(sorted(left))
        size = chance.randint(1, SLAB_RECORDS_MAX)
        yield stream, left[stream][:size]
        left[stream] = left[stream][size:]
        if not left[stream]:
            del left[stream]


def inputs_of(*phases: Phase) -> dict[str, list[Sent]]:
    """All records by stream."""
    return {stream: [sent for phase in phases for sent in phase.get(stream, ())] for stream in STREAMS}


def verdict_on(memory: Memory, reckoning: Reckoning) -> Verdict:
    """The demonstration's own check of what a task in memory has written."""
    inputs = [stream.name for stream in TOPOLOGY.inputs]
    records = sum(memory.taken[stream] for stream in inputs)
    return judge(reckoning, memory.written(), records, memory.outcomes.total())


def reckoned(*phases: Phase) -> Reckoning:
    """The independent reckoning of some phases."""
    return reckon(inputs_of(*phases))
