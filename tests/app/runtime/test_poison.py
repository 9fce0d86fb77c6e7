"""An input of bad records only is stopped, record by record the same however it is fetched; nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from billtide.agents import shell
from billtide.agents.outbox import Kept
from billtide.app.metrics import Metrics
from billtide.app.runtime.actors import Actors
from billtide.app.runtime.fetched import Fetched
from billtide.app.runtime.outgoing import partition_of
from billtide.app.runtime.shared import Shared
from billtide.app.runtime.slab import TaskSlab
from billtide.app.runtime.task import PartitionTask
from billtide.app.runtime.tasks import Tasks
from billtide.app.runtime.telemetry import Telemetry
from billtide.app.settings import Settings
from billtide.app.topology import TOPOLOGY
from billtide.codecs import dead_letter
from billtide.codecs.errors import UndecodableError
from billtide.tables.state import TaskState

from ...builders import Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from billtide.agents.work import Outcome, Work

    from .conftest import StartWorker, Topics, Until

NEVER = cast("Any", None)
DEFAULTS, METRICS = Settings(), Metrics()
"""Made once: making them takes longer than a test."""
WHERE = {stream.name: TP(stream.name, 0) for stream in TOPOLOGY.inputs}
BAD, GOOD = "bad", "good"


def apply(work: Work, record: Record) -> Outcome:
    """Count a record, or refuse it."""
    if record.value == BAD.encode():
        raise UndecodableError("malformed", "", "it is bad", "send a good one")
    work.outbox.add_record("billing", (b"E-1", str(record.offset).encode(), []))
    return "applied"


class Kafkaless(PartitionTask):
    """A partition task whose transactions go into lists. taken: offsets of what left, by stream."""

    def __init__(self, limits: dict[str, int], changelog: list[Record]) -> None:
        settings = DEFAULTS.model_copy(update=limits)
        super().__init__(Shared(settings, TOPOLOGY, Actors({}, NEVER, NEVER, NEVER), METRICS), 0)
        self.changelog, self.taken = changelog, {"billing": list[int](), "dead-letters": list[int]()}
        self.state, self.phase = TaskState(), "active"
        self.state.restore(changelog)
        self.state.restored()
        self.producer = cast("Any", type("Producer", (), {"outgoing": staticmethod(Kept)}))
        self.open()

    def open(self) -> None:
        """Seek every input where the state says, as _open does."""
        assert self.state is not None
        self._ends = {stream: self.state.position(stream).offset for stream in WHERE}
        self.phase = "active"

    async def commit(self, work: Work, outgoing: Any, *_: object) -> None:
        """Keep what leaves and what the changelog takes."""
        work.finish()
        left = outgoing.items()
        self.taken["billing"] += [int(value) for stream, rows in left if stream == "billing" for _, value, _ in rows]
        letters = [dead_letter.facts(own) for stream, rows in left if stream == "dead-letters" for _, _, own in rows]
        self.taken["dead-letters"] += [int(letter["offset"]) for letter in letters]
        changes = work.state.changes()
        self.changelog += [Record("c", 0, 0, 0, key, value, ()) for table in changes for key, value in table]
        work.state.commit(changes)

    async def take(self, stream: str, values: list[str], sizes: list[int]) -> None:
        """Fetch a log from the position to its end in slabs of these sizes, as long as the gate is open."""
        log = [Record(stream, 0, at, 0, b"E-1", value.encode(), ()) for at, value in enumerate(values)]
        turn = 0
        while stream not in self.stopped and (begin := self._ends[stream]) < len(log):
            end = min(len(log), begin + sizes[turn % len(sizes)])
            turn += 1
            slab = TaskSlab(self, stream, WHERE[stream], Fetched(log[begin:end], begin, end, self.epoch))
            await shell.run(one(slab), apply)

    def offset(self, stream: str) -> int:
        """The next record to apply."""
        assert self.state is not None
        return self.state.position(stream).offset


async def one(slab: TaskSlab) -> AsyncIterator[Any]:
    """A stream of one slab."""
    yield slab


def limits(run: int, share: int = 100, window: int = 1_000) -> dict[str, int]:
    """Settings of the limits."""
    return {"poison_run_records_max": run, "poison_share_percent_max": share, "poison_window_records": window}


async def test_an_input_stops_at_the_limit_and_the_others_go_on() -> None:
    """What stands before is applied, as many as allowed are put aside, the rest stays; another input is taken whole."""
    task = Kafkaless(limits(5), [])
    log = 10 * [GOOD] + 100 * [BAD] + 10 * [GOOD]
    await task.take("time-entries", log, [7])
    task.open()
    await task.take("expenses", 20 * [GOOD] + 5 * [BAD], [50])

    assert task.taken["billing"] == [*range(10), *range(20)]
    assert task.taken["dead-letters"] == [*range(10, 15), *range(20, 25)]
    assert task.offset("time-entries") == 15
    assert task.stopped == {"time-entries": "more than 5 bad records in a row"}


async def test_the_same_worker_and_the_next_one_put_nothing_more_aside() -> None:
    """A restart with the same limit stops at the same record at once; what the state keeps remembers the run."""
    changelog: list[Record] = []
    log = 30 * [BAD]
    await Kafkaless(limits(5), changelog).take("time-entries", log, [3])
    written = len(changelog)
    again = Kafkaless(limits(5), changelog)
    await again.take("time-entries", log, [30])

    assert again.stopped
    assert again.taken == {"billing": [], "dead-letters": []}
    assert len(changelog) == written


async def test_a_higher_limit_goes_on_where_it_stopped() -> None:
    """After the limit is raised every record is applied or put aside, each once."""
    changelog: list[Record] = []
    log = [GOOD, *(40 * [BAD]), GOOD]
    first = Kafkaless(limits(5), changelog)
    await first.take("time-entries", log, [9])
    then = Kafkaless(limits(50), changelog)
    await then.take("time-entries", log, [9])

    assert not then.stopped
    assert first.taken["billing"] + then.taken["billing"] == [0, 41]
    assert first.taken["dead-letters"] + then.taken["dead-letters"] == [*range(1, 41)]


async def test_a_stopped_input_is_not_fetched_and_is_told() -> None:
    """Its gate is shut, a slab that comes late is dropped; readiness and the metric say which one it is and why."""
    task = Kafkaless(limits(2), [])
    await task.take("time-entries", 5 * [BAD], [5])
    task.open()
    tasks = Tasks(task.shared)
    tasks.by_partition[0], tasks.assigned_once = task, True
    task.shared.references.ready.set()
    late = Fetched([Record("", 0, 2, 0, b"", b"", ())], 2, 3, task.epoch)
    telemetry = Telemetry(tasks)
    telemetry._gauges(count_bytes=False)
    shown = task.shared.metrics.registry.get_sample_value

    assert task.inputs["time-entries"] not in tasks.open_partitions()
    assert task.inputs["expenses"] in tasks.open_partitions()
    assert tasks.admit(task.inputs["time-entries"], late) is None
    assert telemetry.reasons() == ["task 0 takes no time-entries: more than 2 bad records in a row"]
    assert shown("billtide_stopped_inputs", {"stream": "time-entries", "partition": "0"}) == 1


async def test_what_was_fetched_behind_the_limit_is_not_applied() -> None:
    """A slab that waited behind the one that stopped its input is thrown away: its records stay in the log."""
    task = Kafkaless(limits(2), [])
    behind = [Record("", 0, 5, 0, b"E-1", GOOD.encode(), ())]
    waited = TaskSlab(task, "time-entries", WHERE["time-entries"], Fetched(behind, 5, 6, task.epoch))
    await task.take("time-entries", 5 * [BAD], [5])
    await shell.run(one(waited), apply)

    assert task.taken["billing"] == []
    assert task.offset("time-entries") == 2


@examples(max_examples=60)
@given(
    log=st.lists(st.sampled_from([GOOD, BAD]), max_size=30),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    run=st.integers(1, 5),
    share=st.integers(1, 100),
)
async def test_nothing_is_lost_or_doubled(log: list[str], sizes: list[int], run: int, share: int) -> None:
    """Stopped by any limits, cut into any slabs, then gone on without: each record has left once, as what it is."""
    changelog: list[Record] = []
    first = Kafkaless(limits(run, share, 10), changelog)
    await first.take("time-entries", log, sizes)
    stopped_at = first.offset("time-entries")
    whole = Kafkaless(limits(run, share, 10), [])
    await whole.take("time-entries", log, [len(log) + 1])
    rest = Kafkaless(limits(1_000), changelog)
    await rest.take("time-entries", log, sizes)

    assert whole.offset("time-entries") == stopped_at
    assert bool(whole.stopped) == bool(first.stopped) == (stopped_at < len(log))
    for name, value in (("billing", GOOD), ("dead-letters", BAD)):
        assert first.taken[name] + rest.taken[name] == [at for at, one in enumerate(log) if one == value]


@pytest.mark.kafka
async def test_a_poisoned_topic_on_kafka(kafka: Topics, worker: StartWorker, until: Until) -> None:
    """The task stops that input and goes on with others; a worker with a higher limit takes the rest, each once."""
    key = "E-1"
    number = partition_of(key.encode(), kafka.settings.partitions)
    await kafka.send("time-entries", [(key, f"a{n}") for n in range(10)])
    await kafka.send("time-entries", [(key, f"bad{n}") for n in range(50)])
    await kafka.send("time-entries", [(key, f"b{n}") for n in range(10)])
    async with worker(poison_run_records_max=5, slab_records_max=7) as running, aiohttp.ClientSession() as session:
        await until(lambda: running.value("stopped_inputs", stream="time-entries", partition=str(number)) == 1)
        await kafka.send("expenses", [(key, f"c{n}") for n in range(10)])
        await until(lambda: running.value("record_outcomes_total", stream="expenses") == 10)
        await until(running.ready)
        async with session.get(running.surroundings.telemetry.address + "/readyz") as answer:
            assert (await answer.json())["reasons"] == [
                f"task {number} takes no time-entries: more than 5 bad records in a row"
            ]
        assert len(await kafka.read("dead-letters")) == 5
        assert len(await kafka.outputs()) == 20
        await until(lambda: running.value("consumer_lag_records", stream="time-entries") == 55)
    async with worker(poison_run_records_max=100) as running:
        await until(lambda: running.value("record_outcomes_total", stream="time-entries") == 55)
    letters = [record.value for record in await kafka.read("dead-letters")]
    outputs = await kafka.outputs()

    assert letters == [f"bad{n}".encode() for n in range(50)]
    assert len(outputs) == 30
    assert set(outputs.values()) == {1}
