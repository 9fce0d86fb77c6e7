"""`billtide doctor` on a real broker: sound at first, then each thing that goes wrong is found under its name."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from billtide.app import topics
from billtide.app.demo.reading import read_streams
from billtide.app.doctor.examination import CHECKS, LOCAL, examine
from billtide.app.doctor.view import View
from billtide.app.records import send
from billtide.app.runtime.transaction import TaskProducer
from billtide.app.settings import load
from billtide.app.topology import TOPOLOGY
from billtide.codecs.entry_state import Hold
from billtide.codecs.records import Position
from billtide.tables.table import VERSION

from ..cli.conftest import PARTITIONS
from ..cutting import cut_changelog

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from billtide.app.doctor.line import Line

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("kafka")]

POSITION = b"ptime-entries"
AHEAD_SECONDS = 7_200
HOLD = b"htime\x1fpsa\x1f1"


def record(value: msgspec.Struct, version: bytes = VERSION) -> bytes:
    """A value as the changelog has it."""
    return version + msgspec.msgpack.encode(value)


async def write(stream: str, *rows: tuple[bytes, bytes | None], partition: int = 0) -> None:
    """Records of one partition, in their order."""
    settings = load()
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True) as producer:
        for key, value in rows:
            await producer.send_and_wait(settings.topic(stream), value, key, partition)


async def commit() -> None:
    """One transaction of the last task, by this machine's clock."""
    producer = TaskProducer(load(), TOPOLOGY, PARTITIONS - 1)
    await producer.start()
    try:
        changes: list[Any] = [[(POSITION, record(Position(1)))]]
        await producer.write(producer.outgoing().close(changes))
    finally:
        await producer.discard(abort=False)


async def found(check: str, now: float | None = None) -> list[Line]:
    """What one check says."""
    admin = AIOKafkaAdminClient(**load().connection())
    await admin.start()
    try:
        (made,) = [one for one in CHECKS if one.name == check]
        return await made.check(View(load(), admin, now))
    finally:
        await admin.close()


async def verdicts(check: str, now: float | None = None) -> list[str]:
    """How one check judges."""
    return [line.verdict for line in await found(check, now)]


def test_fresh_topics_pass_and_missing_ones_fail(run: Callable[..., Result]) -> None:
    """Before `topics create` the exit code is 1 and the mend says so; after it every check is told and none fails."""
    before = run("doctor", "--json")
    run("topics", "create")
    after = run("doctor", "--json")
    told = json.loads(after.stdout)
    table = run("doctor")

    assert before.exit_code == 1
    lines = json.loads(before.stdout)["checks"]
    assert any(it["verdict"] == "fail" and it["mend"] == "Run `billtide topics create`" for it in lines)
    assert {it["check"] for it in lines} == {it.name for it in (*CHECKS, *LOCAL)}
    assert (after.exit_code, told["ok"]) == (0, True), after.stdout
    assert [it["check"] for it in told["checks"]] == [it.name for it in (*CHECKS, *LOCAL)]
    assert {it["check"] for it in told["checks"] if it["verdict"] == "warn"} <= {"copies", "disk", "broker limits"}
    assert table.exit_code == 0
    assert "0 fail, " in table.stdout


