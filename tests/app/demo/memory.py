"""One partition task in memory that takes the sample week in: real agents, rules and tables, no Kafka."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from billtide.app import memory
from billtide.app.demo.firm import STREAMS, in_order
from billtide.app.demo.outputs import add_up
from billtide.app.demo.reckoning import Reckoning, reckon
from billtide.app.demo.verdict import Verdict, judge
from billtide.app.memory import Read
from billtide.app.topology import TOPOLOGY

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from billtide.app.demo.firm import Phase, Week
    from billtide.app.demo.happenings import Sent
    from billtide.app.demo.outputs import Written

SLAB_RECORDS_MAX: Final = 400


class Memory(memory.Memory):
    """The one task of the sample week, which also reads back what it leaves for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()

    def send(self, stream: str, batch: Iterable[Sent]) -> None:
        """Take records of one stream in, as one slab; what they leave for the task itself is taken in after them."""
        records = []
        for sent in batch:
            records.append(
                Read(stream, 0, self.taken[stream], sent.timestamp, sent.key, sent.value, tuple(sent.headers))
            )
            self.taken[stream] += 1
        if stream in memory.APPLIES:
            self.apply(stream, records)
        else:
            self.refer(stream, records)
        own = self.left["assignment-forecasts"][self.taken["assignment-forecasts"] :]
        if own:
            self.taken["assignment-forecasts"] += len(own)
            self.apply("assignment-forecasts", own)

    def written(self) -> Written:
        """What left, added up."""
        return add_up({stream.name: self.left[stream.name] for stream in TOPOLOGY.outputs})


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