async def test_what_the_tasks_count_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lag without a worker, dead letters, holds; an input at its limit of bad records fails until it is raised."""
    await topics.create(load())
    ones = ((1 << 200) - 1).to_bytes(25)
    hold = Hold(1, "rate_missing", "E-1", "rates:EUR")
    await write(
        "state-changelog", (POSITION, record(Position(2, dead_lettered=200, recent=ones))), (HOLD, record(hold))
    )
    await write("time-entries", *[(b"E-1", b"{}")] * 5)
    told = await examine(load())
    lines = {one.check: one.line for one in told}

    assert lines["lag"].found == "task 0 is 3 records behind, and no worker is in the group"
    assert (lines["dead letters"].verdict, lines["dead letters"].found) == (
        "warn",
        "200 records put aside: time-entries 200",
    )
    assert (lines["holds"].verdict, lines["holds"].found) == ("ok", "1 entries are held: rate_missing 1")
    assert lines["poison limits"].verdict == "fail"
    assert lines["poison limits"].found == (
        "task 0 takes no more of time-entries, of which 3 wait: more than 200 bad records in a row"
    )
    monkeypatch.setenv("BILLTIDE_POISON_RUN_RECORDS_MAX", "201")
    assert await verdicts("poison limits") == ["ok"]


async def test_positions_outside_the_log_fail() -> None:
    """What is gone before it was applied is counted."""
    settings = load()
    await topics.create(settings)
    await write("time-entries", *[(b"E-1", b"{}")] * 5)
    await write("state-changelog", (POSITION, record(Position(1))))
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(settings.topic("time-entries"), 0): RecordsToDelete(4)})
    finally:
        await admin.close()
    (line, *_) = await found("lag")

    assert (line.verdict, line.found) == ("fail", "task 0: 3 records of time-entries are gone before they were applied")


async def test_a_changelog_that_lost_its_beginning_fails() -> None:
    """Compaction leaves the start of a log; one that has moved was cut while another policy allowed it."""
    settings = load()
    await topics.create(settings)
    await write("state-changelog", *[(POSITION, record(Position(at))) for at in (1, 2, 3)])
    await cut_changelog(settings, 0, 2)
    (line,) = await found("changelog")

    assert line.verdict == "fail"
    begins = f"{settings.topic('state-changelog')} partition 0: the state begins at offset 0, the log holds 2 to 2: "
    assert line.found.startswith(begins)


async def test_a_changelog_of_another_version_fails_until_it_is_written_again() -> None:
    """Only the latest record of a key counts; one of no table of ours is unreadable as well."""
    await topics.create(load())
    newer = record(Position(1), bytes([VERSION[0] + 1]))
    await write("state-changelog", (POSITION, newer), (b"\x7fx", record(Position(1))))
    (line,) = await found("changelog")
    assert (line.verdict, line.found) == ("fail", "task 0: 2 records this version cannot read")

    await write("state-changelog", (POSITION, record(Position(1))), (b"\x7fx", None))
    assert await verdicts("changelog") == ["ok"]


async def test_a_version_on_the_wire_that_nobody_reads_fails() -> None:
    """It would go to the dead letters; what is no JSON is left to them."""
    await topics.create(load())
    await send(load(), "time-entries", [(b"E-1", b'{"schema_version": 1}', ()), (b"E-1", b"{", ())])
    assert await verdicts("wire versions") == ["ok"]

    await send(load(), "periods", [(b"DE", b'{"schema_version": 2}', ())])
    (line,) = await found("wire versions")
    assert line.verdict == "fail"
    assert line.found.endswith("periods: 1 of the latest records have schema_version 2")


async def test_an_open_transaction_is_found_when_it_is_too_old() -> None:
    """A moment is nothing; longer than ours may take warns; longer than any broker allows fails, with the command."""
    settings = load()
    await topics.create(settings)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, transactional_id=f"{settings.topic('open')}"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(settings.topic("billing"), b"{}", b"E-1", partition=1)
        now = time.time()
        assert await verdicts("open transactions", now) == ["ok"]
        assert await verdicts("open transactions", now + 60) == ["warn"]
        (line,) = await found("open transactions", now + 1_000)
        assert line.verdict == "fail"
        assert "kafka-transactions.sh" in line.mend
        assert f"--topic {settings.topic('billing')} --partition 1 --start-offset 0" in line.mend
        await producer.abort_transaction()
    finally:
        await producer.stop()
    assert await verdicts("open transactions", now + 1_000) == ["ok"]


async def test_clocks_are_compared_by_a_transaction() -> None:
    """The end of a task's transaction has the broker's time: this machine's agrees, one set back does not."""
    await topics.create(load())
    await commit()

    (line,) = await found("clocks")
    assert (line.verdict, "agree" in line.found) == ("ok", True)
    (line,) = await found("clocks", time.time() - 100)
    assert (line.verdict, "this machine's clock is behind" in line.found) == ("warn", True)


async def test_a_worker_two_hours_ahead_commits_and_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers refuse a time from further than an hour in their future; our topics have the broker's time instead."""
    settings = load()
    await topics.create(settings)
    here = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: here() + AHEAD_SECONDS)
        await commit()
    (line,) = await found("clocks")

    (written,) = (await read_streams(settings, ["state-changelog"]))["state-changelog"]
    assert written.timestamp / 1000 < here() + AHEAD_SECONDS / 2
    assert (line.verdict, line.found.split(" by ")[0]) == ("warn", "a broker's clock is behind a worker's")


async def test_a_wrong_topic_does_not_hide_the_rest() -> None:
    """With other partitions than the settings say, topics fail and every other check is still told."""
    settings = load()
    await topics.create(settings.model_copy(update={"partitions": PARTITIONS + 1}))
    told = await examine(settings)

    assert {one.check for one in told} == {it.name for it in (*CHECKS, *LOCAL)}
    assert {one.line.verdict for one in told if one.check == "topics"} == {"fail"}
    assert {one.line.verdict for one in told if one.check == "co-partitioning"} == {"ok"}
    assert {one.line.verdict for one in told if one.check == "disk"} <= {"ok", "warn"}
